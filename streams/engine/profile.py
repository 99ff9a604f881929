"""What profile events do to the profile: set, unsubscribe, pass opt-outs on (R24, R27)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from models.ids import customer_key
from models.messages import Event
from streams.engine.comparisons import is_same
from streams.engine.draft import CustomerDraft
from streams.engine.entries import ProfileUpdated
from streams.engine.inputs import OptOut
from streams.engine.leaving import leave_all
from streams.engine.results import Change
from streams.engine.subscriptions import (
    EVERY_CHANNEL,
    SUBSCRIPTIONS,
    UNSUBSCRIBED,
    Ignored,
    channel_name,
    read_attributes,
    read_wanted,
)

PROFILE_EVENTS = frozenset(
    {"customer.updated", "scl.member.created", "customer.unsubscribed", "customer.merged", "customer.deleted"}
)


def update_profile(draft: CustomerDraft, event: Event, at: datetime) -> None:
    """Set attributes from an event's data; null removes one, and subscriptions change channel by channel."""
    set_attributes(draft, *read_attributes(draft.customer.profile, event.data))
    if draft.customer.merged_into:
        wanted = read_wanted(event.data)
        pass_on(draft, OptOut(event.event_id, event.event_type, at, wanted.opt_outs, wanted.unsubscribed is True))


def unsubscribe(draft: CustomerDraft, event: Event, at: datetime) -> None:
    """Unsubscribe from one channel, or from everything: then all enrolments end (R27)."""
    given = event.data.get("channel")
    channel = channel_name(given) if isinstance(given, str) else ""
    channels = (channel,) if channel not in ("", EVERY_CHANNEL) else ()
    opt_out(draft, OptOut(event.event_id, event.event_type, at, channels, not channels), at)


def opt_out(draft: CustomerDraft, given: OptOut, at: datetime) -> None:
    """Opt out of channels or of everything, and pass it on to whom the customer was merged into."""
    wanted: dict[str, Any] = {SUBSCRIPTIONS: dict.fromkeys(given.channels, False)} if given.channels else {}
    if given.everything:
        wanted[UNSUBSCRIBED] = True
    set_attributes(draft, *read_attributes(draft.customer.profile, wanted))
    if given.everything and given.event_type == "customer.unsubscribed":
        leave_all(draft, "unsubscribed", None, at)
    pass_on(draft, given)


def pass_on(draft: CustomerDraft, given: OptOut) -> None:
    """Send an opt-out on to the survivor, if this customer was merged away; never round in a circle."""
    if draft.customer.merged_into and (given.channels or given.everything):
        passed = (*given.passed, draft.key.customer_id)
        if draft.customer.merged_into not in passed:
            key = customer_key(draft.key.tenant_id, draft.customer.merged_into)
            draft.forward(key, msgspec.structs.replace(given, passed=passed))


def erase(draft: CustomerDraft, at: datetime) -> None:
    """End all enrolments and drop the row; the record that stays says only that."""
    leave_all(draft, "manual", "customer deleted", at)
    draft.entries.append(ProfileUpdated([], deleted=True))
    draft.erased = True


def set_attributes(draft: CustomerDraft, given: dict[str, Any], ignored: Sequence[Ignored] = ()) -> None:
    """Write attributes into the profile and note what changed, and what was passed over."""
    after = dict(draft.customer.profile)
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
        draft.customer.profile = after
    if changes or ignored:
        draft.entries.append(ProfileUpdated(changes, list(ignored)))
