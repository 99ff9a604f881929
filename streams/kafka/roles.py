"""Who comes to Kafka: by itself, for a command names the roles before it knows whether it needs more."""

from enum import StrEnum

SENDER_GROUPS = "sender-"
"""What the names of senders' consumer groups begin with, unless they are told otherwise."""


class Role(StrEnum):
    """Who comes to Kafka.

    A worker, also with its pages and API; who authors and acts by command; who sends events in; who carries
    commands out; and who creates topics, looks after the state and sees to dead letters.
    """

    WORKER = "worker"
    AUTHOR = "author"
    PRODUCER = "producer"
    SENDER = "sender"
    OPERATOR = "operator"
