"""A customer's row that can't be read: told as damaged, and replaced by what can be read of it when asked for."""

from datetime import datetime

from models.ids import CustomerKey
from streams.engine.inputs import RepairState
from streams.engine.payload import Rejection
from streams.engine.salvage import Salvaged, is_sound, salvage
from streams.kafka.fetch import SourceRecord
from streams.partition.outputs import Router
from streams.partition.transaction import DamagedError, Slice
from streams.state.index import DAMAGED, marks_of

Came = tuple[str, SourceRecord]
"""What the partition calls the inbox's partition by which a request came, and its record."""


def describe_damage(key: bytes) -> Rejection:
    """Return what is said of an input whose customer's row is damaged."""
    tenant, _, customer = key.decode(errors="replace").partition(":")
    return Rejection(
        "damaged",
        f"The state of customer '{customer}' is damaged: run 'fairway state repair --tenant {tenant} --customer "
        f"{customer}', then replay this.",
    )


def is_damaged(slice_: Slice, key: CustomerKey) -> bool:
    """Say whether a customer's row can't be used."""
    try:
        customer = slice_.customer(key.raw)
    except DamagedError:
        return True
    return customer is not None and not is_sound(customer)


def repair(
    slice_: Slice, router: Router, came: Came, key: CustomerKey, request: RepairState, now: datetime
) -> None:
    """Replace a damaged row; the row as it was becomes a dead letter, and so does a request that can't be met."""
    row = slice_.row(key.raw)
    if row is None or not is_damaged(slice_, key):
        _refuse(slice_, router, came, Rejection("not-damaged", f"The state of '{_name(key)}' is not damaged."), now)
        return
    found = None if request.discard else salvage(row, key)
    if found is None and not request.discard:
        sentence = f"Nothing of the state of '{_name(key)}' can be read: repair it with --discard."
        _refuse(slice_, router, came, Rejection("damaged", sentence), now)
        return
    _replace(slice_, key, found)
    problem = Rejection("repaired", _describe(key, found))
    slice_.put_aside(router.notice(key.raw, row, problem, now), problem)


def _refuse(slice_: Slice, router: Router, came: Came, problem: Rejection, now: datetime) -> None:
    slice_.put_aside(router.dead_letter(*came, problem, now), problem)


def _replace(slice_: Slice, key: CustomerKey, found: Salvaged | None) -> None:
    customer = found.customer if found is not None else None
    slice_.replace(key.raw, customer)
    slice_.mark(DAMAGED + key.raw, stands=False)
    for mark in marks_of(key.raw, customer.enrollments.values() if customer else ()):
        slice_.mark(mark, stands=True)


def _describe(key: CustomerKey, found: Salvaged | None) -> str:
    if found is None:
        return f"The damaged state of '{_name(key)}' was discarded: this is the row as it was."
    lost = ", ".join(found.lost) or "nothing"
    return f"The damaged state of '{_name(key)}' was repaired, lost: {lost}. This is the row as it was."


def _name(key: CustomerKey) -> str:
    return key.raw.decode(errors="replace")
