"""How every client of Kafka's reaches the cluster: the one place that says where it is."""

from typing import Any

from streams.kafka import reading
from streams.settings import Settings

reading.install()


def client_arguments(settings: Settings) -> dict[str, Any]:
    """Return what every client of aiokafka's is made with."""
    return {"bootstrap_servers": settings.brokers.split(",")}
