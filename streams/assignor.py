"""Who has which partitions, and at which web address: what the group's members tell each other."""

from collections.abc import Mapping
from typing import Any

from faust.assignor.client_assignment import ClientMetadata
from faust.assignor.partition_assignor import PartitionAssignor

from streams.topics import INBOX


class Assignor(PartitionAssignor):  # type: ignore[misc]
    """Faust's assignor; a member that kept its place over a restart may have come back at another address."""

    _told = ""

    @property
    def _url(self) -> str:
        return self._told or str(super()._url)

    def on_assignment(self, assignment: Any) -> None:
        """Take the assignment in, with the address that the group knows of this member."""
        self._told = ClientMetadata.loads(self._decompress(assignment.user_data)).url
        try:
            super().on_assignment(assignment)
        finally:
            self._told = ""

    def members(self) -> Mapping[str, frozenset[int]]:
        """Return the partitions of the table by the web address of the worker that has them."""
        found = self.external_topics_metadata().items()
        return {address: frozenset(topics.get(INBOX, ())) for address, topics in found}
