"""A real Apache Kafka broker (KRaft, one node) on loopback: its properties, and its start by Java or in Docker."""

import asyncio
import signal
from base64 import urlsafe_b64encode
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import msgspec

from streams.dev import container, java, processes
from streams.dev.processes import Process
from streams.errors import FairwayError

_FIRST_CLUSTER = "ZmFpcndheS1kZXYtMDAwMA"  # of data from before each folder had an id of its own
JVM = "-Xms64m -Xmx512m -XX:TieredStopAtLevel=1"  # the second compiler pays back after many minutes only


class Broker(msgspec.Struct, frozen=True):
    """What is remembered of a broker: ports, cluster id, and the process or the container that it is or was."""

    port: int
    controller_port: int
    process: Process | None = None
    container: str = ""
    cluster: str = _FIRST_CLUSTER

    @property
    def address(self) -> str:
        """Return host:port."""
        return f"127.0.0.1:{self.port}"


def start(folder: Path, *, docker: bool = False, java_program: str = "", jvm: str = JVM) -> Broker:
    """Start the broker whose data is in `folder`, or find it running; returns when it answers.

    `docker` runs it in a container, `java_program` by a Java of the user's own in place of the wheel's; Java is
    told `jvm`.
    """
    broker = find(folder)
    if broker is None or not is_running(broker):
        broker = _launch(folder, broker, docker=docker, java_program=java_program, jvm=jvm)
        (folder / "server.json").write_bytes(msgspec.json.encode(broker))
    processes.wait_until(lambda: answers(broker) or not is_running(broker), patience=120)
    if not answers(broker):
        if not is_running(broker) and _lost_a_port(broker):
            return start(folder, docker=docker, java_program=java_program, jvm=jvm)
        where = f"docker logs {broker.container}" if broker.container else str(java.log_file(folder))
        raise FairwayError(f"Kafka did not start; read why in '{where}'.")
    return broker


def stop(folder: Path) -> bool:
    """End the broker of `folder` and keep its data; say whether one ran."""
    broker = find(folder)
    if broker is None or not is_running(broker):
        return False
    if broker.process:
        processes.stop(broker.process, signal.SIGTERM)
    else:
        container.remove(broker.container)
    return True


def find(folder: Path) -> Broker | None:
    """Return what is remembered of the broker of `folder`, running or not."""
    file = folder / "server.json"
    return msgspec.json.decode(file.read_bytes(), type=Broker) if file.exists() else None


def is_running(broker: Broker) -> bool:
    """Say whether this very broker runs."""
    return processes.is_running(broker.process) if broker.process else container.is_running(broker.container)


def _lost_a_port(broker: Broker) -> bool:
    """Say whether another program was quicker to take one of the ports, which were free when they were chosen."""
    return not (processes.is_free(broker.port) and processes.is_free(broker.controller_port))


def _launch(folder: Path, before: Broker | None, *, docker: bool, java_program: str, jvm: str) -> Broker:
    folder.mkdir(parents=True, exist_ok=True)
    # Each keeps its data in a place of its own, so data that one began stays with it.
    if docker and before and not before.container:
        raise FairwayError(f"The data in '{folder}' was begun without Docker: leave --docker out, or remove it.")
    port = processes.free_port(before.port if before else 9092, 9092)
    controller_port = processes.free_port(before.controller_port if before else 0)
    cluster = before.cluster if before else make_cluster_id(folder)
    if docker or (before and before.container):
        name = f"fairway-kafka-{blake2b(str(folder).encode(), digest_size=4).hexdigest()}"
        container.run(name, port, cluster, jvm, properties(port, controller_port, "", container.DATA))
        return Broker(port, controller_port, container=name, cluster=cluster)
    wanted = properties(port, controller_port, "127.0.0.1", str(folder / "data"))
    process = java.run(folder, cluster, jvm, wanted, java_program)
    return Broker(port, controller_port, process, cluster=cluster)


def make_cluster_id(folder: Path) -> str:
    """Return the id of the folder's cluster, by which its broker is told from another that took its port."""
    digest = blake2b(str(folder.absolute()).encode(), digest_size=15).digest()
    return urlsafe_b64encode(b"F" + digest).decode().rstrip("=")  # with a first byte that gives no "-"


def properties(port: int, controller_port: int, listen: str, data: str) -> dict[str, str]:
    """Return the broker's properties; when to flush to disk is left to Kafka's defaults."""
    alone = ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"PLAINTEXT://{listen}:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": data,
        **{f"{topic}.replication.factor": "1" for topic in alone},
        **{f"{topic}.min.isr": "1" for topic in alone[1:]},
        "offsets.topic.num.partitions": "8",
        "transaction.state.log.num.partitions": "8",
        "group.initial.rebalance.delay.ms": "0",
        "auto.create.topics.enable": "false",
    }


def answers(broker: Broker) -> bool:
    """Say whether this broker answers, and knows of itself."""
    return processes.is_open(broker.port) and asyncio.run(_knows_itself(broker.address, broker.cluster))


async def _knows_itself(address: str, cluster_id: str) -> bool:
    from aiokafka.admin import AIOKafkaAdminClient
    from aiokafka.errors import KafkaError

    admin = AIOKafkaAdminClient(bootstrap_servers=address, request_timeout_ms=5000)
    with suppress(KafkaError):
        await admin.start()
        cluster = await admin.describe_cluster()
        await admin.close()
        return bool(cluster["brokers"]) and cluster["cluster_id"] == cluster_id
    return False
