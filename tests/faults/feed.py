"""A producer that writes events at a rate, whatever happens to the broker meanwhile."""

import threading
import time
from collections.abc import Iterable

from confluent_kafka import Producer

from tests.faults.load import Sent


class Feed:
    """Writes on a thread; `rate` is in records a second."""

    def __init__(self, address: str, sent: Iterable[Sent], rate: float) -> None:
        self.count = 0
        self.errors: list[str] = []
        self._sent = sent
        self._rate = rate
        self._producer = Producer({
            "bootstrap.servers": address, "enable.idempotence": True, "linger.ms": 10,
            "message.timeout.ms": 300_000, "log_level": 2, "reconnect.backoff.max.ms": 500,
        })  # fmt: skip
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def _write(self) -> None:
        started = time.monotonic()
        for sent in self._sent:
            self._put(sent)
            self.count += 1
            if self.count % 50 == 0:
                ahead = self.count / self._rate - (time.monotonic() - started)
                self._producer.poll(0)
                if ahead > 0:
                    threading.Event().wait(ahead)
        if self._producer.flush(300):
            self.errors.append("not everything was written")

    def _put(self, sent: Sent) -> None:
        record, is_full = sent.record, True
        while is_full:
            try:
                self._producer.produce(
                    record.topic, record.value, record.key, partition=record.partition,
                    headers=list(record.headers), on_delivery=self._note,
                )  # fmt: skip
                is_full = False
            except BufferError:
                self._producer.poll(0.1)

    def _note(self, error, _) -> None:
        if error is not None:
            self.errors.append(str(error))

    def join(self) -> None:
        self._thread.join()
        assert not self.errors, self.errors[:3]
