"""What is remembered from look to look: who answered when, who is gone, and since when partitions do no work."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from streams.health.observation import (
    RUNNING,
    SILENT,
    UNASKED,
    UNOWNED,
    Partition,
    PartitionReport,
    Report,
    Waiting,
    Worker,
)
from streams.kafka.members import Member

_SESSION = timedelta(seconds=5)  # of silence: Kafka takes at least 5.7 s to let go of a worker that was killed
_REMEMBERED = timedelta(minutes=10)
_TAKEN = "fencing"  # assigned, and not yet told of by its new owner
_WORKING = (RUNNING, UNASKED)  # as far as is known


class _Heard(msgspec.Struct, frozen=True):
    at: datetime
    report: Report


class Memory:
    """Takes in what the group and its workers say; returns how workers and partitions are."""

    def __init__(self) -> None:
        self._members: dict[str, Member] = {}
        self._told: datetime | None = None  # when the group said what its members have
        self._joined: dict[str, datetime] = {}
        self._heard: dict[str, _Heard] = {}
        self._in_vain: set[str] = set()
        self._gone: dict[str, Worker] = {}
        self._closed: dict[int, datetime] = {}

    @property
    def members(self) -> Mapping[str, Member]:
        """Return the group's members by name, as of the last look."""
        return self._members

    @property
    def in_vain(self) -> frozenset[str]:
        """Return the names of members that did not answer when they were asked last."""
        return frozenset(self._in_vain)

    def note_members(self, members: Iterable[Member], at: datetime) -> None:
        """Take in who is in the group and what each has; as `note_present`."""
        self._take_in(members, at)
        self._told = at

    def note_present(self, ids: Collection[str], at: datetime) -> None:
        """Take in who is left of the group: who left unheard is gone, until it or another comes in its place."""
        self._take_in((member for member in self._members.values() if member.id in ids), at)

    def _take_in(self, members: Iterable[Member], at: datetime) -> None:
        found = {member.name: member for member in members}
        for name, known in self._members.items():
            if name not in found:
                self._note_leaving(name, at)
            elif found[name].id != known.id:
                self._forget(name)
        for name in found:
            if name not in self._joined:
                self._note_joining(name, at)
        self._members = found
        self._gone = {name: one for name, one in self._gone.items() if at - (one.gone or at) < _REMEMBERED}

    def _note_leaving(self, name: str, at: datetime) -> None:
        heard = self._heard.get(name)
        is_cut_off = name in self._in_vain and heard is not None and not heard.report.is_stopping
        if heard is not None and is_cut_off and at - heard.at >= _SESSION:
            left = self._describe(self._members[name])
            self._gone[name] = msgspec.structs.replace(left, partitions=(), gone=at, had=left.partitions)
        self._forget(name)

    def _forget(self, name: str) -> None:
        """Forget a process: what has its name now is another."""
        self._joined.pop(name, None)
        self._heard.pop(name, None)
        self._in_vain.discard(name)

    def _note_joining(self, name: str, at: datetime) -> None:
        """A worker that comes takes its own place, or that of the one that is gone for longest."""
        self._joined[name] = at
        if self._gone:
            self._gone.pop(name if name in self._gone else next(iter(self._gone)))

    def note_answer(self, name: str, report: Report | None, at: datetime) -> None:
        """Take in what a member answered; None where it did not."""
        if name not in self._members:
            return
        if report is None:
            self._in_vain.add(name)
        else:
            self._in_vain.discard(name)
            self._heard[name] = _Heard(at, report)

    def list_workers(self) -> tuple[Worker, ...]:
        """Return the group's workers, those with the lowest partitions first, then those that are gone."""
        order = sorted(
            self._members.values(), key=lambda member: (self._list_held(member) or (1 << 30,), member.name)
        )
        return (*(self._describe(member) for member in order), *self._gone.values())

    def _describe(self, member: Member) -> Worker:
        heard = self._heard.get(member.name)
        return Worker(
            member.name, member.host, member.version, self._list_held(member),
            self._joined.get(member.name), heard.at if heard else None, member.name in self._in_vain,
            pid=heard.report.pid if heard else 0,
        )  # fmt: skip

    def _list_held(self, member: Member) -> tuple[int, ...]:
        """Return which partitions a member has: if it is silent, those that it told of after the group did."""
        heard = self._heard.get(member.name)
        if heard is None or member.name not in self._in_vain or self._told is None or heard.at <= self._told:
            return member.partitions
        return tuple(sorted(heard.report.partitions))

    def list_partitions(self, count: int, waiting: Mapping[int, Waiting], at: datetime) -> tuple[Partition, ...]:
        """Return how every partition stands, and remember since when those that do no work do none."""
        return tuple(self._look_at(number, waiting.get(number, Waiting()), at) for number in range(count))

    def _look_at(self, number: int, waiting: Waiting, at: datetime) -> Partition:
        worker, stage, report = self._place(number)
        if stage in _WORKING:
            self._closed.pop(number, None)
        else:
            heard = self._heard.get(worker)
            self._closed.setdefault(number, heard.at if stage == SILENT and heard else at)
        return Partition(
            number, worker, stage, self._closed.get(number), report.rows_left if report else None,
            report.seconds_left if report else None, waiting.lag, waiting.oldest, waiting.rate,
        )  # fmt: skip

    def _place(self, number: int) -> tuple[str, str, PartitionReport | None]:
        """Return with whom a partition is, its stage, and what was told of it."""
        told = {name: heard.report.partitions[number] for name, heard in self._heard.items()
                if number in heard.report.partitions and name not in self._in_vain}  # fmt: skip
        for name, report in told.items():
            if report.stage == RUNNING:
                return name, RUNNING, report
        owner = next((name for name, member in self._members.items() if number in self._list_held(member)), "")
        if owner in told:
            return owner, told[owner].stage, told[owner]
        if told:
            return next((name, report.stage, report) for name, report in told.items())
        if not owner:
            return "", UNOWNED, None
        if owner not in self._heard:
            return owner, UNASKED, None
        return owner, SILENT if owner in self._in_vain else _TAKEN, None
