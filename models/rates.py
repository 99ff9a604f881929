"""How many of something there may be in a time: commands (R67), failures (R68); read from a setting's text."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_ENTRY = re.compile(r"(?:(?P<tenant>[^:]+):)?(?P<channel>[^:=]+)=(?P<rate>.+)")
_NUMBER = re.compile(r"[0-9]{1,9}")
RATE_FORM = "number/second, minute, hour or day"
FORM = f"[tenant:]CHANNEL={RATE_FORM}, several separated by commas, each once"
"""What is allowed, in words."""


class Share(NamedTuple):
    """What one partition may send: a token comes every `interval`, and it keeps up to `burst` of them."""

    interval: timedelta
    burst: int


class Rate(NamedTuple):
    """So many in a unit of time, over all partitions."""

    limit: int
    unit: str

    @property
    def per(self) -> timedelta:
        """The unit of time."""
        return timedelta(seconds=_UNITS[self.unit])

    def share(self, partitions: int) -> Share:
        """Return the part of one of so many partitions."""
        interval = self.per * partitions / self.limit
        return Share(interval, max(1, self.limit // partitions))

    def describe(self, channel: str, tenant_id: str) -> str:
        """Return in a sentence why a SEND is held."""
        return f"More than {self.limit:,} {channel} commands per {self.unit} for tenant '{tenant_id}'."


Rates = Mapping[tuple[str, str], Rate]
"""By tenantId, "" for every tenant that has none of its own, and channel."""


def read_rate(text: str) -> "Rate | None":
    """Return the rate that a text names, None for an empty one; raises ValueError with a sentence."""
    number, _, unit = text.strip().partition("/")
    if not text.strip():
        return None
    if unit not in _UNITS or not _NUMBER.fullmatch(number) or not int(number):
        raise ValueError(f"'{text}' is none of the form {RATE_FORM}")
    return Rate(int(number), unit)


def read_rates(text: str) -> Rates:
    """Return the rates that a setting names; raises ValueError with a sentence."""
    rates: dict[tuple[str, str], Rate] = {}
    for entry in filter(None, map(str.strip, text.split(","))):
        match = _ENTRY.fullmatch(entry)
        rate = None
        with suppress(ValueError):
            rate = read_rate(match["rate"]) if match else None
        if match is None or rate is None:
            raise ValueError(f"'{entry}' is none of the form {FORM}")
        key = (match["tenant"] or "").strip(), match["channel"].strip().upper()
        if key in rates:
            raise ValueError(f"'{entry}' names a tenant and channel a second time")
        rates[key] = rate
    return rates


def find_rates(rates: Rates, tenant_id: str) -> dict[str, Rate]:
    """Return a tenant's rates by channel: its own before those of every tenant."""
    every = {channel: rate for (tenant, channel), rate in rates.items() if not tenant}
    return every | {channel: rate for (tenant, channel), rate in rates.items() if tenant == tenant_id}
