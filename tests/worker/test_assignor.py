"""What the group's leader tells a worker: its partitions, and where the others are."""

import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import faust
import msgspec
import pytest
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata
from faust.assignor.client_assignment import ClientAssignment, ClientMetadata
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from streams.errors import FairwayError
from streams.kafka.topics import INBOX
from streams.worker.assignor import Assignor

ELSEWHERE = "http://10.0.0.2:6066"


@pytest.mark.parametrize("address", ["http://10.0.0.1:6066", "http://10.0.0.1:7777"], ids=["as told", "moved"])
def test_a_worker_that_kept_its_place_may_have_come_back_at_another_address(tmp_path: Path, address: str) -> None:
    assignor = faust.App("test", canonical_url=address, datadir=str(tmp_path), PartitionAssignor=Assignor).assignor
    assert assignor.members() == {}
    told = ClientMetadata(
        assignment=ClientAssignment(actives={INBOX: [0, 1]}, standbys={}),
        url="http://10.0.0.1:6066",
        changelog_distribution={},
        external_topic_distribution={"http://10.0.0.1:6066": {INBOX: [0, 1]}, ELSEWHERE: {INBOX: [2, 3]}},
    )
    assignor.on_assignment(ConsumerProtocolMemberAssignment(4, [(INBOX, [0, 1])], zlib.compress(told.dumps())))
    assert assignor.members() == {"http://10.0.0.1:6066": {0, 1}, ELSEWHERE: {2, 3}}


class Cluster:
    """The topics of a broker, four partitions each but for those in `counts`."""

    def __init__(self, **counts: int) -> None:
        self.counts = counts

    def partitions_for_topic(self, topic: str) -> set[int]:
        return set(range(self.counts.get(topic.replace(".", "_"), 4)))


class Stores:
    """What a member without copies says of its disk; it is given what it is to have at once."""

    wanted = 0

    def __init__(self, *stored: int) -> None:
        self.stored = stored

    def introduce(self) -> dict[str, Any]:
        return {"copying": self.stored}


def make(number: int, *stored: int) -> Any:
    app = faust.App("golf", canonical_url=f"http://10.0.0.{number}:6066", PartitionAssignor=Assignor)
    app.partitions, app.standbys, app.generation, app.worker_name = 4, Stores(*stored), 1, f"worker {number}"
    return app.assignor


def rebalance(leader: int, members: dict[Any, set[str]], cluster: Cluster) -> dict[Any, Counter[int]]:
    """Let the group agree once; return for each member how many topics it has of each partition number."""
    metadata = {str(number): member.metadata(topics) for number, (member, topics) in enumerate(members.items())}
    assigned = [*members][leader].assign(cluster, metadata)
    for number, member in enumerate(members):
        member.on_assignment(assigned[str(number)])
    return {member: Counter(tp.partition for tp in member.assigned_actives()) for member in members}


topics = st.sets(st.sampled_from(["booked", "cancelled", "failed"])).map(lambda some: some | {INBOX})
groups = st.lists(topics, min_size=1, max_size=4)


@given(st.lists(st.tuples(groups, st.integers(0, 3)), min_size=1, max_size=4))
def test_a_partition_number_of_all_topics_is_one_worker_s_whatever_topics_each_knows(generations: Any) -> None:
    workers = [make(number) for number in range(4)]
    for known, place in generations:
        leader = place % len(known)
        owned = rebalance(leader, dict(zip(workers, known, strict=False)), Cluster())
        assert sum(owned.values(), Counter()) == dict.fromkeys(range(4), len(known[leader]))
        for worker, own in zip(workers, known, strict=False):
            assert set(owned[worker].values()) <= {len(known[leader])}
            if own >= known[leader]:
                worker.check(4)
            else:
                assert not owned[worker]
                with pytest.raises(FairwayError):
                    worker.check(4)


def test_who_knows_less_than_the_leader_is_told_what_to_do() -> None:
    leader, worker = make(1), make(2)
    rebalance(0, {leader: {INBOX, "booked"}, worker: {INBOX}}, Cluster())
    with pytest.raises(FairwayError) as refused:
        worker.check(4)
    assert str(refused.value) == (
        "The group 'golf' reads 'booked', which this worker's topics.yaml lacks: "
        "give all workers the same file, and start this one again."
    )


