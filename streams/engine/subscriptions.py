"""The attributes `subscriptions` and `unsubscribed` (R24, R27), read so that no spelling of them loses an opt-out.

Only an explicit true for its channel, or false for `unsubscribed`, takes an opt-out back. All spellings of a
channel are one channel, and are kept in one.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

SUBSCRIPTIONS = "subscriptions"
UNSUBSCRIBED = "unsubscribed"
EVERY_CHANNEL = "ALL"

_CHANNEL = SUBSCRIPTIONS + "."
_TEXTS = {"true": True, "false": False}


class Ignored(msgspec.Struct, frozen=True, gc=False):
    """A value that is neither true nor false where only these are understood; it was passed over."""

    field: str
    value: Any = None


def channel_name(text: str) -> str:
    """Return the one spelling of a channel: in capitals, without blanks around it."""
    return text.strip().upper()


def read_flag(value: object) -> bool | None:
    """Return the boolean that a value stands for: true, false, these as text in any case, 1 or 0."""
    match value:
        case bool():
            return value
        case str():
            return _TEXTS.get(value.lower())
        case int() | float() if value in (0, 1):
            return value == 1
        case _:
            return None


def is_about_subscriptions(path: str) -> bool:
    """Say whether a path of the profile leads to one of the two attributes, or into it."""
    return path.split(".", 1)[0] in (SUBSCRIPTIONS, UNSUBSCRIBED)


def _is_subscription(name: str) -> bool:
    """Say whether an attribute's name is of the two, or of a channel; `unsubscribed.why` is one like any other."""
    return name in (SUBSCRIPTIONS, UNSUBSCRIBED) or name.startswith(_CHANNEL)


def canonical_path(path: str) -> str:
    """Return a path of the profile, a channel in its one spelling; what follows `subscriptions.` is a channel."""
    return _CHANNEL + channel_name(path.removeprefix(_CHANNEL)) if path.startswith(_CHANNEL) else path


def read_subscriptions(profile: dict[str, Any]) -> dict[str, bool]:
    """Return what a profile says of each channel; of two spellings of one, that which opts out counts."""
    given = profile.get(SUBSCRIPTIONS)
    known: dict[str, bool] = {}
    for text, value in given.items() if isinstance(given, dict) else ():
        flag, channel = read_flag(value), channel_name(text)
        if flag is not None:
            known[channel] = flag and known.get(channel, True)
    return known


def find_subscription(profile: dict[str, Any], path: str) -> Any:
    """Return what a profile says under a path that is about subscriptions; None where it says nothing."""
    if path == UNSUBSCRIBED:
        return read_flag(profile.get(UNSUBSCRIBED))
    if path.startswith(_CHANNEL):
        return read_subscriptions(profile).get(channel_name(path.removeprefix(_CHANNEL)))
    return profile.get(path)  # `unsubscribed.x` is nothing that is ever set


def is_unsubscribed(profile: dict[str, Any], channel: str) -> bool:
    """Say whether the customer gets nothing through this channel, or nothing at all (R24)."""
    if UNSUBSCRIBED in profile and read_flag(profile[UNSUBSCRIBED]):
        return True
    if SUBSCRIPTIONS not in profile:
        return False
    known = read_subscriptions(profile)
    return not (known.get(channel_name(channel), True) and known.get(EVERY_CHANNEL, True))


def read_attributes(profile: dict[str, Any], given: dict[str, Any]) -> tuple[dict[str, Any], list[Ignored]]:
    """Return attributes as they are to be set in a profile, and what is passed over.

    Subscriptions are joined channel by channel with those known; `subscriptions.EMAIL` as an attribute's name is a
    channel, too. Null where nothing is known says nothing.
    """
    if not any(map(_is_subscription, given)):
        return given, []
    wanted = read_wanted(given)
    attributes = {name: value for name, value in given.items() if not _is_subscription(name)}
    if wanted.channels:
        attributes[SUBSCRIPTIONS] = read_subscriptions(profile) | wanted.channels
    if wanted.unsubscribed is not None:
        attributes[UNSUBSCRIBED] = wanted.unsubscribed
    return attributes, [
        item
        for item in wanted.ignored
        if item.value is not None or find_subscription(profile, item.field) is not None
    ]


class Wanted(NamedTuple):
    """What attributes say of subscriptions: `unsubscribed` None says nothing of everything."""

    channels: dict[str, bool]
    unsubscribed: bool | None
    ignored: list[Ignored]

    @property
    def opt_outs(self) -> tuple[str, ...]:
        """The channels that are opted out of."""
        return tuple(channel for channel, wanted in self.channels.items() if not wanted)


def read_wanted(given: dict[str, Any]) -> Wanted:
    """Return what attributes say of subscriptions; of two spellings of a channel, that which opts out counts."""
    channels: dict[str, bool] = {}
    unsubscribed, ignored = None, []
    for field, value in _flatten(given):
        flag = read_flag(value)
        if flag is None or field in (SUBSCRIPTIONS, _CHANNEL):
            ignored.append(Ignored(field, value))
        elif field == UNSUBSCRIBED:
            unsubscribed = flag
        else:
            channel = field.removeprefix(_CHANNEL)
            channels[channel] = flag and channels.get(channel, True)
    return Wanted(channels, unsubscribed, ignored)


def _flatten(given: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the field and value of everything that is about subscriptions, channels in their one spelling."""
    for name, value in given.items():
        if name == SUBSCRIPTIONS and isinstance(value, dict):
            yield from ((_CHANNEL + channel_name(channel), wanted) for channel, wanted in value.items())
        elif _is_subscription(name):
            yield canonical_path(name), value


def expected_of(field: str) -> str:
    """Return how a sentence about a value that would be passed over goes on."""
    return "must hold channels, each true or false" if field == SUBSCRIPTIONS else "must be true or false"
