"""What profile events do to the profile: set, unsubscribe (R24, R27)."""

from datetime import datetime
from typing import Any

from models.messages import Event
from streams.engine.comparisons import is_same
from streams.engine.draft import CustomerDraft
from streams.engine.entries import ProfileUpdated
from streams.engine.leaving import leave_all
from streams.engine.results import Change

PROFILE_EVENTS = frozenset(
    {"customer.updated", "scl.member.created", "customer.unsubscribed", "customer.merged", "customer.deleted"}
)


def update_profile(draft: CustomerDraft, data: dict[str, Any]) -> None:
    """Set attributes from an event's data; null removes one, and subscriptions change channel by channel."""
    given = dict(data)
    if isinstance(given.get("subscriptions"), dict):
        given["subscriptions"] = read_subscriptions(draft.profile) | read_subscriptions(given)
    set_attributes(draft, given)


def unsubscribe(draft: CustomerDraft, event: Event, at: datetime) -> None:
    """Unsubscribe from one channel, or from everything: then all enrolments end (R27)."""
    channel = event.data.get("channel")
    if isinstance(channel, str) and channel and channel.upper() != "ALL":
        set_attributes(draft, {"subscriptions": read_subscriptions(draft.profile) | {channel.upper(): False}})
        return
    set_attributes(draft, {"unsubscribed": True})
    leave_all(draft, "unsubscribed", None, at)


def erase(draft: CustomerDraft, at: datetime) -> None:
    """End all enrolments and drop the row; the record that stays says only that."""
    leave_all(draft, "manual", "customer deleted", at)
    draft.entries.append(ProfileUpdated([], deleted=True))
    draft.erased = True


def set_attributes(draft: CustomerDraft, given: dict[str, Any]) -> None:
    """Write attributes into the profile and note what changed."""
    after = dict(draft.profile)
    changes = []
    for name, value in given.items():
        before = after.get(name)
        if is_same(before, value):
            continue
        changes.append(Change(name, before, value))
        if value is None:
            after.pop(name, None)
        else:
            after[name] = value
    if changes:
        draft.profile = after
        draft.entries.append(ProfileUpdated(changes))


def read_subscriptions(profile: dict[str, Any]) -> dict[str, Any]:
    """Return what a profile says of each channel, whose names differ no more by case (R24)."""
    known = profile.get("subscriptions")
    return {channel.upper(): wanted for channel, wanted in known.items()} if isinstance(known, dict) else {}
