"""What profile events do to the profile: set, unsubscribe (R24, R27)."""

from datetime import datetime
from typing import Any

from models.messages import Event
from streams.engine.comparisons import is_same
from streams.engine.draft import Draft
from streams.engine.leaving import leave_all

PROFILE_EVENTS = frozenset(
    {"customer.updated", "scl.member.created", "customer.unsubscribed", "customer.merged", "customer.deleted"}
)


def update_profile(draft: Draft, data: dict[str, Any]) -> None:
    """Set attributes from an event's data; null removes one, and subscriptions change channel by channel."""
    given = dict(data)
    if isinstance(given.get("subscriptions"), dict):
        given["subscriptions"] = _subscriptions(draft) | {
            str(channel).upper(): wanted for channel, wanted in given["subscriptions"].items()
        }
    set_attributes(draft, given)


def unsubscribe(draft: Draft, event: Event, at: datetime) -> None:
    """Unsubscribe from one channel, or from everything: then all enrolments end (R27)."""
    channel = event.data.get("channel")
    if isinstance(channel, str) and channel and channel.upper() != "ALL":
        set_attributes(draft, {"subscriptions": _subscriptions(draft) | {channel.upper(): False}})
        return
    set_attributes(draft, {"unsubscribed": True})
    leave_all(draft, "unsubscribed", None, at)


def erase(draft: Draft, at: datetime) -> None:
    """End all enrolments and drop the row; the record that stays says only that."""
    leave_all(draft, "manual", "customer deleted", at)
    draft.note({"type": "profile.updated", "changes": [], "deleted": True})
    draft.erased = True


def set_attributes(draft: Draft, given: dict[str, Any]) -> None:
    """Write attributes into the profile and note what changed."""
    after = dict(draft.profile)
    changes = []
    for name, value in given.items():
        before = after.get(name)
        if is_same(before, value):
            continue
        changes.append({"field": name, "before": before, "after": value})
        if value is None:
            after.pop(name, None)
        else:
            after[name] = value
    if changes:
        draft.profile = after
        draft.note({"type": "profile.updated", "changes": changes})


def _subscriptions(draft: Draft) -> dict[str, Any]:
    known = draft.profile.get("subscriptions")
    return dict(known) if isinstance(known, dict) else {}
