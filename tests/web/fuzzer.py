"""Requests that are nearly as they should be: the same ones each time for a seed."""

import base64
import random
from typing import Any, NamedTuple
from urllib.parse import quote, quote_from_bytes

import msgspec

from tests.web.story import PLAIN, STEPS

DIGITS = "9" * 5_000


def cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


TEXTS = [
    "", " ", "\x00", "a\x00b", "\n", "é" * 300, "x" * 100_000, "\u202e\u0000", "'", '"', "%", "_", "\\", "${7*7}",
    "-1", "0", "2147483648", "9223372036854775807", "9223372036854775808", str(2**40), DIGITS, "1e999", "NaN",
    "null", "true", "00000000-0000-0000-0000-000000000000", "{00000000000000000000000000000000}",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "2026-01-01", "2026-11-23T10:00:00", "infinity", "٣", "²",
    "[]", "{}", "[" * 3_000, '{"a":' * 3_000, "!!timestamp 2026-01-01", "!!python/object:os.system x", "&a [*a]",
    "a: b: c", "- " * 2_000, "\ufeff", "\ud800",
]  # fmt: skip
CURSORS = [
    "[]", '["0001-01-01T00:00:00Z", 1]', f"[{2**63}]", f"[{DIGITS}]", "[" * 3_000, '["a", "b"]',
    '{"0": -1}', '{"0": 1e99}', '{"99": 1, "0": 9223372036854775807}', '{"0": 0}', r'["\u0000", "b"]',
    '["2026-01-01T00:00:00Z", 0]',
    '["2026-01-01T00:00:00Z", "00000000-0000-0000-0000-000000000000"]', "null", '["pinehurst", "M"]',
    '["9999-12-31T23:59:59-14:00", 9223372036854775807]', "[9223372036854775807]", '["c-1"]',
]  # fmt: skip
BYTES = [b"\xff", b"\xed\xa0\x80", b"%", b"%zz", b"\xc0\x80", b"a%00b", b"\xf8\x88\x80\x80\x80"]
VALUES: list[Any] = [
    *TEXTS[:40], None, True, 0, -1, 2**31, 2**40, 2**63 - 1, 2**63, -(2**63) - 1, 10**400, 1.5, 1e308, [], {}, [[]],
    [None], {"": {}}, {"a": {"b": [1, "x", None]}}, ["x"] * 200_000,
]  # fmt: skip
RAW = [
    b"", b"{", b"[]", b"null", b"\xff\xfe", b"\xef\xbb\xbf{}", b"[" * 3_000, b'{"a":' * 3_000, b'{"a": NaN}',
    b'{"a": 1e999}', b'{"a": ' + DIGITS.encode() + b"}", rb'{"a": "\ud800"}', rb'{"a\u0000": 1}',
    b'{"a": 1, "a": 2}', b"!!timestamp x", b"a: &x [*x]", b"tenantId: !!binary AAAA", b"a: 2026-01-01T00:00:00Z",
    b"steps: " + DIGITS.encode(), b"? [a]\n: b", b"---\n" * 2_000, b"\x00" * 99,
]  # fmt: skip
KINDS = [
    "application/json", "application/yaml", "application/json; charset=utf-16", "text/plain", "x/y", "",
    "application/x-www-form-urlencoded",
]  # fmt: skip
JOURNEY: dict[str, Any] = PLAIN | {
    "id": "11111111-1111-1111-1111-111111111111", "timezone": "Europe/London", "maxEnrollments": 3,
    "status": "DRAFT", "reentryAfter": "1 day", "allowReentry": True,
    "triggerConfig": {"conditions": [{"field": "a", "operator": "equals", "value": 1}]},
    "steps": [
        *STEPS, {"type": "WAIT", "config": {"duration": "1 day", "until": {"field": "a"}}},
        {"type": "SPLIT", "config": {"variants": ["A", "B"]}},
        {"type": "CONDITION", "config": {"rules": [{"field": "a", "operator": "isNull"}]}},
        {"stepNumber": 9, "type": "UPDATE", "config": {"field": "a", "value": 1}},
    ],
}  # fmt: skip
EVENT = {
    "eventId": "e", "eventType": "teetime.booked", "tenantId": "pinehurst", "customerId": "c",
    "occurredAt": "2026-11-23T10:00:00Z", "data": {},
}  # fmt: skip
BODIES: list[Any] = [
    JOURNEY, {"name": "Copy"}, {"customerId": "c-1", "data": {"a": 1}}, {"customerId": "c-1"}, EVENT,
    {"action": "enroll", "customerIds": ["c-1"], "data": {"a": 1}},
]  # fmt: skip
PARAMETERS = (
    "cursor", "before", "limit", "tenant", "status", "step", "ended", "customer", "dueBefore", "trigger", "version",
    "name", "q", "id", "journey", "partition", "prefix", "after", "code", "offset", "within", "show", "topic",
    "reason", "recent", "failed", "enrollment",
)  # fmt: skip
FIELDS = ("customer", "journey", "data", "text", "events", "until", "confirmed", "activate", "file")


