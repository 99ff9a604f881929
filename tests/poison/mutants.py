"""Records that were good: mutated as bytes, as JSON, in their keys and in their headers."""

import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

Headers = Sequence[tuple[str, bytes | None]]


class Raw(NamedTuple):
    """A record as a producer may send it."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()


def _deep(levels: int) -> Any:
    return msgspec.Raw(b"[" * levels + b"]" * levels)


VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 2**63, 1e308, "", " ", ":", "\x00", "%s%n{}", "a" * 300, "x" * 5_000, "é" * 200,
    "2026-11-23T10:00:00", "soon", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-02-30", "P1000Y", "-1 day",
    [], {}, [[]], {"": {}}, {"a": None}, [None] * 100, {"$ref": "#"}, _deep(40), _deep(1_500),
    msgspec.Raw(b"9" * 400), msgspec.Raw(b"NaN"), msgspec.Raw(b"1e999"),
    msgspec.Raw(b'"\\ud800"'), msgspec.Raw(b'"\\u0000"'),
)  # fmt: skip
_NAMES = ("kind", "extra", "", "eventType", "data", "at")
KEYS: tuple[bytes | None, ...] = (
    None, b"", b":", b"::", b":partitions", b":joined", b":position", b":form", b":places:", b":places:x",
    b"no-colon", b"pinehurst:", b":c-1", b"\xff\xfe:c", b"pinehurst:\xff", b"pinehurst:c\x00", b"p" * 101 + b":c",
    b"pinehurst:" + b"c" * 2_000, b"k" * 100_000,
)  # fmt: skip
HEADERS: tuple[Headers, ...] = (
    (), (("traceparent", b"nonsense"),), (("traceparent", None),), (("ce_specversion", b"1.0"), ("ce_id", b"\xff")),
    (("content-type", b"application/cloudevents+json"),), (("dlq.code", b"mine"),), (("", b""),),
    tuple((f"h{number}", b"x" * 100) for number in range(50)), (("long", b"x" * 200_000),),
)  # fmt: skip


def mutate(raw: Raw, chance: random.Random) -> Raw:
    """Return a record with one or two things wrong, or with none that matters."""
    for _ in range(chance.choice((1, 1, 1, 2))):
        raw = chance.choice(_WAYS)(raw, chance)
    return raw


def _spoil_bytes(raw: Raw, chance: random.Random) -> Raw:
    value = bytearray(raw.value or b"{}")
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(value) + 1)
        match chance.randrange(4):
            case 0:
                value[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                del value[place : place + chance.randint(1, 30)]
            case 2:
                value[place:place] = chance.choice((b"[", b"{", b'"', b"\\", b"\x00", b"\xff", b",", b"null"))
            case _:
                del value[place:]
    return raw._replace(value=bytes(value))


def _spoil_value(raw: Raw, chance: random.Random) -> Raw:
    """Put something strange in the place of one of the values, add one, or take one away."""
    try:
        whole = msgspec.json.decode(raw.value or b"{}")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return raw
    places = list(_places(whole))
    if not places:
        return raw
    holder, name = chance.choice(places)
    match chance.randrange(3):
        case 0:
            del holder[name]
        case 1 if isinstance(holder, dict):
            holder[chance.choice(("kind", "extra", "", "eventType", "data", "at", str(name) + "s"))] = _strange(
                chance
            )
        case _:
            holder[name] = _strange(chance)
    try:
        return raw._replace(value=msgspec.json.encode(whole))
    except (OverflowError, UnicodeEncodeError, RecursionError):
        return raw


def _strange(chance: random.Random) -> Any:
    value = chance.choice(VALUES)
    return (
        value if isinstance(value, msgspec.Raw) or not isinstance(value, int) or abs(value) < 2**64 else "9" * 400
    )


def _places(whole: Any) -> Any:
    """Yield every place within, however deep; Pythons differ in how deep they call themselves."""
    open_ = [iter(_items(whole))]
    while open_:
        for holder, name, item in open_[-1]:
            yield holder, name
            open_.append(iter(_items(item)))
            break
        else:
            open_.pop()


def _items(whole: Any) -> list[tuple[Any, Any, Any]]:
    items = whole.items() if isinstance(whole, dict) else enumerate(whole) if isinstance(whole, list) else ()
    return [(whole, name, item) for name, item in items]


def _take_another_key(raw: Raw, chance: random.Random) -> Raw:
    return raw._replace(key=chance.choice(KEYS))


def _take_other_headers(raw: Raw, chance: random.Random) -> Raw:
    return raw._replace(headers=chance.choice(HEADERS))


def _replace_all(raw: Raw, chance: random.Random) -> Raw:
    whole = chance.choice((None, b"", b"[]", b'"text"', b"[" * 1_500, b"{" * 1_500, b"x" * 300_000, b"\x00" * 9))
    return raw._replace(value=whole)


_WAYS: tuple[Callable[[Raw, random.Random], Raw], ...] = (
    _spoil_bytes, _spoil_value, _spoil_value, _spoil_value, _take_another_key, _take_other_headers, _replace_all,
)  # fmt: skip
