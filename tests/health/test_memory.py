"""What is remembered: which workers are silent, gone, or merely left; and since when partitions rest."""

from datetime import UTC, datetime, timedelta

from streams.health.memory import Memory
from streams.health.observation import PartitionReport, Report, Waiting, Worker
from streams.kafka.members import Member

START = datetime(2026, 11, 23, 10, tzinfo=UTC)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def member(number: int, *partitions: int, process: str = "a") -> Member:
    return Member("10.0.0.1", 1, f"{process}{number}", f"w{number}", "1.0", f"http://w{number}", partitions)


def report(*partitions: int, stage: str = "running", **fields: bool) -> Report:
    return Report({number: PartitionReport(stage) for number in partitions}, "", **fields)


class Group:
    """A memory, fed once a second by the workers of a group, as a test lets them be."""

    def __init__(self, *members: Member) -> None:
        self.memory = Memory()
        self.members = {one.name: one for one in members}
        self.silent: set[str] = set()
        self.second = 0.0

    def go_on(self, seconds: int, **fields: bool) -> None:
        for _ in range(seconds):
            self.second += 1
            self.memory.note_members(self.members.values(), at(self.second))
            for one in self.members.values():
                told = None if one.name in self.silent else report(*one.partitions, **fields)
                self.memory.note_answer(one.name, told, at(self.second))

    def workers(self) -> dict[str, Worker]:
        return {one.name: one for one in self.memory.list_workers()}

    def stages(self) -> list[tuple[str, str]]:
        seen = self.memory.list_partitions(2, {}, at(self.second))
        return [(one.worker, one.stage) for one in seen]


def test_a_worker_that_is_killed_is_silent_and_when_kafka_lets_go_of_it_gone() -> None:
    group = Group(member(1, 0), member(2, 1))
    group.go_on(3)
    assert group.stages() == [("w1", "running"), ("w2", "running")]
    group.silent.add("w2")
    group.go_on(8)
    silent = group.workers()["w2"]
    assert (silent.heard, silent.is_asked_in_vain, silent.gone) == (at(3), True, None)
    assert group.stages() == [("w1", "running"), ("w2", "silent")]
    assert group.memory.list_partitions(2, {}, at(11))[1].closed_since == at(3)
    group.memory.note_present({"a1"}, at(11))
    assert group.stages() == [("w1", "running"), ("", "unowned")]
    group.members = {"w1": member(1, 0, 1)}
    group.go_on(1)
    gone = group.workers()["w2"]
    assert (gone.heard, gone.gone, gone.partitions) == (at(3), at(11), ())
    assert group.stages() == [("w1", "running"), ("w1", "running")]


def test_a_worker_that_left_while_it_answered_or_as_it_said_is_forgotten() -> None:
    group = Group(member(1, 0), member(2, 1))
    group.go_on(3)
    del group.members["w2"]
    group.go_on(1)
    assert set(group.workers()) == {"w1"}
    stopping = Group(member(1, 0), member(2, 1))
    stopping.go_on(1, is_stopping=True)
    stopping.silent.add("w2")
    stopping.go_on(10)
    del stopping.members["w2"]
    stopping.go_on(1)
    assert set(stopping.workers()) == {"w1"}


def test_a_worker_is_gone_until_it_or_another_comes_or_ten_minutes_have_passed() -> None:
    for comes, left in ((member(2, process="b"), {"w1", "w2"}), (member(3), {"w1", "w3"})):
        group = Group(member(1, 0), member(2, 1))
        group.go_on(1)
        group.silent.add("w2")
        group.go_on(8)
        del group.members["w2"]
        group.go_on(599)
        assert group.workers()["w2"].gone == at(10)
        group.silent.clear()
        group.members[comes.name] = comes
        group.go_on(1)
        assert set(group.workers()) == left
        assert all(one.gone is None for one in group.workers().values())
    group = Group(member(1, 0), member(2, 1))
    group.go_on(1)
    group.silent.add("w2")
    group.go_on(8)
    del group.members["w2"]
    group.go_on(601)
    assert set(group.workers()) == {"w1"}


def test_a_worker_that_was_started_again_in_its_place_is_not_silent_before_it_is_up() -> None:
    group = Group(member(1, 0), member(2, 1))
    group.go_on(3)
    group.silent.add("w2")
    group.members["w2"] = member(2, 1, process="b")
    group.go_on(8)
    again = group.workers()["w2"]
    assert (again.heard, again.joined) == (None, at(4))
    assert group.stages() == [("w1", "running"), ("w2", "unasked")]


def test_a_partition_is_with_the_worker_that_runs_it_whatever_the_group_says_by_now() -> None:
    group = Group(member(1, 0), member(2, 1))
    group.go_on(1)
    group.memory.note_members([member(1), member(2, 0, 1)], at(2))
    assert group.stages() == [("w1", "running"), ("w2", "running")]
    group.memory.note_answer("w1", report(), at(2))
    assert group.stages() == [("w2", "fencing"), ("w2", "running")]
    group.memory.note_answer("w2", report(0, stage="restoring"), at(3))
    assert group.stages() == [("w2", "restoring"), ("w2", "fencing")]
    group.memory.note_members([member(1, 1), member(2, 1)], at(4))
    assert group.stages() == [("w2", "restoring"), ("w1", "fencing")]
    group.memory.note_members([], at(4))
    assert group.stages() == [("", "unowned"), ("", "unowned")]


def test_a_silent_worker_has_what_it_told_of_last_unless_the_group_has_told_since() -> None:
    group = Group(member(1, 0, 1), member(2))
    group.go_on(3)
    for name, told in (("w1", report(0)), ("w2", report(1))):
        group.memory.note_answer(name, told, at(5))
        group.memory.note_answer(name, None, at(7))
    group.memory.note_present({"a1", "a2"}, at(8))
    assert [one.partitions for one in group.memory.list_workers()] == [(0,), (1,)]
    assert group.stages() == [("w1", "silent"), ("w2", "silent")]
    group.memory.note_members([member(1), member(2, 0, 1)], at(9))
    assert group.workers()["w2"].partitions == (0, 1)
    group.memory.note_members([member(1, 0, 1)], at(11))
    assert group.workers()["w2"].had == (0, 1)


def test_since_when_a_partition_does_no_work_is_remembered_over_its_stages() -> None:
    memory = Memory()
    first, second = memory.list_partitions(2, {1: Waiting(7, at(0), 1.5)}, at(1))
    assert (first.closed_since, first.lag) == (at(1), None)
    assert (second.lag, second.oldest, second.rate) == (7, at(0), 1.5)
    memory.note_members([member(1, 0)], at(2))
    memory.note_answer("w1", Report({0: PartitionReport("restoring", 5, 20, 20.0, 3.0)}), at(2))
    restoring, _ = memory.list_partitions(2, {}, at(3))
    assert (restoring.closed_since, restoring.rows_left, restoring.seconds_left) == (at(1), 20, 3.0)
    memory.note_answer("w1", report(0), at(4))
    assert memory.list_partitions(2, {}, at(5))[0].closed_since is None


def test_an_answer_of_whom_nobody_knows_is_passed_over() -> None:
    memory = Memory()
    memory.note_answer("w9", report(0), at(1))
    assert (memory.list_workers(), memory.in_vain) == ((), frozenset())
