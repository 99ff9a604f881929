"""The processor that lets only so many commands leave in a time (R67): its buckets are rows of the partition.

They change in the slice that sends, and so in the transaction of the commands: no crash and no other owner of the
partition forgets a command that left. Where no rate is set, none of this is in the way.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Protocol, cast

import msgspec

from models.customer import Customer
from models.ids import CustomerKey
from models.rates import Rate, Rates, Share, find_rates
from streams.engine.allowance import Allowance, Buckets, drop_full, read_buckets
from streams.engine.effects import Outcome
from streams.engine.inputs import CustomerInput
from streams.engine.journeys import Journeys
from streams.partition.internal_rows import SENDS
from streams.partition.outputs import Router
from streams.partition.processor import Advance, Processor
from streams.partition.transaction import Slice

_TENANTS = 10_000  # whose rates are at hand


class _AdvanceWithin(Protocol):
    def __call__(
        self, before: Customer | None, key: CustomerKey, given: CustomerInput, now: datetime, journeys: Journeys,
        /, *, allowance: Allowance,
    ) -> Outcome: ...  # fmt: skip


class RatedProcessor(Processor):
    """The inputs of one partition, whose tenants may send only so many commands in a time."""

    def __init__(self, router: Router, decide_customer: Advance, rates: Rates) -> None:
        """Take what decides; it has to know an allowance, as `advance` does."""
        super().__init__(router, decide_customer)
        self._decide_within = cast("_AdvanceWithin", decide_customer)
        self._rates = rates
        self._find = lru_cache(_TENANTS)(self._read_rates)

    def _read_rates(self, tenant_id: str) -> tuple[Mapping[str, Rate], Mapping[str, Share]]:
        rates = find_rates(self._rates, tenant_id)
        return rates, {channel: rate.share(self.router.partitions) for channel, rate in rates.items()}

    def advance(self, slice_: Slice, key: CustomerKey, given: CustomerInput, now: datetime) -> None:
        """Let the engine decide within what the tenant may send, and add what comes of it to the slice."""
        rates, shares = self._find(key.tenant_id)
        if not rates:
            return super().advance(slice_, key, given, now)
        row = SENDS + key.tenant_id.encode()
        buckets = _read(slice_.row(row))
        allowance = Allowance(key.tenant_id, rates, shares, buckets)
        before = slice_.customer(key.raw)
        outcome = self._decide_within(before, key, given, now, self.journeys, allowance=allowance)
        slice_.apply(key.raw, before, outcome)
        if allowance.buckets is not buckets:
            slice_.put(row, drop_full(allowance.buckets, now))
            slice_.held += allowance.held
        return None


def _read(row: bytes | None) -> Buckets:
    """Return the buckets of a row; full ones where it can't be read, for a rate is worth no event."""
    try:
        return read_buckets(row) if row else {}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
