"""How pages write numbers, times, texts and JSON; what Jinja's templates use as filters."""

import json
from datetime import UTC, datetime
from functools import partial
from typing import Any

from markupsafe import Markup, escape

from models.duration import read_zone
from streams.health.wording import span
from streams.web.charts.graph import shorten
from streams.web.charts.text import fit
from streams.web.queries.statistics import Rate

MARKS = {
    "ACTIVE": "good", "PAUSED": "warn", "DRAFT": "", "ARCHIVED": "gone", "COMPLETED": "good", "EXITED": "gone",
    "FAILED": "bad", "SKIPPED": "gone", "IN_PROGRESS": "waits", "PENDING": "", "running": "good",
    "restoring": "warn", "fencing": "warn", "lost": "bad", "closed": "gone", "WAITING": "waits",
    "open": "warn", "replayed": "waits", "resolved": "good", "discarded": "gone",
    "silent": "bad", "unowned": "bad", "gone": "gone",
}  # fmt: skip
NONE = "\N{EN DASH}"
_CLIPPED = 24  # characters, from which on a text may be cut


def number(value: float | None) -> str:
    """Return a whole number with commas; a dash for none."""
    return NONE if value is None else f"{value:,.0f}"


def capped(value: int | None, most: int) -> str:
    """Return a whole number that was counted up to a limit, and says so there; a dash for none."""
    if value is None:
        return NONE
    return f"{value:,}+" if value >= most else f"{value:,}"


def plural(value: int, one: str, many: str = "") -> str:
    """Return a number with what it is of: "1 byte", "2 bytes"."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def laps(average: float) -> str:
    """Return how often a step was passed by each who came, on average; nothing where that is once."""
    return f"\N{MULTIPLICATION SIGN} {average:,.1f}".removesuffix(".0") if average >= 1.05 else ""


def short(value: int) -> str:
    """Return a number in at most five characters."""
    for limit, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (10_000, "k")):
        if value >= limit:
            size = value / (limit if unit != "k" else 1000)
            return f"{size:.1f}{unit}" if size < 100 else f"{size:.0f}{unit}"
    return str(value)


def percent(part: float, whole: float) -> str:
    """Return a share in percent; a dash of nothing."""
    return f"{100 * part / whole:.1f} %" if whole else NONE


def interval(rate: Rate | None) -> str:
    """Return a rate in percent, with where the true one lies in 95 of 100 cases; a dash for none."""
    if rate is None:
        return NONE
    return f"{100 * rate.share:.1f} % ({100 * rate.low:.1f} to {100 * rate.high:.1f} %)"


def moment(at: datetime | None) -> str:
    """Return a time in UTC, to the second."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def local(at: datetime, zone: str) -> str:
    """Return a time in a zone, with the zone's name; in UTC if the zone is not known."""
    known = read_zone(zone)
    return f"{at.astimezone(known or UTC):%a %d %b %Y, %H:%M:%S} {zone if known else 'UTC'}"


def relative(at: datetime, now: datetime) -> str:
    """Return how far a time is from now."""
    return f"in {span(at - now)}" if at > now else f"{span(now - at)} ago"


def pretty(value: Any) -> str:
    """Return plain data as indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=_write)


def brief(value: Any) -> str:
    """Return plain data as JSON on one line; "nothing" for null."""
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False, default=_write)


def _write(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def text_of(raw: bytes | None) -> str:
    """Return bytes as text, what is not UTF-8 replaced."""
    return "" if raw is None else raw.decode(errors="replace")


def hexadecimal(raw: bytes | None, limit: int = 4096) -> str:
    """Return the first bytes as a hex dump, 16 a line, with what they are as ASCII."""
    lines = []
    for start in range(0, min(len(raw or b""), limit), 16):
        part = (raw or b"")[start : start + 16]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{start:06x}  {part.hex(' '):<47}  {letters}")
    return "\n".join(lines)


def clip(text: Any, *, is_link: bool = False) -> Markup:
    """Return a text that is cut with an ellipsis where it is long, and whole while it or its link has the focus."""
    whole = str(text)
    if len(whole) <= _CLIPPED:
        return escape(whole)
    focus = Markup("") if is_link else Markup(' tabindex="0"')
    return Markup('<span class="clip" title="{}"{}>{}</span>').format(whole, focus, whole)


FILTERS = {
    "number": number, "short": short, "moment": moment, "local": local, "span": span, "pretty": pretty,
    "laps": laps, "plural": plural, "brief": brief, "shorten": shorten, "text": text_of, "hex": hexadecimal,
    "clip": clip, "fit": fit, "clip_link": partial(clip, is_link=True),
}  # fmt: skip
