"""Who has which partitions, and at which web address: what the group's members tell each other.

The group reads the topics that its leader knows. It shares out the partitions of the state; with partition 3 of 8
come the partitions 3, 11, 19 … of every topic, however many it has.
"""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import msgspec
import structlog
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata
from faust.assignor.client_assignment import ClientMetadata
from faust.assignor.partition_assignor import PartitionAssignor

from streams.errors import FairwayError
from streams.kafka.members import introduce, read_introduction
from streams.kafka.topics import INBOX
from streams.worker.sharing import Member, Share, share_out

log = structlog.get_logger()


class _Alike:
    """A cluster as Faust is shown it, in which every topic has as many partitions as the state."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = counts

    def partitions_for_topic(self, topic: str) -> frozenset[int]:
        """Return the numbers of a topic's partitions; none of one that the broker does not show."""
        return frozenset(range(self._counts.get(topic, 0)))


class _Told(msgspec.Struct, rename="camel"):
    """What the leader says beside what Faust's does; leaders of earlier releases say nothing."""

    partitions: int | None = None
    is_shared: bool = False
    copies: frozenset[int] = frozenset()
    warming: frozenset[int] = frozenset()


class Assignor(PartitionAssignor):  # type: ignore[misc]
    """Faust's assignor, for members that may know different topics, or come back at another address."""

    _told = ""
    _known: frozenset[str] = frozenset()
    _counts: Mapping[str, int] = {}
    _partitions: int | None = None  # by which the leader shared out
    _all_share = False  # as the leader sees it
    _shares: Mapping[str, Share] = {}  # by the leader
    share = Share()
    """Which copies this member is to keep."""
    is_shared = False
    """Whether the group's generation fences all of its workers, so that a worker's partitions commit together."""

    @property
    def _url(self) -> str:
        return self._told or str(super()._url)

    def metadata(self, topics: Any) -> Any:
        """Tell the group what this member reads, where it is, its name, and which form of definitions it knows."""
        self._known = frozenset(topics)
        told = super().metadata(topics)
        copies = self.app.standbys.introduce() | {"generation": self.app.generation}
        introduction = introduce(told.user_data, self.app.worker_name, version("fairway-journeys"), copies)
        return ConsumerProtocolMemberMetadata(told.version, told.subscription, introduction)

    def assign(self, cluster: Any, member_metadata: Any) -> Any:
        """Give out the topics that this member, the leader, knows; who lacks one of them gets nothing."""
        self._counts = {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in self._known}
        told = [read_introduction(given.user_data) for given in member_metadata.values()]
        self._all_share = all(one.is_shared for one in told)
        self._shares = self._share_out(member_metadata)
        alike = _Alike({topic: self.app.partitions for topic, count in self._counts.items() if count})
        return super().assign(alike, {name: self._restrict(given) for name, given in member_metadata.items()})

    def _share_out(self, member_metadata: Any) -> Mapping[str, Share]:
        """Return what each member gets that knows all topics, and which copies it keeps."""
        members = {
            name: self._read_member(given)
            for name, given in member_metadata.items()
            if self._known <= set(given.subscription)
        }
        return share_out(members, self.app.partitions, self.app.standbys.wanted)

    def _read_member(self, given: Any) -> Member:
        own = self._get_client_metadata(given).assignment.actives.get(INBOX, ())
        told = read_introduction(given.user_data)
        return Member(frozenset(own), told.fresh, told.copying, told.opening, told.generation, told.disk)

    def _get_client_metadata(self, metadata: Any) -> Any:
        """Return what a member tells, with what it has of each topic put down to partitions of the state."""
        told = super()._get_client_metadata(metadata)
        own = [number for number in told.assignment.actives.get(INBOX, ()) if number < self.app.partitions]
        told.assignment.actives = dict.fromkeys(told.assignment.actives, own)
        return told

    def _restrict(self, given: Any) -> Any:
        topics = sorted(self._known) if self._known <= set(given.subscription) else []
        return ConsumerProtocolMemberMetadata(given.version, topics, given.user_data)

    def _protocol_assignments(self, assignments: Any, changelogs: Any, topics: Any, topic_groups: Any) -> Any:
        """Add what comes with each partition of the state, and tell everyone how many partitions the topics have.

        That stands in place of Faust's number for topics that have as many.
        """
        for name, given in self._shares.items():
            assignments[name].actives = dict.fromkeys(assignments[name].actives, sorted(given.own))
        topics = self._get_external_topic_distribution(assignments)
        for assignment in assignments.values():
            for topic, own in assignment.actives.items():
                assignment.actives[topic] = self._expand(topic, frozenset(own))
        told = super()._protocol_assignments(assignments, changelogs, topics, self._counts)
        return {name: self._tell(one, self._shares.get(name)) for name, one in told.items()}

    def _tell(self, told: Any, given: Share | None) -> Any:
        """Tell a member, too, how the leader shares out the state, and whether all share their transactions."""
        plain = msgspec.json.decode(self._decompress(told.user_data))
        plain |= {"partitions": self.app.partitions, "isShared": self._all_share}
        if given is not None:
            plain |= {"copies": sorted(given.copies), "warming": sorted(given.warming)}
        user_data = self._compress(msgspec.json.encode(plain))
        return ConsumerProtocolMemberAssignment(told.version, told.assignment, user_data)

    def _expand(self, topic: str, own: frozenset[int]) -> list[int]:
        return [number for number in range(self._counts[topic]) if number % self.app.partitions in own]

    def on_assignment(self, assignment: Any) -> None:
        """Take the assignment in, with the address that the group knows of this member."""
        user_data = self._decompress(assignment.user_data)
        self._told = ClientMetadata.loads(user_data).url
        told = msgspec.json.decode(user_data, type=_Told)
        self._partitions, self.is_shared = told.partitions, told.is_shared
        self.share = Share(copies=told.copies, warming=told.warming)
        try:
            super().on_assignment(assignment)
        finally:
            self._told = ""

    def check(self, partitions: int) -> bool:
        """Say whether the group reads all that this member knows, after a warning if not.

        Raises FairwayError if it reads what this member can't, or shares out another number of partitions.
        """
        group = self.app.conf.id
        read: Mapping[str, int] = self._topic_groups
        for topic, count in sorted(read.items()):
            if topic not in self._known:
                raise FairwayError(
                    f"The group '{group}' reads '{topic}', which this worker's topics.yaml lacks: "
                    "give all workers the same file, and start this one again."
                )
            # A leader of an earlier release gives each topic's partitions out by themselves; it is to be replaced.
            number = (count or partitions) if self._partitions is None else self._partitions
            if number != partitions:
                raise FairwayError(
                    f"The group '{group}' reads '{topic}' with {number} partitions, this worker with {partitions}: "
                    "stop all workers, run 'fairway topics plan', and start them with the same topics.yaml."
                )
        for topic in sorted(self._known - read.keys()):
            sentence = (
                f"Events in '{topic}' wait, for the worker that leads the group '{group}' does not know the topic: "
                "give all workers the same topics.yaml, and start them again."
            )
            log.warning(sentence)
        return self._known <= frozenset(read)

    def members(self) -> Mapping[str, frozenset[int]]:
        """Return the partitions of the table by the web address of the worker that has them."""
        found = self.external_topics_metadata().items()
        return {address: frozenset(topics.get(INBOX, ())) for address, topics in found}
