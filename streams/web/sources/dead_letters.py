"""Dead letters: records that could not be used, as they came, and why; listed, shown, and sent again."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cached_property

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition

from streams.kafka.clients import deadline, producing
from streams.kafka.connection import client_arguments
from streams.kafka.readiness import check_writable
from streams.kafka.topics import DEAD_LETTERS, INBOX, Topics
from streams.settings import Settings
from streams.web.access.masking import MASK, Mask
from streams.web.access.visitor import Visitor
from streams.web.queries.cursors import Number, read_cursor, write_cursor
from streams.web.queries.letter_states import Place, State, States
from streams.web.sources.letter_index import MOST, LetterIndex
from streams.web.sources.letter_owner import Owner, owner_of
from streams.web.sources.records import Offsets, Record, RecordReader, bounds, find_offsets, read

PAGE = 50
_WINDOW, _WINDOWS = 200, 25  # offsets of each partition read at once, and how often for one page
_PREFIX = "dlq."  # of the headers that say what was wrong
_SHOWN = frozenset({"traceparent", "tracestate", "content-type"})  # headers that tell of nobody


class Letter(msgspec.Struct, frozen=True, dict=True):
    """A dead letter."""

    record: Record

    def header(self, name: str) -> str:
        """Return one of the headers that say what was wrong; empty if it is missing.

        The last of that name: what a producer wrote comes before what Fairway says of it.
        """
        wanted = _PREFIX + name
        found = (value for key, value in reversed(self.record.headers) if key == wanted)
        return (next(found, None) or b"").decode(errors="replace")

    @property
    def original_headers(self) -> list[tuple[str, bytes | None]]:
        """Return the headers that its producer gave it."""
        return [(key, value) for key, value in self.record.headers if not key.startswith(_PREFIX)]

    @property
    def place(self) -> Place:
        """Return where it lies, which its state is kept by."""
        return Place(self.record.partition, self.record.offset, self.record.at)

    @cached_property
    def _owner(self) -> Owner:
        return owner_of(self.record)

    @property
    def tenant(self) -> str:
        """Return the tenant that its value names, or its key; empty if neither does."""
        return self._owner.tenant

    @property
    def customer(self) -> str:
        """Return the customer whom its value names, or its key; empty if neither does."""
        return self._owner.customer


class Letters(msgspec.Struct, frozen=True):
    """Some dead letters; `next` is where older ones lie, None if there are none."""

    found: list[Letter]
    next: str | None = None


Wanting = Callable[[Letter], bool]


def wanting(
    states: States, state: State | None = None, code: str = "", *,
    topic: str = "", customer: str = "", since: datetime | None = None,
) -> Wanting:  # fmt: skip
    """Return what says whether a dead letter is as described; None and the empty text stand for any."""
    return lambda letter: (
        code in ("", letter.header("code"))
        and topic in ("", letter.header("topic"))
        and customer in ("", letter.customer)
        and (since is None or letter.record.at >= since)
        and state in (None, states.get(letter.place, "open"))
    )


class DeadLetters:
    """Reads the topic of dead letters, newest first; `most` offsets are counted by the index."""

    def __init__(self, settings: Settings, topics: Topics, most: int = MOST) -> None:
        self._settings, self._topics = settings, topics
        self._reader = RecordReader(settings)
        count = next(topic.partitions for topic in topics.all if topic.name == DEAD_LETTERS)
        self._places = [TopicPartition(DEAD_LETTERS, number) for number in range(count)]
        self.index = LetterIndex(self._reader, self._places, most)

    async def close(self) -> None:
        """Let go of all connections."""
        await self._reader.close()

    async def page(
        self, visitor: Visitor, mask: Mask, wanted: Wanting, *,
        since: datetime | None = None, cursor: str | None = None, limit: int = PAGE,
    ) -> Letters:  # fmt: skip
        """Return dead letters as a visitor may see them, newest first, those that are wanted.

        What was written before `since` is not read, as far as Kafka can tell.
        """
        before: dict[int, int] = read_cursor(cursor, dict[int, Number]) if cursor else {}
        async with self._reader.lend() as consumer:
            begins, ends = await bounds(consumer, self._places)
            if since is not None:
                begins = await find_offsets(consumer, since, ends)
            tops = {place: min(ends[place], before.get(place.partition, ends[place])) for place in self._places}
            found: list[Letter] = []
            for _ in range(_WINDOWS):
                if len(found) >= limit or all(tops[place] <= begins[place] for place in self._places):
                    break
                starts = {place: max(begins[place], tops[place] - _WINDOW) for place in self._places}
                letters = map(Letter, await read(consumer, starts, tops))
                found += [one for one in letters if visitor.sees(one.tenant) and wanted(one)]
                tops = starts
        cut = self._cut(found, tops, begins, limit)
        return Letters([hide_personal(letter, mask) for letter in cut.found], cut.next)

    def _cut(self, found: list[Letter], tops: Offsets, begins: Offsets, limit: int) -> Letters:
        """Return the newest; the next page begins below those that were read and are not among them."""
        found.sort(key=lambda one: (one.record.at, one.record.partition, one.record.offset), reverse=True)
        rest = found[limit:]
        older = {place.partition: tops[place] for place in self._places}
        for letter in rest:
            record = letter.record
            older[record.partition] = max(older[record.partition], record.offset + 1)
        is_more = rest or any(tops[place] > begins[place] for place in self._places)
        return Letters(found[:limit], write_cursor(older) if is_more else None)

    async def find(self, visitor: Visitor, mask: Mask, partition: int, offset: int) -> Letter | None:
        """Return one dead letter as a visitor may see it; None if it is gone, or not theirs, or was never there."""
        place = TopicPartition(DEAD_LETTERS, partition)
        if place not in self._places:
            return None
        async with self._reader.lend() as consumer:
            begins, ends = await bounds(consumer, [place])
            if not begins[place] <= offset < ends[place]:
                return None
            found = await read(consumer, {place: offset}, {place: offset + 1})
        seen = [letter for letter in map(Letter, found) if visitor.sees(letter.tenant)]
        return hide_personal(seen[0], mask) if seen else None

    async def replay(self, letters: Iterable[Letter]) -> list[Letter]:
        """Send dead letters as they came to the topics that they came from; return those that were.

        Raises FairwayError, before any is sent, where one of the topics is missing or may not be written.
        """
        known = {*self._topics.events, INBOX}
        wanted = [letter for letter in letters if letter.header("topic") in known]
        if not wanted:
            return []
        made = AIOKafkaProducer(**client_arguments(self._settings), enable_idempotence=True)
        async with producing(made) as producer:
            for topic in sorted({letter.header("topic") for letter in wanted}):
                await check_writable(producer, topic)
            for letter in wanted:
                record, headers = letter.record, letter.original_headers
                async with deadline():
                    await producer.send_and_wait(letter.header("topic"), record.value, record.key, headers=headers)
        return wanted


def hide_personal(letter: Letter, mask: Mask) -> Letter:
    """Return a dead letter as somebody with this mask may see it.

    What a producer wrote into headers, or used as a key that names no customer, may be anything about a person.
    """
    if not mask.hides:
        return letter
    record = letter.record
    key = record.key if b":" in (record.key or b":") else MASK.encode()
    headers = tuple(_hide_header(name, value, mask) for name, value in record.headers)
    return Letter(msgspec.structs.replace(record, key=key, value=mask.record(record.value), headers=headers))


def _hide_header(name: str, value: bytes | None, mask: Mask) -> tuple[str, bytes | None]:
    if name == f"{_PREFIX}reason":
        return name, mask.sentence((value or b"").decode(errors="replace")).encode()
    return name, value if name in _SHOWN or name.startswith(_PREFIX) else MASK.encode()
