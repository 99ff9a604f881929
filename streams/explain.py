"""Tell in words what happened to each customer: what was asked, what was seen, why it went where."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from streams.simulate import Output

Entry = Mapping[str, Any]


def explain(outputs: Iterable[Output], names: Mapping[str, str]) -> Iterator[str]:
    """Yield the account of every customer, line by line; `names` gives a journey's name for its id."""
    accounts: dict[str, list[str]] = defaultdict(list)
    for output in outputs:
        if output.topic == "fairway.activity":
            accounts[output.key].extend(_tell_record(output.value, names))
        elif output.topic == "fairway.dead-letters":
            accounts["(unusable input)"].append(f"{output.at:%Y-%m-%d %H:%M:%S}  {output.value['reason']}")
    for key in sorted(accounts):
        yield key
        yield from (f"  {line}" for line in accounts[key])


def _tell_record(record: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    cause = record["cause"]
    what = {
        "event": f"{cause['eventType']} ({cause['eventId']})",
        "wait": f"the wait at '{cause.get('stepId')}' fired",
        "control": f"by hand: {cause.get('control')}",
        "admission": "admission was answered" + (f" (asked by {cause['eventId']})" if cause["eventId"] else ""),
    }[cause["kind"]]
    yield f"{record['at']:%Y-%m-%d %H:%M:%S}  {what}"
    for entry in record["entries"]:
        journey = names.get(entry.get("journeyId", ""), "")
        yield "    " + " ".join(part for part in (f"[{journey}]" if journey else "", _tell(entry)) if part)
        yield from (f"      {line}" for line in _tell_rules(_rules_of(entry)))


def _rules_of(entry: Entry) -> list[Entry]:
    found = entry.get("evaluatedRules") or entry.get("result", {}).get("evaluatedRules", [])
    return list(found)


def _tell(entry: Entry) -> str:
    return _tell_step(entry) if entry["type"].startswith("step.") else _tell_enrollment(entry)


def _tell_enrollment(entry: Entry) -> str:
    match entry["type"]:
        case "enrollment.started":
            key = f" for '{entry['enrollmentKey']}'" if entry["enrollmentKey"] else ""
            return f"entered{key} (entry {entry['entryNumber']}, version {entry['journeyVersion']})"
        case "enrollment.refused":
            return f"did not enter: {entry['reason']}"
        case "enrollment.completed":
            return "completed"
        case "enrollment.exited":
            return f"left: {entry['exitReason']}" + (f" ({entry['detail']})" if entry["detail"] else "")
        case "enrollment.failed":
            return f"failed: {entry['error']}"
        case _:
            changes = (f"{c['field']}: {_show(c['before'])} -> {_show(c['after'])}" for c in entry["changes"])
            return "profile: " + ("erased" if entry.get("deleted") else ", ".join(changes))


def _tell_step(entry: Entry) -> str:
    match entry["type"]:
        case "step.entered":
            return f"'{entry['stepId']}' waits until {entry['waitingUntil']:%Y-%m-%d %H:%M:%S} UTC"
        case "step.completed":
            return f"'{entry['stepId']}' done{_tell_result(entry['result'])}"
        case "step.skipped":
            return f"'{entry['stepId']}' skipped: {entry['reason']}"
        case _:
            return f"'{entry['stepId']}' failed: {entry['error']}"


def _tell_result(result: Entry) -> str:
    if result.get("sent"):
        return f": sent by {result['channel']} ({result['messageId']})"
    if "variant" in result:
        return f": variant '{result['variant']}'"
    if "result" in result:
        return f": the answer is {'yes' if result['result'] else 'no'}"
    return f" ({result['note']})" if "note" in result else ""


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