def test_who_knows_more_than_the_leader_is_told_what_waits() -> None:
    leader, worker = make(1), make(2)
    rebalance(0, {leader: {INBOX}, worker: {INBOX, "booked"}}, Cluster())
    with capture_logs() as logs:
        worker.check(4)
    assert [entry["event"] for entry in logs] == [
        "Events in 'booked' wait, for the worker that leads the group 'golf' does not know the topic: "
        "give all workers the same topics.yaml, and start them again."
    ]


counts = st.dictionaries(st.sampled_from(["booked", "cancelled", "fairway_inbox"]), st.integers(1, 13))


@given(st.lists(st.tuples(st.integers(1, 4), counts), min_size=1, max_size=4))
def test_with_a_partition_of_the_state_go_all_of_a_topic_that_are_its_number_modulo_the_state_s(
    generations: list[tuple[int, dict[str, int]]],
) -> None:
    workers = [make(number) for number in range(4)]
    known = {INBOX, "booked", "cancelled"}
    for size, given_counts in generations:
        cluster = Cluster(**given_counts | {"fairway_inbox": max(4, given_counts.get("fairway_inbox", 4))})
        members = workers[:size]
        rebalance(0, dict.fromkeys(members, known), cluster)
        assigned = [worker.assigned_actives() for worker in members]
        wanted = {(topic, number) for topic in known for number in cluster.partitions_for_topic(topic)}
        assert Counter(place for own in assigned for place in own) == dict.fromkeys(wanted, 1)
        states = [{number % 4 for _, number in own} for own in assigned]
        assert sorted(number for own in states for number in own) == [0, 1, 2, 3]
        assert max(map(len, states)) - min(map(len, states)) <= 1 + (size == 3)
        for worker, own in zip(members, states, strict=True):
            worker.check(4)
            assert worker.members()[f"http://10.0.0.{workers.index(worker)}:6066"] == own


def test_a_partition_stays_with_its_worker_whatever_is_grown() -> None:
    workers = [make(number) for number in range(2)]
    seen = []
    for cluster in (Cluster(), Cluster(booked=7), Cluster(booked=9, fairway_inbox=8)):
        rebalance(0, {worker: {INBOX, "booked"} for worker in workers}, cluster)
        seen.append([{number % 4 for _, number in worker.assigned_actives()} for worker in workers])
    assert seen[0] == seen[1] == seen[2]


def test_what_has_to_move_goes_to_whoever_has_it_on_disk() -> None:
    first, second, third = make(1, 0, 1, 2, 3), make(2, 1, 3), make(3, 0, 2)
    known = {INBOX}
    assert set(rebalance(0, {first: known}, Cluster())[first]) == {0, 1, 2, 3}
    owned = rebalance(0, {first: known, second: known}, Cluster())
    assert [set(owned[worker]) for worker in (first, second)] == [{0, 2}, {1, 3}]
    owned = rebalance(0, {second: known, third: known}, Cluster())
    assert [set(owned[worker]) for worker in (second, third)] == [{1, 3}, {0, 2}]


@pytest.mark.parametrize("is_old", [False, True], ids=["", "a leader of an earlier release"])
def test_another_number_of_partitions_is_refused(is_old: bool) -> None:
    worker = make(1)
    rebalance(0, {worker: {INBOX}}, Cluster())
    if is_old:
        worker._partitions = None
    worker.check(4)
    with pytest.raises(FairwayError) as refused:
        worker.check(8)
    assert str(refused.value) == (
        f"The group 'golf' reads '{INBOX}' with 4 partitions, this worker with 8: "
        "stop all workers, run 'fairway topics plan', and start them with the same topics.yaml."
    )


def test_a_topic_that_the_broker_does_not_show_for_now_is_no_disagreement() -> None:
    class Bare(Cluster):
        def partitions_for_topic(self, topic: str) -> set[int]:
            return super().partitions_for_topic(topic) if topic == INBOX else set()

    worker = make(1)
    rebalance(0, {worker: {INBOX, "booked"}}, Bare())
    with capture_logs() as logs:
        worker.check(4)
    assert logs == []


class OldMember:
    """A worker from before, which tells the group nothing of how it is fenced."""

    def __init__(self, worker: Any) -> None:
        self.worker = worker

    def metadata(self, topics: set[str]) -> Any:
        told = self.worker.metadata(topics)
        user_data = msgspec.json.decode(told.user_data)
        del user_data["isShared"]
        return ConsumerProtocolMemberMetadata(told.version, told.subscription, msgspec.json.encode(user_data))


