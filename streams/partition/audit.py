"""Whether a partition's state is sound: each row of the changelog, and each store on this machine held against it.

A store may stand before the changelog's end: what was written since is left out. A mark that no row needs does no
harm, for a mark is a hint; one that is missing is a wait that never ends.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import aclosing

import msgspec

from models.customer import Customer, decode
from models.ids import CustomerKey
from streams.engine.salvage import is_sound
from streams.kafka.changelog import Changelog
from streams.kafka.partitioner import partition_of
from streams.partition.internal_rows import is_internal, is_readable
from streams.state.index import hold, marks_of, marks_of_row
from streams.state.store import Store

_AT_ONCE = 1_000  # rows
_NAMED = 100  # faults of a kind

Tell = Callable[[int, int], None]
"""Is told how far the changelog is read: the offset, and the one at which it ends."""


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with the row of a key, in a sentence."""

    key: str
    problem: str


class Rows(msgspec.Struct, rename="camel"):
    """What the rows of a partition come to; the first hundred faults are named, all are counted."""

    customers: int = 0
    enrollments: int = 0
    waits: int = 0
    internal: int = 0
    bytes: int = 0
    bad: int = 0
    faults: list[Fault] = []


class StoreRows(msgspec.Struct, rename="camel"):
    """How a store stands to the changelog: rows that differ, and marks that are missing or of no use.

    `note` says why it was not looked at; empty if it was.
    """

    folder: str
    offset: int = 0
    note: str = ""
    differing: int = 0
    marks: int = 0
    missing: int = 0
    useless: int = 0
    faults: list[Fault] = []


class Report(msgspec.Struct, rename="camel"):
    """What a partition's rows come to, and how the stores of it on this machine stand to them."""

    partition: int
    rows: Rows
    stores: list[StoreRows]

    @property
    def is_sound(self) -> bool:
        """Say whether nothing is wrong."""
        return not self.rows.bad and not any(store.differing or store.missing for store in self.stores)


async def fold(changelog: Changelog, store: Store, tell: Tell = lambda _, __: None) -> None:
    """Write the last row of each key into an empty store, without marks; raises MigratedError."""
    async with aclosing(changelog.read(0)) as pages:
        async for page in pages:
            store.write({key or b"": row for key, row in page.rows}, {}, page.offset)
            tell(page.offset, page.end)


async def read_keys(changelog: Changelog, offset: int) -> set[bytes]:
    """Return the keys of the rows that were written from this offset on; raises MigratedError."""
    found = set[bytes]()
    async with aclosing(changelog.read(offset)) as pages:
        async for page in pages:
            found.update(key or b"" for key, _ in page.rows)
    return found


async def find_row(changelog: Changelog, key: bytes, tell: Tell = lambda _, __: None) -> bytes | None:
    """Return the last row of a key, None if there is none; raises MigratedError."""
    found = None
    async with aclosing(changelog.read(0)) as pages:
        async for page in pages:
            found = dict(page.rows).get(key, found)
            tell(page.offset, page.end)
    return found


def scan_all(store: Store) -> Iterator[tuple[bytes, bytes]]:
    """Yield all rows of a store, in order of their keys."""
    if (row := store.get(b"")) is not None:
        yield b"", row
    after = b""
    while found := store.scan(after, _AT_ONCE):
        yield from found
        after = found[-1][0]


def find_problem(key: bytes, row: bytes, partition: int, partitions: int) -> str:
    """Return what is wrong with a row, in a sentence; empty if nothing is."""
    return _examine(key, row, partition, partitions)[0]


def _examine(key: bytes, row: bytes, partition: int, partitions: int) -> tuple[str, Customer | None]:
    """Return what is wrong with a row, and the customer that it holds, if it does."""
    if not key:
        return "It has no key, so that it is nobody's.", None
    if is_internal(key):
        fault = "It is no internal row of Fairway's; the one before it stands."
        return "" if is_readable(key, row) else fault, None
    try:
        whose = CustomerKey.read(key)
        customer = decode(row)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return f"It can't be decoded: {str(error) or type(error).__name__}.", None
    if (place := partition_of(key, partitions)) != partition:
        return f"It belongs on partition {place}, where nobody finds it.", customer
    return _find_contradiction(whose, row, customer), customer


def _find_contradiction(whose: CustomerKey, row: bytes, customer: Customer) -> str:
    if not is_sound(customer):
        return "An enrolment, a candidacy or a deferred input in it can't be used."
    if (customer.tenant_id, customer.customer_id) != (whose.tenant_id, whose.customer_id):
        return "It names another customer than its key does."
    if marks_of_row(whose.raw, row) != marks_of(whose.raw, customer.enrollments.values()):
        return "A restore would not see its enrolments, and so not wake those who wait."
    return ""


def audit_rows(store: Store, partition: int, partitions: int) -> Rows:
    """Return what the rows of a folded changelog come to."""
    found = Rows()
    for key, row in scan_all(store):
        found.bytes += len(key) + len(row)
        problem, customer = _examine(key, row, partition, partitions)
        if problem:
            found.bad += 1
            _name(found.faults, key, problem)
        elif customer is None:
            found.internal += 1
        else:
            found.customers += 1
            found.enrollments += len(customer.enrollments)
            found.waits += sum(one.waiting_until is not None for one in customer.enrollments.values())
    return found


def audit_store(store: Store, folder: str, folded: Store, newer: Collection[bytes]) -> StoreRows:
    """Hold a worker's store against a folded changelog, but for the keys that were written after it."""
    found = StoreRows(folder, store.offset)
    for key, row in scan_all(store):
        _check_marks(found, store, key, row)
        if key not in newer and (theirs := folded.get(key)) != row and _counts(key, theirs):
            _note_difference(found, key, "It is other than the changelog's." if theirs else "It was deleted since.")
    for key, row in scan_all(folded):
        if key not in newer and _counts(key, row) and store.get(key) is None:
            _note_difference(found, key, "The store lacks it.")
    found.useless = store.count_marks(b"w") + store.count_marks(b"m") - found.marks
    return found


def _counts(key: bytes, row: bytes | None) -> bool:
    """Say whether a restore takes this row."""
    return bool(key) and (not is_internal(key) or is_readable(key, row))


def _check_marks(found: StoreRows, store: Store, key: bytes, row: bytes) -> None:
    for mark in marks_of_row(key, row):
        is_wait = mark[:1] == b"w"
        if store.holds(mark):
            found.marks += mark[:1] in b"wm"
        elif not (is_wait and store.holds(hold(mark))):
            found.missing += 1
            what = "A wait of it" if is_wait else "An enrolment of it"
            _name(found.faults, key, f"{what} has no mark, so that nothing finds it.")


def _note_difference(found: StoreRows, key: bytes, problem: str) -> None:
    found.differing += 1
    _name(found.faults, key, problem)


def _name(faults: list[Fault], key: bytes, problem: str) -> None:
    if len(faults) < _NAMED:
        faults.append(Fault(key.decode(errors="replace"), problem))
