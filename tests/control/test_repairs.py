"""Whoever asks for a repair finds its own answer among the dead letters, and no other input's."""

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.structs import RecordMetadata

from streams.control.repairs import Answer, read_answer
from streams.kafka.topics import DEAD_LETTERS, INBOX

SENT = RecordMetadata(INBOX, 2, TopicPartition(INBOX, 2), 41, 0, 0, 0)


def letter(code: str, topic: str = "", offset: int = 0) -> ConsumerRecord:
    headers = [("dlq.code", code.encode()), ("dlq.reason", b"Because.")]
    if topic:
        headers += [("dlq.topic", topic.encode()), ("dlq.partition", b"2"), ("dlq.offset", b"%d" % offset)]
    return ConsumerRecord(DEAD_LETTERS, 2, 7, 0, 0, b"pinehurst:c-7", b"", None, 13, 0, headers)


def test_the_row_as_it_was_says_that_it_was_repaired() -> None:
    assert read_answer(letter("repaired"), SENT) == Answer(True, "Because.", 2, 7)


def test_the_request_itself_says_why_it_was_not_met() -> None:
    assert read_answer(letter("not-damaged", INBOX, 41), SENT) == Answer(False, "Because.", 2, 7)
    assert read_answer(letter("schema", INBOX, 41), SENT) == Answer(False, "Because.", 2, 7)


def test_what_else_comes_for_the_customer_meanwhile_is_no_answer() -> None:
    for topic, offset in ((INBOX, 40), ("teetime.booked", 41), ("", 41)):
        assert read_answer(letter("damaged", topic, offset), SENT) is None
