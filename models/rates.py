"""How many commands may leave in a time: read from FAIRWAY_MAX_SENDS, and shared out to the partitions (R67)."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_ENTRY = re.compile(r"(?:(?P<tenant>[^:]+):)?(?P<channel>[^:=]+)=(?P<limit>[0-9]{1,9})/(?P<unit>[a-z]+)")
FORM = "[tenant:]CHANNEL=number/second, minute, hour or day, several separated by commas, each once"
"""What is allowed, in words."""


class Share(NamedTuple):
    """What one partition may send: a token comes every `interval`, and it keeps up to `burst` of them."""

    interval: timedelta
    burst: int


class Rate(NamedTuple):
    """So many commands in a unit of time, over all partitions."""

    limit: int
    unit: str

    def share(self, partitions: int) -> Share:
        """Return the part of one of so many partitions."""
        interval = timedelta(seconds=_UNITS[self.unit]) * partitions / self.limit
        return Share(interval, max(1, self.limit // partitions))

    def describe(self, channel: str, tenant_id: str) -> str:
        """Return in a sentence why a SEND is held."""
        return f"More than {self.limit:,} {channel} commands per {self.unit} for tenant '{tenant_id}'."


Rates = Mapping[tuple[str, str], Rate]
"""By tenantId, "" for every tenant that has none of its own, and channel."""


def read_rates(text: str) -> Rates:
    """Return the rates that a setting names; raises ValueError with a sentence."""
    rates: dict[tuple[str, str], Rate] = {}
    for entry in filter(None, map(str.strip, text.split(","))):
        match = _ENTRY.fullmatch(entry)
        if match is None or match["unit"] not in _UNITS or not int(match["limit"]):
            raise ValueError(f"'{entry}' is none of the form {FORM}")
        key = (match["tenant"] or "").strip(), match["channel"].strip().upper()
        if key in rates:
            raise ValueError(f"'{entry}' names a tenant and channel a second time")
        rates[key] = Rate(int(match["limit"]), match["unit"])
    return rates


def find_rates(rates: Rates, tenant_id: str) -> dict[str, Rate]:
    """Return a tenant's rates by channel: its own before those of every tenant."""
    every = {channel: rate for (tenant, channel), rate in rates.items() if not tenant}
    return every | {channel: rate for (tenant, channel), rate in rates.items() if tenant == tenant_id}