def test_all_hear_from_the_leader_whether_all_of_them_are_fenced_by_the_generation() -> None:
    leader, second = make(1), make(2)
    rebalance(0, {leader: {INBOX}, second: {INBOX}}, Cluster())
    assert (leader.is_shared, second.is_shared) == (True, True)
    old = OldMember(make(3))
    metadata = {"1": leader.metadata({INBOX}), "2": second.metadata({INBOX}), "3": old.metadata({INBOX})}
    told = leader.assign(Cluster(), metadata)
    second.on_assignment(told["2"])
    leader.on_assignment(told["1"])
    assert (leader.is_shared, second.is_shared) == (False, False)


def test_a_leader_from_before_says_nothing_and_that_is_no() -> None:
    worker = make(1)
    rebalance(0, {worker: {INBOX}}, Cluster())
    told = worker.assign(Cluster(), {"1": worker.metadata({INBOX})})["1"]
    plain = msgspec.json.decode(zlib.decompress(told.user_data))
    assert plain.pop("isShared") is True
    assert ClientMetadata.loads(zlib.decompress(told.user_data)).url == "http://10.0.0.1:6066"  # as older ones read
    silent = zlib.compress(msgspec.json.encode(plain))
    worker.on_assignment(ConsumerProtocolMemberAssignment(told.version, told.assignment, silent))
    assert not worker.is_shared


class Copies:
    """The copies that a member says it keeps."""

    wanted = 1

    def __init__(self, *fresh: int) -> None:
        self.fresh = fresh

    def introduce(self) -> dict[str, Any]:
        return {"fresh": self.fresh, "copying": self.fresh, "opening": []}


def keeping(number: int, *fresh: int) -> Any:
    worker = make(number)
    worker.app.standbys = Copies(*fresh)
    return worker


def test_the_leader_says_who_keeps_which_copies_and_gives_partitions_to_those_that_have_caught_up() -> None:
    first, second = keeping(1), keeping(2)
    known = {INBOX, "booked"}
    cluster = Cluster(booked=9)
    owned = rebalance(0, {first: known}, cluster)
    assert set(owned[first]) == set(range(9))
    owned = rebalance(0, {first: known, second: known}, cluster)
    assert not owned[second]
    assert (second.share.copies, second.share.warming, first.share.copies) == ({0, 1, 2, 3}, {0, 1}, set())
    assert first.members() == {"http://10.0.0.1:6066": {0, 1, 2, 3}, "http://10.0.0.2:6066": set()}
    second.app.standbys.fresh = (0, 1)
    owned = rebalance(0, {first: known, second: known}, cluster)
    assert set(owned[second]) == {0, 1, 4, 5, 8}
    assert (second.share.copies, first.share.copies, second.share.warming) == ({2, 3}, {0, 1}, set())
    assert second.members()["http://10.0.0.2:6066"] == {0, 1}
    second.app.standbys.fresh = (2, 3)
    owned = rebalance(0, {second: known}, cluster)
    assert set(owned[second]) == set(range(9))


def test_who_keeps_no_copies_is_given_none_and_who_knows_too_little_nothing() -> None:
    leader, plain, less = keeping(1), make(2), keeping(3)
    owned = rebalance(0, {leader: {INBOX, "booked"}, plain: {INBOX, "booked"}, less: {INBOX}}, Cluster())
    assert (len(owned[leader]), len(owned[plain]), len(owned[less])) == (2, 2, 0)
    assert (len(leader.share.copies), plain.share.copies, less.share.copies) == (2, set(), set())


def test_a_leader_without_standbys_tells_nobody_to_keep_copies_but_for_what_it_is_to_get() -> None:
    leader, second = make(1), keeping(2)
    rebalance(0, {leader: {INBOX}}, Cluster())
    owned = rebalance(0, {leader: {INBOX}, second: {INBOX}}, Cluster())
    assert (len(owned[leader]), len(owned[second])) == (4, 0)
    assert (second.share.copies, second.share.warming) == ({0, 1}, {0, 1})
    second.app.standbys.fresh = (0, 1)
    owned = rebalance(0, {leader: {INBOX}, second: {INBOX}}, Cluster())
    assert (len(owned[leader]), len(owned[second])) == (2, 2)
    assert not second.share.copies
