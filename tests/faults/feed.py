"""A producer that writes events at a rate, whatever happens to the broker meanwhile."""

import threading
import time
from collections.abc import Iterable
from math import inf

from confluent_kafka import Producer

from tests.faults.load import Sent

_PIECE = 10  # records between two looks at the clock
_SLOWER = 20  # times as long as else does what is held back take


class Feed:
    """Writes on a thread; `rate` is in records a second. After so many, if told, it is slow until `let_go`."""

    def __init__(self, address: str, sent: Iterable[Sent], rate: float, slow_after: float = inf) -> None:
        self.count = 0
        self.errors: list[str] = []
        self._sent = sent
        self._rate = rate
        self._slow_after = slow_after
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
        due = time.monotonic()
        for sent in self._sent:
            self._put(sent)
            self.count += 1
            due += (1 if self.count < self._slow_after else _SLOWER) / self._rate
            if self.count % _PIECE == 0:
                self._producer.poll(0)
                threading.Event().wait(max(0.0, due - time.monotonic()))
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

    def let_go(self) -> None:
        """Write the rest as fast as what came before."""
        self._slow_after = inf

    def join(self) -> None:
        self._thread.join()
        assert not self.errors, self.errors[:3]
