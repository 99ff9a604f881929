"""Quix Streams: the same row and command for each event as in bare.py, exactly once; runs in a Python of its own.

It commits every second: by default every five, which is as fast but too seldom to be measured.
"""

import os
from typing import Any

import orjson
from quixstreams import Application, State

application = Application(
    broker_address=os.environ["FAIRWAY_BROKERS"],
    consumer_group=os.environ["FAIRWAY_APP_ID"],
    state_dir=f"{os.environ['FAIRWAY_DATA_DIR']}-quix",
    auto_offset_reset="earliest",
    processing_guarantee="exactly-once",
    commit_interval=1.0,
    loglevel="WARNING",
)
events = application.topic(os.environ["BENCH_TOPIC"], key_deserializer="bytes", value_deserializer="bytes")
commands = application.topic("bare.commands", key_serializer="bytes", value_serializer="bytes")


def count(value: bytes, state: State) -> bytes:
    event = orjson.loads(value)
    row: dict[str, Any] = state.get("row", {"n": 0})
    row["n"] += 1
    row["last"] = event["eventId"]
    state.set("row", row)
    return orjson.dumps({"id": event["eventId"], "to": event["customerId"]})


application.dataframe(events).apply(count, stateful=True).to_topic(commands)
application.run()
