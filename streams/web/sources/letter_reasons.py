"""Why dead letters came, in groups: the same reason is one, whatever numbers or customers its sentence names."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

_SHOWN = 20
_OMITTED = "\N{HORIZONTAL ELLIPSIS}"
# What a sentence names of the one record: what an error of ours says, a customer, and numbers.
_find_error = re.compile(r"(Fairway failed on it \(\w+: ).*(\); the log has the rest\.)$", re.DOTALL)
_find_quoted = re.compile(r"(customer )?'([^']*)'")
_find_number = re.compile(r"\d+")


class Told(msgspec.Struct, frozen=True):
    """What one dead letter says: its code, its reason, and when it came."""

    code: str
    reason: str
    at: datetime


class Reason(msgspec.Struct, frozen=True):
    """A reason of dead letters with one code: how many there are, and when the newest came."""

    code: str
    text: str
    letters: int
    newest: datetime


class Reasons(msgspec.Struct, frozen=True):
    """The reasons of most dead letters, most first; how many reasons, and letters, are not among them."""

    shown: list[Reason]
    left_out: int = 0
    letters_left_out: int = 0


def count_reasons(told: Iterable[Told], limit: int = _SHOWN, tell: Callable[[str], str] = str) -> Reasons:
    """Return why dead letters came, by code and reason, as `tell` puts it.

    The same few texts come over and over: each is looked at once, for this runs beside the partitions.
    """
    counts, newest = Counter[tuple[str, str]](), dict[tuple[str, str], datetime]()
    for one in told:
        same = one.code, one.reason
        counts[same] += 1
        newest[same] = max(newest.get(same, one.at), one.at)
    groups: dict[tuple[str, str], Reason] = {}
    for same, letters in counts.items():
        reason = Reason(same[0], tell(same[1]), letters, newest[same])
        key = reason.code, shape_of(reason.text)
        groups[key] = _join(groups[key], reason) if key in groups else reason
    found = sorted(groups.values(), key=lambda reason: (-reason.letters, reason.code, reason.text))
    rest = found[limit:]
    return Reasons(found[:limit], len(rest), sum(reason.letters for reason in rest))


def _join(one: Reason, other: Reason) -> Reason:
    letters, newest = one.letters + other.letters, max(one.newest, other.newest)
    return Reason(one.code, _blend(one.text, other.text), letters, newest)


def shape_of(reason: str) -> str:
    """Return what a reason has in common with others of its kind."""
    told = _find_error.sub(rf"\1{_OMITTED}\2", reason)
    return _find_number.sub(_OMITTED, _find_quoted.sub(_hide_customer, told))


def _hide_customer(quoted: re.Match[str]) -> str:
    """Leave out a customer's key or id, and a command for one; the name of a field stays."""
    before, text = quoted[1] or "", quoted[2]
    return f"{before}{_OMITTED}" if before or ":" in text or "--" in text else quoted[0]


def _blend(first: str, second: str) -> str:
    """Return what two reasons of one shape have in common, word by word."""
    if first == second:
        return first
    mine, theirs = first.split(" "), second.split(" ")
    if len(mine) != len(theirs):
        return shape_of(second)
    return " ".join(_blend_word(one, other) for one, other in zip(mine, theirs, strict=True))


def _blend_word(one: str, other: str) -> str:
    if one == other:
        return one
    shapes = (_find_number.sub(_OMITTED, word) for word in (one, other))
    return shape if (shape := next(shapes)) == next(shapes) else _OMITTED
