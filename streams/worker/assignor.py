"""Who has which partitions, and at which web address: what the group's members tell each other.

The group reads the topics that its leader knows, so that partition 3 of all of them is one worker's.
"""

from collections.abc import Mapping
from typing import Any

import structlog
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from faust.assignor.client_assignment import ClientMetadata
from faust.assignor.partition_assignor import PartitionAssignor

from streams.errors import FairwayError
from streams.kafka.members import add_form
from streams.kafka.topics import INBOX

log = structlog.get_logger()


class Assignor(PartitionAssignor):  # type: ignore[misc]
    """Faust's assignor, for members that may know different topics, or come back at another address."""

    _told = ""
    _known: frozenset[str] = frozenset()
    _counts: Mapping[str, int] = {}

    @property
    def _url(self) -> str:
        return self._told or str(super()._url)

    def metadata(self, topics: Any) -> Any:
        """Tell the group what this member reads, where it is, and which form of definitions it knows."""
        self._known = frozenset(topics)
        told = super().metadata(topics)
        return ConsumerProtocolMemberMetadata(told.version, told.subscription, add_form(told.user_data))

    def assign(self, cluster: Any, member_metadata: Any) -> Any:
        """Give out the topics that this member, the leader, knows; who lacks one of them gets nothing."""
        self._counts = {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in self._known}
        return super().assign(cluster, {name: self._restrict(given) for name, given in member_metadata.items()})

    def _restrict(self, given: Any) -> Any:
        topics = sorted(self._known) if self._known <= set(given.subscription) else []
        return ConsumerProtocolMemberMetadata(given.version, topics, given.user_data)

    def _protocol_assignments(self, assignments: Any, changelogs: Any, topics: Any, topic_groups: Any) -> Any:
        """Tell everyone how many partitions the topics have, in place of a number for those that have as many."""
        return super()._protocol_assignments(assignments, changelogs, topics, self._counts)

    def on_assignment(self, assignment: Any) -> None:
        """Take the assignment in, with the address that the group knows of this member."""
        self._told = ClientMetadata.loads(self._decompress(assignment.user_data)).url
        try:
            super().on_assignment(assignment)
        finally:
            self._told = ""

    def check(self, partitions: int) -> bool:
        """Say whether the group reads all that this member knows, after a warning if not.

        Raises FairwayError if it reads what this member can't, or with another number of partitions.
        """
        group = self.app.conf.id
        read: Mapping[str, int] = self._topic_groups
        for topic, count in sorted(read.items()):
            if topic not in self._known:
                raise FairwayError(
                    f"The group '{group}' reads '{topic}', which this worker's topics.yaml lacks: "
                    "give all workers the same file, and start this one again."
                )
            if count not in (0, partitions):  # 0: the broker does not show it for now
                raise FairwayError(
                    f"The group '{group}' reads '{topic}' with {count} partitions, this worker with {partitions}: "
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
