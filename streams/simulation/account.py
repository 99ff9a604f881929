"""Tell in words what happened to each customer: what was asked, what was seen, why it went where."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from models.printable import printable
from streams.history.wording import Description, describe, describe_cause
from streams.kafka.topics import ACTIVITY, DEAD_LETTERS
from streams.simulation.simulation import Output

Entry = Mapping[str, Any]


def explain(outputs: Iterable[Output], names: Mapping[str, str]) -> Iterator[str]:
    """Yield the account of every customer, line by line; `names` gives a journey's name for its id."""
    accounts: dict[str, list[str]] = defaultdict(list)
    for output in outputs:
        if output.topic == ACTIVITY:
            accounts[output.key].extend(_tell_record(output.fields, names))
        elif output.topic == DEAD_LETTERS:
            accounts["(unusable input)"].append(f"{output.at:%Y-%m-%d %H:%M:%S}  {output.fields['reason']}")
    for key in sorted(accounts):
        yield printable(key)
        yield from (f"  {printable(line)}" for line in accounts[key])


def _tell_record(record: Entry, names: Mapping[str, str]) -> Iterator[str]:
    yield f"{record['at']:%Y-%m-%d %H:%M:%S}  {describe_cause(record['cause'])}"
    for entry in record["entries"]:
        told = describe(entry)
        yield "    " + " ".join(filter(None, _tell_parts(told, names)))
        yield from (f"      {c['field']}: {_show(c['before'])} -> {_show(c['after'])}" for c in told.changes)
        yield from (f"      {line}" for line in _tell_rules(told.rules))


def _tell_parts(told: Description, names: Mapping[str, str]) -> Iterator[str]:
    yield f"[{names[told.journey_id]}]" if told.journey_id in names else ""
    yield f"'{told.step_id}'" if told.step_id else ""
    yield told.text
    yield f"{told.moment:%Y-%m-%d %H:%M:%S} UTC" if told.moment else ""
    yield f"({told.command_id})" if told.command_id else ""


def _tell_rules(rules: Iterable[Entry]) -> Iterator[str]:
    for rule in rules:
        mark = "yes" if rule["matched"] else "no "
        if "rules" in rule:
            negated = "not " if rule.get("not") else ""
            yield f"{mark} {negated}{rule['combinator']} of:"
            yield from (f"    {line}" for line in _tell_rules(rule["rules"]))
        else:
            note = f" ({rule['note']})" if "note" in rule else ""
            asked = "" if rule.get("value") is None else f" {_show(rule['value'])}"
            yield f"{mark} {rule['field']} {rule['operator']}{asked}: saw {_show(rule.get('seen'))}{note}"


def _show(value: Any) -> str:
    return "nothing" if value is None else msgspec.json.encode(value).decode()
