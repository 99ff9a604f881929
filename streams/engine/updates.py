"""Change a profile as an UPDATE step says: all of its updates hold together, or none (R23)."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal
from functools import lru_cache
from typing import Any, assert_never

from models.steps import Operation, Update
from streams.engine.comparisons import is_same
from streams.engine.paths import PathError, compile_path, describe, put
from streams.engine.results import Change
from streams.engine.subscriptions import (
    UNSUBSCRIBED,
    Ignored,
    canonical_path,
    find_subscription,
    is_about_subscriptions,
    read_attributes,
)

_LARGEST = 2**63 - 1
_DECIMAL = Context(prec=40)  # more digits than two numbers of 17 and 19 need to be summed where neither is lost


class UpdateRefusedError(ValueError):
    """An update that its field's value does not allow; the message is the sentence for the activity record."""


def apply_updates(
    profile: Mapping[str, Any], updates: Sequence[Update]
) -> tuple[dict[str, Any], list[Change], list[Ignored]]:
    """Return the new profile, one change per update, and what was passed over; raises UpdateRefusedError."""
    after = dict(profile)
    changes: list[Change] = []
    ignored: list[Ignored] = []
    for update in updates:
        path, look_up = _locate(update.field)
        if look_up is None:
            after, found, passed_over = _subscribe(after, update, canonical_path(path))
            changes += found
            ignored += passed_over
            continue
        before = look_up(after)
        value = _compute(update, before)
        try:
            after = put(after, path, value)
        except PathError as error:
            raise UpdateRefusedError(str(error)) from None
        changes.append(Change(path, before, value))
    return after, changes, ignored


@lru_cache(4096)
def _locate(field: str) -> tuple[str, Callable[[Any], Any] | None]:
    """Return the path within the profile, and what looks it up; None for one that is about subscriptions."""
    path = field.removeprefix("customer.")
    return path, None if is_about_subscriptions(path) else compile_path(path)


def _subscribe(
    profile: dict[str, Any], update: Update, path: str
) -> tuple[dict[str, Any], list[Change], list[Ignored]]:
    """Set what the customer wants to receive: an opt-out is taken back by nothing else."""
    before, value = find_subscription(profile, path), None
    if update.operation is not Operation.UNSET:
        value = _compute(update, before)
    if update.operation not in (Operation.SET, Operation.UNSET) or path.startswith(f"{UNSUBSCRIBED}."):
        raise UpdateRefusedError(f"'{path}' can't be changed: whether a customer is subscribed can only be set.")
    attributes, ignored = read_attributes(profile, {path: value})
    if not attributes:
        return profile, [], ignored
    after = profile | attributes
    return after, [Change(path, before, find_subscription(after, path))], ignored


def _compute(update: Update, before: Any) -> Any:
    match update.operation:
        case Operation.SET:
            return update.value
        case Operation.UNSET:
            return None
        case Operation.ADD:
            members = _members(update.field, before)
            return members if _holds(members, update.value) else [*members, update.value]
        case Operation.REMOVE:
            return [member for member in _members(update.field, before) if not is_same(member, update.value)]
        case Operation.INCREMENT:
            return _sum(update.field, before, _amount(update))
        case Operation.DECREMENT:
            return _sum(update.field, before, -_amount(update))
        case _:
            assert_never(update.operation)


def _members(field: str, value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise UpdateRefusedError(f"'{field}' is {describe(value)}, so nothing can be added to or removed from it.")
    return value


def _amount(update: Update) -> int | float:
    amount = 1 if update.value is None else update.value
    if not _is_number(amount):
        raise UpdateRefusedError(f"'{update.field}' can't change by {describe(amount)}.")
    return amount


def _sum(field: str, before: Any, amount: int | float) -> int | float:
    if before is not None and not _is_number(before):
        raise UpdateRefusedError(f"'{field}' is {describe(before)}, not a number.")
    total = _add(before or 0, amount)
    if abs(total) > _LARGEST:
        raise UpdateRefusedError(f"'{field}' would grow beyond {_LARGEST}.")
    return total


def _add(one: int | float, other: int | float) -> int | float:
    """Return a sum as people write it, in decimals: in binary, 0.8 less eight times 0.1 would not be 0."""
    if isinstance(one, int) and isinstance(other, int):
        return one + other
    return float(_DECIMAL.add(Decimal(repr(one)), Decimal(repr(other))))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _holds(members: list[Any], value: Any) -> bool:
    return any(is_same(member, value) for member in members)
