"""What one transaction of a partition holds: changed customers and rows, records to emit, source positions.

Inputs are handled a slice at a time. What a slice does counts in the transaction when it ends without an error, all
of it; one that ends with an error leaves no trace.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import Any, NamedTuple, Self

import msgspec

from models.customer import Customer, decode
from streams.engine.effects import Outcome
from streams.engine.payload import Rejection
from streams.kafka.records import Destination, Output
from streams.partition.internal_rows import POSITION
from streams.partition.known import KnownCustomers
from streams.partition.metrics import Tally
from streams.partition.outputs import Emitted, OutgoingRecord, Router
from streams.state.index import marks_of
from streams.state.store import Store

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding a row that is none raises."""

Written = tuple[bytes | None, Set[bytes], Set[bytes]]
"""A row as it is written, and the marks that its customer had before and has now."""

NO_ROWS: Mapping[bytes, bytes | None] = {}
_NO_MARKS: frozenset[bytes] = frozenset()
_UNSEEN: Any = object()


class UnwritableRowError(Exception):
    """What inputs together have made of a customer can't be written, mostly for its size: look at each."""

    def __init__(self, key: bytes, sentence: str) -> None:
        super().__init__(sentence)
        self.key = key


class DamagedError(Exception):
    """A customer's row can't be read: somebody else wrote it, or a fault did."""

    def __init__(self, key: bytes) -> None:
        super().__init__(f"the state of '{key.decode(errors='replace')}' is damaged")
        self.key = key


class Letter(NamedTuple):
    """A dead letter, and why it is one: told once it is committed."""

    record: OutgoingRecord
    problem: Rejection


class Outputs(dict[Destination, Output]):
    """What takes the records that go out, by topic and partition; made when it is first asked for."""

    def __init__(self, make: Callable[[str], Output]) -> None:
        super().__init__()
        self._make = make
        self.letters: list[Letter] = []  # those that are dead letters
        self.size = 0  # bytes of all values

    def __missing__(self, place: Destination) -> Output:
        output = self[place] = self._make(place[0])
        return output


class Prepared(NamedTuple):
    """A transaction as it goes to the broker and, once it is committed there, to the store."""

    rows: dict[bytes, bytes | None]
    outputs: Mapping[Destination, Output]
    marks: dict[bytes, bool]


class Transaction:
    """An overlay on the store: nothing in it counts before it is committed, and all of it after."""

    def __init__(
        self,
        store: Store,
        known: KnownCustomers,
        positions: Mapping[str, int],
        router: Router,
        make_output: Callable[[str], Output],
        tally: Tally | None = None,
        pending: Mapping[bytes, bytes | None] = NO_ROWS,
    ) -> None:
        """Start from the store and, over it, the rows of the transaction before, which is `pending`.

        `known` are customers decoded earlier, as these have them.
        """
        self._store = store
        self._pending = pending
        self._known = known
        self.router = router
        self._loaded: dict[bytes, Customer | None] = {}  # those kept, as they were before
        self.customers: dict[
            bytes, Customer | None
        ] = {}  # who came before, and is likely to come again: kept decoded
        self.rows: dict[bytes, bytes | None] = {}
        self.marks: dict[bytes, bool] = {}
        self.outputs = Outputs(make_output)
        self.tally = tally or Tally()
        self.start = positions
        self.positions = dict(positions)
        self.inputs = 0
        self.is_fresh = False  # holds input of a topic that is read to its end

    def slice(self, keys: Iterable[bytes] = ()) -> "Slice":
        """Begin a slice in which these customers are asked for: at half the cost of one after another."""
        return Slice(self, keys)

    @property
    def has_moved(self) -> bool:
        """Say whether a topic is handled further than at the start."""
        return self.positions != self.start

    def advance(self, topic: str, position: int, inputs: int) -> None:
        """Note that a topic is handled up to this offset, after so many more inputs."""
        self.positions[topic] = position
        self.inputs += inputs

    def find_all(self, keys: Iterable[bytes]) -> dict[bytes, Customer | None]:
        """Return those of the customers that have to be read from the store; raises DamagedError."""
        wanted = [key for key in keys if not (key in self.customers or key in self._known or key in self.rows)]
        if not wanted:
            return {}
        damaged, pending = self._store.damaged, self._pending
        if damaged and (found := damaged.intersection(wanted) - pending.keys()):
            raise DamagedError(found.pop())
        rows = self._store.get_all(wanted)
        if pending:
            rows = [pending.get(key, row) for key, row in zip(wanted, rows, strict=True)]
        try:
            return {key: None if row is None else decode(row) for key, row in zip(wanted, rows, strict=True)}
        except UNREADABLE:
            return {key: _decode(key, row) for key, row in zip(wanted, rows, strict=True)}

    def find(self, key: bytes) -> Customer | None:
        """Return the customer as of the last slice; raises DamagedError."""
        if key in self.customers:
            return self.customers[key]
        if key in self._known:
            self._loaded[key] = self.customers[key] = self._known[key]
            return self._known[key]
        if key in self._store.damaged and key not in self.rows and key not in self._pending:
            raise DamagedError(key)
        return _decode(key, self.row(key))

    def row(self, key: bytes) -> bytes | None:
        """Return a row as of the last slice; of a customer who is kept decoded, as it was before."""
        for rows in (self.rows, self._pending):
            if key in rows:
                return rows[key]
        return self._store.get(key)

    def merge(self, slice_: "Slice") -> None:
        """Take in what a slice did, encoded; raises OversizeError and is as before where something is too large.

        Whoever comes again is kept until the commit. Whoever comes for the first time is let go: what waits for the
        commit has left the processor's cache by then, 1.2 KB a customer.
        """
        customers, changed, kept, rows = slice_.customers, slice_.changed, self.customers, self.rows
        route = self.router.route
        records = [route(key, effect) for key, effects in slice_.effects for effect in effects]
        written = {
            key: self._encode(key, changed[key], customers[key])
            for key in changed
            if key not in kept and not (key in rows and self._known.may_keep(key, rows[key]))
        }
        self._emit(records)
        for letter in slice_.letters:
            self._emit((letter.record,))
        self.outputs.letters += slice_.letters
        self.tally.note_effects(slice_.effects)
        self.tally.note_fired(slice_.fired)
        self.tally.note_held(slice_.held)
        self.marks |= slice_.marks
        for key, (row, old, new) in written.items():
            rows[key] = row
            if old or new:
                self._turn_marks(old, new)
        if len(written) < len(changed):
            for key, before in changed.items():
                if key not in written:
                    self._loaded.setdefault(key, before)
                    kept[key] = customers[key]
        rows |= slice_.rows

    def _emit(self, records: Iterable[OutgoingRecord]) -> None:
        outputs, size = self.outputs, 0
        for place, key, value, headers in records:
            outputs[place].add(key, value, headers)
            size += len(value or b"")
        outputs.size += size

    def prepare(self) -> Prepared:
        """Encode what is left to encode; raises UnwritableRowError."""
        for key, customer in self.customers.items():
            before = self._loaded[key]
            if customer is not before:
                try:
                    self.rows[key], old, new = self._encode(key, before, customer)
                except Exception as error:
                    raise UnwritableRowError(key, str(error)) from error
                self._turn_marks(old, new)
        self.rows[POSITION] = msgspec.json.encode(self.positions)
        return Prepared(self.rows, self.outputs, self.marks)

    def _encode(self, key: bytes, before: Customer | None, after: Customer | None) -> Written:
        old = marks_of(key, before.enrollments.values()) if before and before.enrollments else _NO_MARKS
        new = marks_of(key, after.enrollments.values()) if after and after.enrollments else _NO_MARKS
        return self.router.row(key, after), old, new

    def _turn_marks(self, old: Set[bytes], new: Set[bytes]) -> None:
        for mark in old - new:
            self.marks[mark] = False
        for mark in new - old:
            self.marks[mark] = True


