"""What the group's leader tells a worker: its partitions, and where the others are."""

import zlib
from pathlib import Path

import faust
import pytest
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from faust.assignor.client_assignment import ClientAssignment, ClientMetadata

from streams.assignor import Assignor
from streams.topics import INBOX

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
