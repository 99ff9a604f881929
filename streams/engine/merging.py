"""Merge one customer into another (R27), over two partitions if need be.

The survivor asks for what the other leaves, and holds back its own inputs until it is there: so nobody enters
a once-only journey twice by merging. For late events the one merged away keeps a copy of its entry history, what it
has unsubscribed from, and who the survivor is: a late opt-out is passed on.
"""

from datetime import datetime
from typing import Any

from models.customer import EntryHistory
from models.ids import customer_key
from models.messages import Event
from streams.engine.draft import CustomerDraft
from streams.engine.inputs import MergeAway, MergeIn, OptOut
from streams.engine.leaving import leave_all
from streams.engine.profile import pass_on, set_attributes
from streams.engine.subscriptions import (
    SUBSCRIPTIONS,
    UNSUBSCRIBED,
    find_subscription,
    read_attributes,
    read_subscriptions,
    read_wanted,
)
from streams.engine.watching import add_watches

_KEPT = {SUBSCRIPTIONS, UNSUBSCRIBED}  # a late event sends nothing that was not wanted (R24)


def ask_to_merge(draft: CustomerDraft, event: Event, at: datetime) -> bool:
    """Begin a merge; False if the event names nobody else to merge."""
    merged = event.data.get("fromCustomerId")
    if not isinstance(merged, str) or not merged or merged == draft.key.customer_id:
        return False
    draft.customer.merging = (*draft.customer.merging, merged)
    draft.forward(customer_key(draft.key.tenant_id, merged), MergeAway(draft.key.customer_id, event.event_id, at))
    return True


def merge_away(draft: CustomerDraft, given: MergeAway, at: datetime) -> None:
    """End this customer's enrolments and leave profile, history and goals that still count to the survivor."""
    leave_all(draft, "merged", f"merged into '{given.into}'", at)
    legacy = MergeIn(
        draft.key.customer_id,
        given.event_id,
        given.at,
        draft.customer.profile,
        draft.customer.history,
        draft.customer.watched,
    )
    draft.customer.watched = ()
    draft.forward(customer_key(draft.key.tenant_id, given.into), legacy)
    set_attributes(draft, dict.fromkeys(name for name in draft.customer.profile if name not in _KEPT))
    draft.customer.merged_into = given.into


def merge_in(draft: CustomerDraft, given: MergeIn, at: datetime) -> None:
    """Fill gaps in the survivor's profile and join the entry histories."""
    own: dict[str, Any] = draft.customer.profile
    legacy, _ = read_attributes({}, given.profile)
    gaps = {name: value for name, value in legacy.items() if own.get(name) is None}
    if subscriptions := read_subscriptions(legacy):
        gaps[SUBSCRIPTIONS] = subscriptions | read_subscriptions(own)
    if UNSUBSCRIBED in legacy and find_subscription(own, UNSUBSCRIBED) is None:
        gaps[UNSUBSCRIBED] = legacy[UNSUBSCRIBED]
    set_attributes(draft, gaps)
    for journey_id, keys in given.history.items():
        for key, entry in keys.items():
            known = draft.customer.history.get(journey_id, {}).get(key, entry)
            joined = EntryHistory(
                max(known.count, entry.count), max(known.last_enrolled_at, entry.last_enrolled_at)
            )
            draft.enter(journey_id, key, joined.count, joined.last_enrolled_at)
    if given.watched:
        add_watches(draft, given.watched)
    draft.customer.merging = tuple(customer for customer in draft.customer.merging if customer != given.merged)
    if draft.customer.merged_into == given.merged:  # who was merged away is the survivor now
        draft.customer.merged_into = ""
    wanted = read_wanted(legacy)
    pass_on(draft, OptOut(given.event_id, "customer.merged", at, wanted.opt_outs, wanted.unsubscribed is True))