class Place(NamedTuple):
    """A method and a path with names of parameters in braces."""

    method: str
    path: str


class Fuzzer:
    """Makes requests that are nearly as they should be; the same ones each time."""

    def __init__(self, seed: int, known: dict[str, str]) -> None:
        self._random = random.Random(seed)
        self._known = known

    def request(self, place: Place) -> dict[str, Any]:
        path = place.path
        for name, value in self._known.items():
            path = path.replace(f"{{{name}}}", self._part(value))
        query = "&".join(f"{name}={self._argument(name)}" for name in self._some(PARAMETERS))
        given: dict[str, Any] = {"method": place.method, "url": f"{path}?{query}"}
        if place.method in ("POST", "PUT", "PATCH", "DELETE"):
            given |= self._body(is_api=path.startswith("/api"))
        return given

    def _some(self, names: tuple[str, ...]) -> list[str]:
        return self._random.choices(names, k=self._random.choice((0, 1, 1, 2, 4)))

    def _argument(self, name: str) -> str:
        if name in ("cursor", "before") and self._random.random() < 0.7:
            return cursor(self._random.choice(CURSORS))
        return self._part(self._known.get(name, "") if self._random.random() < 0.5 else "")

    def _part(self, value: str) -> str:
        """Return a part of an address: what belongs there, or something else."""
        chance = self._random.random()
        if value and chance < 0.7:
            return quote(value, safe="")
        if chance > 0.9:
            return quote_from_bytes(self._random.choice(BYTES))
        return quote(self._random.choice(TEXTS)[:2_000], safe="", errors="surrogatepass")

    def _body(self, *, is_api: bool) -> dict[str, Any]:
        headers = {
            "if-match": self._random.choice(["*", '"1"', "x"]),
            "idempotency-key": self._random.choice(["k", "", "é", "k" * 300]),
        }
        if not is_api:
            fields = {name: self._random.choice(TEXTS[:-1]) for name in self._some(FIELDS)} | {"token": "t"}
            if self._random.random() < 0.3:
                return {"files": {"file": ("x.yaml", self._random.choice(RAW))}, "data": fields}
            return {"data": fields}
        if self._random.random() < 0.3:
            kind = {"content-type": self._random.choice(KINDS)}
            return {"content": self._random.choice(RAW), "headers": _ascii(headers | kind)}
        content = msgspec.json.encode(self._mutate(self._random.choice(BODIES)))
        return {"content": content, "headers": _ascii(headers | {"content-type": "application/json"})}

    def _mutate(self, value: Any) -> Any:
        """Return a copy in which one thing, or a few, are something else."""
        if self._random.random() < 0.08 or not isinstance(value, dict | list) or not value:
            wanted = self._random.choice(VALUES)
            return str(wanted) if isinstance(wanted, int) and abs(wanted) > 2**64 else wanted
        copy: Any = dict(value) if isinstance(value, dict) else list(value)
        place = self._random.choice(list(copy) if isinstance(copy, dict) else range(len(copy)))
        if isinstance(copy, dict) and self._random.random() < 0.1:
            copy[self._random.choice(TEXTS[:30])] = copy.pop(place)
        elif self._random.random() < 0.1:
            del copy[place]
        else:
            copy[place] = self._mutate(copy[place])
        return copy


def _ascii(headers: dict[str, str]) -> dict[str, bytes]:
    return {name: value.encode("latin-1") for name, value in headers.items()}
