"""Whether durations and time zones can be read."""

from collections.abc import Callable, Iterator

from models.duration import Duration, parse_duration, read_zone, zone_names
from streams.engine.check.shape import show, suggest

Faults = Iterator[str]


def check_duration(where: str, text: str | None, parse: Callable[[str], Duration] = parse_duration) -> Faults:
    """Yield a sentence where a duration is given and can't be read."""
    try:
        if text is not None:
            parse(text)
    except ValueError as error:
        yield f"'{where}': {error}"


def check_zone(where: str, name: object, *, or_customer: bool = False) -> Faults:
    """Yield a sentence where a name is no time zone."""
    if read_zone(name) is None and not (or_customer and name == "customer"):
        meant = suggest(name, [*zone_names(), "customer"] if or_customer else zone_names())
        advice = f"did you mean '{meant}'?" if meant else "write for example Europe/London."
        yield f"'{where}' is {show(name)}, which is not a time zone; {advice}"
