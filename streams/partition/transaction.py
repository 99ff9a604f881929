"""What one transaction of a partition holds: changed customers and rows, records to emit, source positions."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from models.customer import Customer, decode, encode
from streams.engine.effects import Effect
from streams.kafka.records import MAX_RECORD, Commit, Destination, Header, Output
from streams.state.index import marks_of
from streams.state.store import Store

POSITION = b":position"

_UNSEEN: Any = object()


class OversizeKeyError(Exception):
    """What is to be written for a key is too large for the broker; whoever handles its inputs must look at each."""

    def __init__(self, key: bytes, sentence: str) -> None:
        super().__init__(sentence)
        self.key = key


class Transaction:
    """An overlay on the store: nothing in it counts before it is committed, and all of it after."""

    def __init__(
        self,
        store: Store,
        known: Mapping[bytes, Customer | None],
        positions: Mapping[str, int],
        make_output: Callable[[], Output],
    ) -> None:
        """Start from the store; `known` are customers decoded earlier, as the store has them."""
        self._store = store
        self._known = known
        self._slice: dict[bytes, Customer | None] = {}  # since the last `settle`, as of now
        self._changed: dict[bytes, Customer | None] = {}  # of these, who changed, as of then
        self._loaded: dict[bytes, Customer | None] = {}
        self._rows: dict[bytes, bytes | None] = {}
        self.customers: dict[bytes, Customer | None] = {}  # those who came before, and are likely to come again
        self.positions = dict(positions)
        self.marks: dict[bytes, bool] = {}
        self.effects: list[tuple[bytes, Sequence[Effect]]] = []  # by key, until they are addressed and emitted
        self.outputs: defaultdict[Destination, Output] = defaultdict(make_output)
        self.inputs = 0
        self.size = 0

    def look_up(self, keys: Iterable[bytes]) -> None:
        """Load the customers who are asked for next, at half the cost of one after another."""
        assert not self._changed, "Settle first."
        wanted = [key for key in keys if not (key in self.customers or key in self._known or key in self._rows)]
        if wanted:
            for key, row in zip(wanted, self._store.get_all(wanted), strict=True):
                self._slice[key] = None if row is None else decode(row)

    def customer(self, key: bytes) -> Customer | None:
        """Return the customer as of now."""
        customer: Customer | None = self._slice.get(key, _UNSEEN)
        if customer is _UNSEEN:
            customer = self._slice[key] = self._load(key)
        return customer

    def _load(self, key: bytes) -> Customer | None:
        if key in self.customers:
            return self.customers[key]
        if key in self._known:
            self._loaded[key] = self.customers[key] = self._known[key]
            return self._known[key]
        row = self.row(key)
        return None if row is None else decode(row)

    def change(self, key: bytes, before: Customer | None, after: Customer | None) -> None:
        """Change a customer, `before` being what `customer` returned."""
        if after is not before:
            self._changed.setdefault(key, before)
            self._slice[key] = after

    def encode_changes(self) -> None:
        """Encode who has changed; raises OversizeKeyError.

        Who comes again is kept until the commit. Who comes for the first time is let go: what waits for the commit
        has left the processor's cache by then, 1.2 KB a customer.
        """
        for key, before in self._changed.items():
            after = self._slice[key]
            if key in self.customers:
                self.customers[key] = after
            elif key in self._rows:
                self._loaded[key], self.customers[key] = before, after
            else:
                self._write(key, before, after)
        self._changed.clear()
        self._slice.clear()

    def row(self, key: bytes) -> bytes | None:
        """Return an internal row as of now."""
        return self._rows[key] if key in self._rows else self._store.get(key)

    def put(self, key: bytes, row: Any) -> None:
        """Change an internal row; it is written as JSON."""
        self._rows[key] = msgspec.json.encode(row)

    def emit(self, place: Destination, key: bytes | None, value: bytes | None, headers: list[Header]) -> None:
        """Add a record to what the transaction emits."""
        self.outputs[place].add(key, value, headers)
        self.size += len(value or b"")

    def encode(self) -> tuple[Commit, dict[bytes, bool]]:
        """Return what goes to the broker, and the marks that change with it; raises OversizeKeyError."""
        assert not self.effects, "Flush first."
        assert not self._changed, "Settle first."
        for key, customer in self.customers.items():
            before = self._loaded[key]
            if customer is not before:
                self._write(key, before, customer)
        self._rows[POSITION] = msgspec.json.encode(self.positions)
        return Commit(self._rows, self.outputs, self.positions), self.marks

    def _write(self, key: bytes, before: Customer | None, after: Customer | None) -> None:
        self._rows[key] = None if after is None else encode_row(key, after)
        old = before.enrollments if before else {}
        new = after.enrollments if after else {}
        if old or new:
            _turn_marks(self.marks, marks_of(key, old.values()), marks_of(key, new.values()))


def encode_row(key: bytes, customer: Customer) -> bytes:
    """Return a customer's row; raises OversizeKeyError."""
    row = encode(customer)
    if len(row) > MAX_RECORD:
        raise OversizeKeyError(key, f"The customer's row would have {len(row)} bytes, but {MAX_RECORD} fit.")
    return row


def _turn_marks(marks: dict[bytes, bool], old: set[bytes], new: set[bytes]) -> None:
    for mark in old - new:
        marks[mark] = False
    for mark in new - old:
        marks[mark] = True