class Slice:
    """Some inputs handled together: the end adds what they did to the transaction, an error adds nothing."""

    def __init__(self, transaction: Transaction, keys: Iterable[bytes]) -> None:
        self._transaction = transaction
        self._keys = keys
        self.customers: dict[bytes, Customer | None] = {}  # as of now
        self.changed: dict[bytes, Customer | None] = {}  # of these, those that changed, as they were before
        self.effects: list[tuple[bytes, Sequence[Emitted]]] = []
        self.letters: list[Letter] = []
        self.rows: dict[bytes, bytes | None] = {}
        self.marks: dict[bytes, bool] = {}
        self.fired: list[datetime] = []  # when waits that it fires were due
        self.held: list[str] = []  # the channels of SENDs that it holds (R67)

    def __enter__(self) -> Self:
        self.customers = self._transaction.find_all(self._keys)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and (self.effects or self.changed or self.letters or self.rows or self.marks or self.fired):
            self._transaction.merge(self)

    def customer(self, key: bytes) -> Customer | None:
        """Return the customer as of now."""
        customer: Customer | None = self.customers.get(key, _UNSEEN)
        if customer is _UNSEEN:
            customer = self.customers[key] = self._transaction.find(key)
        return customer

    def apply(self, key: bytes, before: Customer | None, outcome: Outcome) -> None:
        """Add what an input brought about, `before` being what `customer` returned."""
        if outcome.effects:
            self.effects.append((key, outcome.effects))
        if outcome.customer is not before:
            self.changed.setdefault(key, before)
            self.customers[key] = outcome.customer

    def emit(self, key: bytes, effects: Sequence[Emitted]) -> None:
        """Add effects of an input for this key."""
        if effects:
            self.effects.append((key, effects))

    def put_aside(self, record: OutgoingRecord, problem: Rejection) -> None:
        """Add a dead letter, and why it is one."""
        self.letters.append(Letter(record, problem))

    def row(self, key: bytes) -> bytes | None:
        """Return an internal row as of now."""
        return self.rows[key] if key in self.rows else self._transaction.row(key)

    def put(self, key: bytes, row: Any) -> None:
        """Change an internal row; it is written as JSON. Raises OversizeError."""
        self.rows[key] = self._transaction.router.internal_row(key, msgspec.json.encode(row))

    def replace(self, key: bytes, customer: Customer | None) -> None:
        """Put another customer's state in place of a row that can't be read; its marks are set apart."""
        self.rows[key] = self._transaction.router.row(key, customer)

    def mark(self, mark: bytes, *, stands: bool) -> None:
        """Set a mark or take it away."""
        self.marks[mark] = stands

    def drop_stale(self, mark: bytes) -> None:
        """Take a mark of the store away, unless this transaction has set it again."""
        if mark not in self._transaction.marks:
            self.marks.setdefault(mark, False)


def _decode(key: bytes, row: bytes | None) -> Customer | None:
    try:
        return None if row is None else decode(row)
    except UNREADABLE as error:
        raise DamagedError(key) from error
