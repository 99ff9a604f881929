"""What a tenant may still send on a partition (R67): a token bucket by channel, kept in the partition's state.

A bucket is two moments, so that nothing has to be counted while time passes. `paid` says when it is full again, had
it never more than its burst: each command moves it on by the time that a token takes. `held` is the last moment
until which a SEND is held. Those held come one token after another, and what is new comes behind them.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from models.duration import LAST
from models.messages import Moment
from models.rates import Rate, Share
from streams.engine.subscriptions import channel_name

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Bucket(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The sends of one tenant by one channel on one partition."""

    paid: Moment = _LONG_AGO
    held: Moment = _LONG_AGO


Buckets = Mapping[str, Bucket]
"""By channel; one that is full is left out."""

read_buckets: Callable[[bytes], dict[str, Bucket]] = msgspec.json.Decoder(dict[str, Bucket]).decode

_FULL = Bucket()


class Allowance:
    """What a tenant may send by each channel: asked for every SEND of an input, and less after each that goes."""

    def __init__(
        self, tenant_id: str, rates: Mapping[str, Rate], shares: Mapping[str, Share], buckets: Buckets
    ) -> None:
        """Begin with the buckets as the inputs before have left them."""
        self.buckets = buckets
        self.held: list[str] = []  # the channel of each SEND that was held
        self._tenant_id = tenant_id
        self._rates = rates
        self._shares = shares

    def claim(self, channel: str, now: datetime, latest: datetime | None, *, was_held: bool) -> datetime | None:
        """Take a token, or return until when to hold a SEND: a place in line, unless it is after `latest`."""
        name = channel_name(channel)
        share = self._shares.get(name)
        if share is None:
            return None
        bucket = self.buckets.get(name, _FULL)
        free = bucket.paid - (share.burst - 1) * share.interval
        if free <= now and (was_held or bucket.held <= now):
            self._keep(name, Bucket(_after(max(bucket.paid, now), share.interval), bucket.held))
            return None
        until = max(free, _after(bucket.held, share.interval))
        if latest is None or until <= latest:
            self._keep(name, Bucket(bucket.paid, until))
            self.held.append(name)
        return until

    def describe(self, channel: str) -> str:
        """Return in a sentence why a SEND is held."""
        name = channel_name(channel)
        return self._rates[name].describe(name, self._tenant_id)

    def _keep(self, name: str, bucket: Bucket) -> None:
        self.buckets = {**self.buckets, name: bucket}


def _after(moment: datetime, interval: timedelta) -> datetime:
    return moment + interval if moment < LAST - interval else LAST


def drop_full(buckets: Buckets, now: datetime) -> Buckets:
    """Return the buckets that are not full, or for which somebody is held."""
    return {name: bucket for name, bucket in buckets.items() if bucket.paid > now or bucket.held > now}
