"""R5 under faults: a limit of 100 over 8 partitions and 3 workers, 5,000 candidates at once, twice."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from models.customer import decode
from models.ids import customer_key
from models.journey import Journey
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import ACTIVITY
from tests import client
from tests.faults import witness
from tests.faults.cluster import Cluster
from tests.faults.kinds import KINDS, Scene
from tests.faults.load import now
from tests.faults.workers import Workers

LIMIT = 100
TENANT = "pinehurst"
FAULTS = (
    "kill -9 of a worker",
    "worker stopped past its session",
    "kill -9 of the broker",
    "kill -9 of all workers",
)

_JOURNEY = """
name: Few places
tenantId: pinehurst
triggerType: teetime.booked
allowReentry: true
maxEnrollments: 100
steps:
  - {id: start, type: TRIGGER, config: {eventType: teetime.booked, conditions: []}}
  - id: stays
    type: CONDITION
    config: {rules: [{field: trigger.stays, operator: isTrue}]}
    nextStepYesId: long
    nextStepNoId: short
  - {id: short, type: WAIT, config: {duration: 1 second}, nextStepId: end}
  - {id: long, type: WAIT, config: {duration: 30 days}}
  - {id: end, type: END, config: {}}
"""


class Places(NamedTuple):
    """What an independent reader counts: entries answered, the most ACTIVE at any moment, and those at the end."""

    answered: int
    admitted: int
    most: int
    at_last: int
    in_rows: int
    taken: int


class _Activity(msgspec.Struct):
    entries: list[dict[str, Any]]


_read = msgspec.json.Decoder(_Activity).decode
_SIGN = {"enrollment.started": 1, "enrollment.completed": -1, "enrollment.exited": -1, "enrollment.failed": -1}


def run(
    seed: int,
    folder: Path,
    faults: Sequence[str] = FAULTS,
    candidates: int = 5000,
    tell: Callable[[str], None] = print,
) -> Places:
    """Let half of the candidates leave again soon, then let as many come who stay; faults meet both."""
    cluster = Cluster(folder / "kafka", 8)
    workers = Workers(cluster, folder / "workers")
    journey = Journey.model_validate(yaml.safe_load(_JOURNEY))
    try:
        cluster.publish([journey])
        for worker in range(3):
            workers.start(worker)
        scene = Scene(cluster, workers, random.Random(seed))
        for wave in range(2):
            _produce(cluster, wave, candidates, scene.chance)
            for kind in faults[wave::2]:
                KINDS[kind](scene)
                tell(f"  {kind}")
            client.wait_until(lambda wave=wave: _count(cluster)[0] == (wave + 1) * candidates, 120)
        for worker in workers.numbers:
            workers.stop(worker)
        return _look(cluster, journey)
    finally:
        workers.close()
        cluster.close()


def _produce(cluster: Cluster, wave: int, candidates: int, chance: random.Random) -> None:
    records = []
    for number in range(candidates):
        customer = f"c-{number}"
        value = {
            "eventId": f"e-{wave}-{number}", "tenantId": TENANT, "customerId": customer, "occurredAt": now(),
            "data": {"stays": wave == 1 or chance.random() < 0.01},
        }  # fmt: skip
        key = customer_key(TENANT, customer)
        partition = partition_of(key, cluster.partitions)
        records.append(client.Record("teetime.booked", key, msgspec.json.encode(value), (), partition))
    client.produce(cluster.address, records)


def _count(cluster: Cluster) -> tuple[int, int, int, int]:
    """Count over the activity in the order in which the broker received it.

    That order is sound: a place is given away only after the end that freed it was committed, and so received.
    """
    records = sorted(client.read_committed(cluster.address, ACTIVITY), key=lambda record: record.timestamp)
    entries = [entry for record in records for entry in _read(record.value or b"").entries]
    active = most = admitted = refused = 0
    for entry in entries:
        refused += entry["type"] == "enrollment.refused"
        admitted += entry["type"] == "enrollment.started"
        active += _SIGN.get(entry["type"], 0)
        most = max(most, active)
    return admitted + refused, admitted, most, active


def _look(cluster: Cluster, journey: Journey) -> Places:
    rows = witness.rows(cluster.address, cluster.changelog)
    customers = [decode(row) for key, row in rows.items() if not key.startswith(b":")]
    taken = msgspec.json.decode(rows[f":places:{journey.id}".encode()])["taken"]
    return Places(*_count(cluster), sum(len(customer.enrollments) for customer in customers), taken)
