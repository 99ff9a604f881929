"""Forty kinds of bytes that are no event."""

_EVENT = b'{"eventId":"e","tenantId":"t","customerId":"c","occurredAt":"2026-11-23T10:00:00Z"'
_DEEP = b"[" * 10_000 + b"]" * 10_000


def _with(field: bytes) -> bytes:
    return _EVENT + b"," + field + b"}"


def _without(field: bytes) -> bytes:
    fields = (b'"eventId":"e"', b'"tenantId":"t"', b'"customerId":"c"', b'"occurredAt":"2026-11-23T10:00:00Z"')
    return b"{" + b",".join(item for item in fields if field not in item) + b"}"


def _replaced(field: bytes, value: bytes) -> bytes:
    return _without(field)[:-1] + b',"' + field + b'":' + value + b"}"


POISON: tuple[bytes | None, ...] = (
    None,
    b"",
    b" ",
    b"\x00",
    b"\x00\x00\x00\x00\x01" + _EVENT + b"}",  # as a schema registry frames it
    b"\xff\xfe{\x00}\x00",
    b"\xc3\x28",
    b"\xef\xbb\xbf" + _EVENT + b"}",
    _EVENT,
    _EVENT + b"}}",
    _EVENT + b"} trailing",
    b"null",
    b"true",
    b"17",
    b'"text"',
    b"[]",
    b"{}",
    b"NaN",
    b"{'eventId': 'single quotes'}",
    b"<event/>",
    b"eventId,tenantId\n1,2\n",
    _DEEP,
    _with(b'"data":' + b'{"a":' * 40 + b"1" + b"}" * 40),
    _with(b'"data":{"n":NaN}'),
    _with(b'"data":{"n":Infinity}'),
    _with(b'"data":{"n":' + b"9" * 5000 + b"}"),
    _with(b'"data":{"n":18446744073709551615}'),
    _with(b'"data":{"text":"\\u0000"}'),
    _with(b'"data":{"text":"\x00"}'),
    _with(b'"data":{"text":"\\ud800"}'),
    _with(b'"data":{"text":"\xed\xa0\x80"}'),
    _with(b'"data":[1]'),
    _with(b'"clubId":7'),
    _without(b"eventId"),
    _without(b"tenantId"),
    _without(b"customerId"),
    _without(b"occurredAt"),
    _replaced(b"tenantId", b'"a:b"'),
    _replaced(b"customerId", b'""'),
    _replaced(b"occurredAt", b'"2026-11-23T10:00:00"'),
    _replaced(b"occurredAt", b'"9999-12-31T23:59:59Z"'),
    _with(b'"data":{"text":"' + b"x" * 262_144 + b'"}'),
)
