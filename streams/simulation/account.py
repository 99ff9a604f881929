"""Describe what happened to each customer: what was asked, what was seen, why it went where."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from models.printable import printable
from streams.engine.effects import Activity
from streams.history.wording import Description, describe, describe_cause
from streams.kafka.topics import DEAD_LETTERS
from streams.simulation.simulation import Output


def explain(outputs: Iterable[Output], names: Mapping[str, str]) -> Iterator[str]:
    """Yield the account of every customer, line by line; `names` gives a journey's name for its id."""
    accounts: dict[str, list[str]] = defaultdict(list)
    for output in outputs:
        if isinstance(output.value, Activity):
            accounts[output.key].extend(_describe_record(output.value, names))
        elif output.topic == DEAD_LETTERS:
            accounts["(unusable input)"].append(f"{output.at:%Y-%m-%d %H:%M:%S}  {output.fields['reason']}")
    for key in sorted(accounts):
        yield printable(key)
        yield from (f"  {printable(line)}" for line in accounts[key])


def _describe_record(record: Activity, names: Mapping[str, str]) -> Iterator[str]:
    yield f"{record.at:%Y-%m-%d %H:%M:%S}  {describe_cause(record.cause)}"
    for description in map(describe, record.entries):
        yield "    " + " ".join(filter(None, _parts_of(description, names)))
        yield from (f"      {c.field}: {_show(c.before)} -> {_show(c.after)}" for c in description.changes)
        yield from (f"      {line}" for line in _describe_rules(description.rules))


def _parts_of(description: Description, names: Mapping[str, str]) -> Iterator[str]:
    yield f"[{names[description.journey_id]}]" if description.journey_id in names else ""
    yield f"'{description.step_id}'" if description.step_id else ""
    yield description.text
    yield f"{description.moment:%Y-%m-%d %H:%M:%S} UTC" if description.moment else ""
    yield f"({description.command_id})" if description.command_id else ""


def _describe_rules(rules: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for rule in rules:
        mark = "yes" if rule["matched"] else "no "
        if "rules" in rule:
            negated = "not " if rule.get("not") else ""
            yield f"{mark} {negated}{rule['combinator']} of:"
            yield from (f"    {line}" for line in _describe_rules(rule["rules"]))
        else:
            note = f" ({rule['note']})" if "note" in rule else ""
            asked = "" if rule.get("value") is None else f" {_show(rule['value'])}"
            yield f"{mark} {rule['field']} {rule['operator']}{asked}: saw {_show(rule.get('seen'))}{note}"


def _show(value: Any) -> str:
    return "nothing" if value is None else msgspec.json.encode(value).decode()
