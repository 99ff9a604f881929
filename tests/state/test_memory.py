"""A store in memory answers as a plain dictionary would, also after it was closed and opened."""

from hypothesis import settings

from streams.state.memory import MemoryMap
from streams.state.ordered_map import OrderedMap
from tests.state.machine import StoreMachine


class MemoryMachine(StoreMachine):
    def open(self) -> OrderedMap:
        return MemoryMap()

    def reopen(self) -> OrderedMap:
        return self.store._entries


TestMemory = MemoryMachine.TestCase
TestMemory.settings = settings(max_examples=30, stateful_step_count=12, deadline=None)


def test_what_is_set_aside_is_forgotten() -> None:
    entries = MemoryMap()
    entries.write([(b"a", b"1"), (b"b", b"2")])
    entries.set_aside("it is another's")
    assert entries.items(b"", b"\xff", 9) == []
