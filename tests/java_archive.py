"""Kafka's classes as Java has loaded and linked them once, in a file: with it a broker starts in half the time."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from confluent_kafka import Consumer, Producer, TopicPartition

from streams.dev import java
from tests import client
from tests.brokers import Brokers

VARIABLE = "JDK_JAVA_OPTIONS"
# One thread that clears memory costs less than several that divide the work.
_PLAIN = "-XX:+UseSerialGC"


def options(archive: Path) -> str:
    """Return what Java is told by the variable, so that it uses the archive; nothing where there is none.

    A Java that the archive doesn't fit does without it, and keeps silent of that.
    """
    return f"{_PLAIN} -Xlog:disable -XX:SharedArchiveFile={archive}" if archive.exists() else ""


def make(archive: Path) -> None:
    """Write the archive: let a broker work for a moment, note what it loads, and load that once more."""
    part = archive.with_name(f"{archive.name}.part")
    with TemporaryDirectory() as folder:
        classes = Path(folder) / "classes"
        one = Brokers(Path(folder), jvm=f"{_PLAIN} -XX:DumpLoadedClassList={classes}")
        try:
            _work(one.address)
            one.stop(0)
        finally:
            one.close()
        files = f"-XX:SharedClassListFile={classes} -XX:SharedArchiveFile={part}"
        command = [java.find(), "-Xshare:dump", _PLAIN, *files.split(), "-cp", java.class_path()]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    part.replace(archive)


def _work(address: str) -> None:
    """Write in a transaction and read in a group."""
    client.create_topics(address, {"archive": 1})
    place = TopicPartition("archive", 0, 1)
    producer = Producer({"bootstrap.servers": address, "transactional.id": "archive"})
    consumer = Consumer({"bootstrap.servers": address, "group.id": "archive"})
    producer.init_transactions(client.PATIENCE)
    producer.begin_transaction()
    producer.produce("archive", b"{}")
    producer.send_offsets_to_transaction([place], consumer.consumer_group_metadata(), client.PATIENCE)
    producer.commit_transaction(client.PATIENCE)
    client.await_marks(address, "archive")
    assert client.read_committed(address, "archive")
    consumer.subscribe(["archive"])
    client.wait_until(lambda: consumer.poll(0.1) is None and bool(consumer.assignment()))
    consumer.close()
    client.delete_topics(address, ["archive"])


if __name__ == "__main__":
    make(Path(sys.argv[1]))
