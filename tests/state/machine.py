"""Random commits to a store over an ordered map, beside a dictionary that says what it must answer."""

from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from models.customer import Enrollment
from models.ids import journey_id
from streams.state import index
from streams.state.ordered_map import OrderedMap
from streams.state.store import Store

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
JOURNEYS = [journey_id("pinehurst", name) for name in ("Welcome", "Reminder", "Dunning")]
ENROLLMENTS = [journey_id("enrollment", str(number)) for number in range(6)]
KEYS = [b"pinehurst:c-1", b"pinehurst:c-10", b"pinehurst:c-2", b"augusta:c-1"]


def place(number: int, journey: str, due: datetime | None) -> Enrollment:
    return Enrollment(ENROLLMENTS[number], journey, 1, NOW, "wait", waiting_until=due)


moments = st.integers(-3, 3).map(lambda seconds: NOW + timedelta(seconds=seconds))
enrollments = st.builds(place, st.integers(0, 5), st.sampled_from(JOURNEYS), st.none() | moments)


class StoreMachine(RuleBasedStateMachine):
    """Random commits to a store, beside a dictionary of what every customer has."""

    def open(self) -> OrderedMap:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.store = Store(self.open())
        self.model: dict[bytes, list[Enrollment]] = {}
        self.held: set[bytes] = set()
        self.offset = 0

    def marks(self, letter: str) -> list[bytes]:
        found = {mark for key, places in self.model.items() for mark in index.marks_of(key, places)}
        return sorted(mark for mark in found if mark.startswith(letter.encode()))

    @rule(changes=st.dictionaries(st.sampled_from(KEYS), st.none() | st.lists(enrollments, max_size=3)))
    def commit(self, changes: dict[bytes, list[Enrollment] | None]) -> None:
        rows: dict[bytes, bytes | None] = {}
        moved: dict[bytes, bool] = {}
        for key, places in changes.items():
            moved |= dict.fromkeys(index.marks_of(key, self.model.get(key, [])), False)
            moved |= dict.fromkeys(index.marks_of(key, places or []), True)
            rows[key] = None if places is None else repr(places).encode()
            if places is None:
                self.model.pop(key, None)
            else:
                self.model[key] = places
        self.offset += len(rows) + 1
        self.store.write(rows, moved, self.offset)

    @rule(number=st.integers(0, 3))
    def hold_the_first_waits(self, number: int) -> None:
        held = {index.hold(mark) for mark in self.store.due(NOW, b"", number)}
        self.held |= held
        self.store.write({}, dict.fromkeys(held, True), self.offset)

    @rule()
    def close_and_open(self) -> None:
        self.store.close()
        self.store = Store(self.reopen())

    def reopen(self) -> OrderedMap:
        return self.open()

    @invariant()
    def it_answers_as_the_model_does(self) -> None:
        store = self.store
        assert store.offset == self.offset
        assert store.scan(b"", 99) == sorted((key, repr(places).encode()) for key, places in self.model.items())
        assert [key for key, _ in store.scan(KEYS[0], 1)] == sorted(key for key in self.model if key > KEYS[0])[:1]
        waits = self.marks("w")
        assert store.next_due() == (index.read_wait(waits[0]).due if waits else None)
        due = [mark for mark in waits if index.read_wait(mark).due <= NOW]
        assert store.due(NOW, b"", 99) == due
        for mark in due[:1]:
            assert store.due(NOW, mark, 2) == due[1:3]
        for journey in JOURNEYS:
            keys = sorted(key for key, places in self.model.items() if any(p.journey_id == journey for p in places))
            assert store.enrolled(journey, b"", 99) == keys
            held = sorted(mark for mark in self.held if index.read_wait(mark).journey_id == journey)
            assert store.held(journey, b"", 99) == held
            assert store.held(journey, *(held[:1] or [b""]), 99) == held[1:]
        assert store.held_journeys() == {index.read_wait(mark).journey_id for mark in self.held}

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()
