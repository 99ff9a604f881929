"""Merge one customer into another (R27), over two partitions if need be.

The survivor asks for what the other leaves, and holds back its own inputs until it is there: so nobody enters
a once-only journey twice by merging. For late events the one merged away keeps a copy of its entry history, and
what it has unsubscribed from.
"""

from datetime import datetime
from typing import Any

from models.customer import EntryHistory
from models.ids import customer_key
from models.messages import Event
from streams.engine.draft import CustomerDraft
from streams.engine.inputs import MergeAway, MergeIn
from streams.engine.leaving import leave_all
from streams.engine.profile import read_subscriptions, set_attributes

_KEPT = {"subscriptions", "unsubscribed"}  # a late event sends nothing that was not wanted (R24)


def ask_to_merge(draft: CustomerDraft, event: Event, at: datetime) -> bool:
    """Begin a merge; False if the event names nobody else to merge."""
    merged = event.data.get("fromCustomerId")
    if not isinstance(merged, str) or not merged or merged == draft.customer_id:
        return False
    draft.merging = (*draft.merging, merged)
    draft.forward(customer_key(draft.tenant_id, merged), MergeAway(draft.customer_id, event.event_id, at))
    return True


def merge_away(draft: CustomerDraft, given: MergeAway, at: datetime) -> None:
    """End this customer's enrolments and leave profile and history to the survivor."""
    leave_all(draft, "merged", f"merged into '{given.into}'", at)
    legacy = MergeIn(draft.customer_id, given.event_id, given.at, draft.profile, draft.history)
    draft.forward(customer_key(draft.tenant_id, given.into), legacy)
    set_attributes(draft, dict.fromkeys(name for name in draft.profile if name not in _KEPT))


def merge_in(draft: CustomerDraft, given: MergeIn) -> None:
    """Fill gaps in the survivor's profile and join the entry histories."""
    own: dict[str, Any] = draft.profile
    set_attributes(draft, {name: value for name, value in given.profile.items() if own.get(name) is None})
    if given.profile.get("subscriptions") and own.get("subscriptions"):
        subscriptions = read_subscriptions(given.profile) | read_subscriptions(own)
        set_attributes(draft, {"subscriptions": subscriptions})
    for journey_id, keys in given.history.items():
        for key, entry in keys.items():
            known = draft.history.get(journey_id, {}).get(key, entry)
            joined = EntryHistory(
                max(known.count, entry.count), max(known.last_enrolled_at, entry.last_enrolled_at)
            )
            draft.enter(journey_id, key, joined.count, joined.last_enrolled_at)
    draft.merging = tuple(customer for customer in draft.merging if customer != given.merged)
