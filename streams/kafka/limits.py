"""How many bytes each topic takes at once: max.message.bytes, as the broker says it.

It holds for a batch of records as it is sent. A record is measured as it is before compression, so what is called
too large here may be taken by the broker, but never the other way round.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.errors import FairwayError
from streams.kafka import clients
from streams.kafka.records import Header
from streams.kafka.topics import Topics
from streams.settings import Settings

KAFKA_DEFAULT = 1_048_588
AROUND = 8 * 1024  # bytes of a record's key and headers that nobody needs to count
_SETTING = "max.message.bytes"
_SMALLEST = 4096
_RECORD = 48  # bytes around key, value and headers of a record, at most
_HEADER = 10  # bytes around name and value of a header, at most

log = structlog.get_logger()


class Limits:
    """The limits of a worker's topics, as they were asked for last."""

    def __init__(self, sizes: Mapping[str, int] | None = None, settings: Settings | None = None) -> None:
        """Begin with what is known of some topics; all others have Kafka's default."""
        self._sizes = dict(sizes or {})
        self._settings = settings

    @classmethod
    def of(cls, topics: Topics, settings: Settings) -> "Limits":
        """Return the limits that topics.yaml wants; `ask` learns those that the brokers have."""
        return cls({topic.name: int(topic.configs.get(_SETTING, KAFKA_DEFAULT)) for topic in topics.all}, settings)

    def limit(self, topic: str) -> int:
        """Return how many bytes a batch of the topic may have."""
        return self._sizes.get(topic, KAFKA_DEFAULT)

    def room(self, topic: str) -> int:
        """Return how many bytes a record may have, as `record_size` counts them."""
        limit = self.limit(topic)
        return limit - spare(limit)

    async def ask(self) -> None:
        """Ask the broker, for 30 seconds; what it does not tell stays as it was. Raises FairwayError."""
        assert self._settings is not None, "Limits that are to be asked for say where."
        async with clients.admin(self._settings) as admin:
            resources = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in self._sizes]
            responses = await admin.ask(lambda client: client.describe_configs(resources))
        for response in responses:
            for error, text, _, topic, entries, *_ in response.resources:
                self._note(topic, f"{text or error}" if error else "", entries)

    def _note(self, topic: str, problem: str, entries: Sequence[Any]) -> None:
        found = next((entry[1] for entry in entries if entry[0] == _SETTING), None)
        if found is not None and not problem:
            self._sizes[topic] = int(found)
        else:
            log.warning(
                "%s of topic '%s' can't be read (%s): it is taken to be %s.",
                _SETTING, topic, problem or "it is not told", self.limit(topic),
            )  # fmt: skip

    async def learn(self, topic: str) -> None:
        """Ask again, for the broker has refused a batch; if it says what it said, believe half of it."""
        before = self.limit(topic)
        with suppress(FairwayError):
            await self.ask()
        if self.limit(topic) >= before:
            self._sizes[topic] = max(_SMALLEST, before // 2)
        log.warning("Batches of '%s' may have %s bytes: the broker refused one.", topic, self.limit(topic))


def spare(limit: int) -> int:
    """Return how many bytes of a batch are not its records': what is around them, and around compressed blocks."""
    return 512 + limit // 500


def record_size(key: bytes | None, value: bytes | None, headers: Sequence[Header]) -> int:
    """Return how many bytes a record has in a batch, at most."""
    size = len(key or b"") + len(value or b"") + _RECORD
    for name, content in headers:
        size += len(name.encode()) + len(content or b"") + _HEADER
    return size
