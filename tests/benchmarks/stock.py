"""The usual way: a stock Faust agent with a Table, the same row and command as the runtime; see bare.py."""

import os
from typing import Any

import faust
import msgspec

TOPIC = os.environ["BENCH_TOPIC"]

_encode, _decode = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode

app = faust.App(
    os.environ["FAIRWAY_APP_ID"],
    broker=f"kafka://{os.environ['FAIRWAY_BROKERS']}",
    store="memory://",
    processing_guarantee=os.environ.get("BENCH_GUARANTEE", "at_least_once"),
    topic_partitions=int(os.environ["BENCH_PARTITIONS"]),
    topic_replication_factor=1,
    datadir=f"{os.environ['FAIRWAY_DATA_DIR']}-stock",
    value_serializer="raw",
    key_serializer="raw",
    web_enabled=False,
    stream_wait_empty=False,
)
events = app.topic(TOPIC, value_serializer="raw", key_serializer="raw")
commands = app.topic("bare.commands", value_serializer="raw", key_serializer="raw")
table = app.Table("customers", key_type=bytes, value_type=bytes, help="How often each customer came.")


@app.agent(events)
async def count(stream: Any) -> None:
    async for key, value in stream.items():
        event = _decode(value)
        before = table.get(key)
        row: dict[str, Any] = _decode(before) if before else {"n": 0}
        row["n"] += 1
        row["last"] = event["eventId"]
        table[key] = _encode(row)
        await commands.send(key=key, value=_encode({"id": event["eventId"], "to": event["customerId"]}))


if __name__ == "__main__":
    app.main()
