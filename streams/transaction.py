"""What one transaction of a partition holds: changed customers and rows, records to emit, source positions."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from models.customer import Customer, decode, encode
from streams.engine.effects import Effect
from streams.marks import marks_of
from streams.store import Store

POSITION = b":position"

Header = tuple[str, bytes | None]
Headers = Sequence[Header]
NO_HEADERS: list[Header] = []  # aiokafka takes nothing but a list
Destination = tuple[str, int]
"""A topic, and a partition of it."""

_UNSEEN: Any = object()
MAX_RECORD = 7 * 1024 * 1024  # bytes; topics.yaml lets the topics take 8 MiB


class OversizeKeyError(Exception):
    """What is to be written for a key is too large for the broker; whoever handles its inputs must look at each."""

    def __init__(self, key: bytes) -> None:
        super().__init__(f"What is to be written for '{key.decode()}' is too large.")
        self.key = key


class Output(Protocol):
    """What takes the records of one partition of a topic, in the form that the ledger wants."""

    def add(self, key: bytes | None, value: bytes | None, headers: list[Header]) -> None:
        """Add a record."""


class Commit(NamedTuple):
    """A transaction, encoded: rows for the changelog, records by topic and partition, and source positions."""

    rows: dict[bytes, bytes | None]
    outputs: Mapping[Destination, Output]
    positions: dict[str, int]


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
        self._loaded: dict[bytes, Customer | None] = {}
        self._rows: dict[bytes, bytes | None] = {}
        self._read: dict[bytes, bytes | None] = {}  # of the store, by the last look-up
        self._at_hand: tuple[bytes, Customer | None] = (b"", None)
        self.customers: dict[bytes, Customer | None] = {}  # those who came before, and are likely to come again
        self.positions = dict(positions)
        self.marks: dict[bytes, bool] = {}
        self.effects: list[tuple[bytes, Sequence[Effect]]] = []  # by key, until they are addressed and emitted
        self.outputs: defaultdict[Destination, Output] = defaultdict(make_output)
        self.inputs = 0
        self.size = 0

    def customer(self, key: bytes) -> Customer | None:
        """Return the customer as of now."""
        if key == self._at_hand[0]:
            return self._at_hand[1]
        customer: Customer | None = self.customers.get(key, _UNSEEN)
        if customer is _UNSEEN:
            customer = self._known.get(key, _UNSEEN)
            if customer is _UNSEEN:
                row = self.row(key)
                customer = None if row is None else decode(row)
            else:
                self._loaded[key] = self.customers[key] = customer
        self._at_hand = (key, customer)
        return customer

    def change(self, key: bytes, before: Customer | None, after: Customer | None) -> None:
        """Change a customer, `before` being what `customer` returned; raises OversizeKeyError.

        Who comes for the first time is encoded and let go at once: what waits for the commit has left the
        processor's cache by then, 1.2 KB a customer.
        """
        self._at_hand = (key, after)
        if after is before:
            return
        if key in self.customers:
            self.customers[key] = after
        elif key in self._rows:
            self._loaded[key], self.customers[key] = before, after
        else:
            self._write(key, before, after)

    def look_up(self, keys: Iterable[bytes]) -> None:
        """Read the rows of keys that are asked for next."""
        wanted = [key for key in keys if key not in self.customers and key not in self._known]
        self._read = dict(zip(wanted, self._store.get_all(wanted), strict=True)) if wanted else {}

    def row(self, key: bytes) -> bytes | None:
        """Return an internal row as of now."""
        if key in self._rows:
            return self._rows[key]
        return self._read[key] if key in self._read else self._store.get(key)

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
        for key, customer in self.customers.items():
            before = self._loaded[key]
            if customer is not before:
                self._write(key, before, customer)
        self._rows[POSITION] = msgspec.json.encode(self.positions)
        return Commit(self._rows, self.outputs, self.positions), self.marks

    def _write(self, key: bytes, before: Customer | None, after: Customer | None) -> None:
        row = self._rows[key] = None if after is None else encode(after)
        if row is not None and len(row) > MAX_RECORD:
            raise OversizeKeyError(key)
        old = before.enrollments if before else {}
        new = after.enrollments if after else {}
        if old or new:
            _turn_marks(self.marks, marks_of(key, old.values()), marks_of(key, new.values()))


def _turn_marks(marks: dict[bytes, bool], old: set[bytes], new: set[bytes]) -> None:
    for mark in old - new:
        marks[mark] = False
    for mark in new - old:
        marks[mark] = True
