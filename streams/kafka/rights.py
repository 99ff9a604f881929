"""What each part of Fairway must be allowed to do in Kafka, and no more: the one list of rights.

`fairway topics export --format acl` prints it, and a worker that starts holds what it was given against it.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from streams.kafka.roles import Role
from streams.kafka.topics import (
    ACTIVITY,
    COMMANDS,
    DEAD_LETTERS,
    DEFINITIONS,
    INBOX,
    PROFILE_UPDATES,
    Topics,
)

Kind = Literal["topic", "group", "transactional-id"]


class Right(NamedTuple):
    """Operations on a topic, group or transactional id; `is_prefix`: on all whose names begin so."""

    kind: Kind
    name: str
    operations: tuple[str, ...]
    is_prefix: bool = False

    def __str__(self) -> str:
        return f"{' and '.join(self.operations)} on {self.kind} '{self.name}'"


def list_rights(role: Role, topics: Topics, app_id: str, senders: str) -> list[Right]:
    """Return the rights of a role; `senders` is what the names of its consumer groups begin with."""
    match role:
        case Role.WORKER:
            return list(_of_workers(topics, app_id))
        case Role.AUTHOR:
            return [
                Right("topic", DEFINITIONS, ("Read", "Write")),
                Right("topic", INBOX, ("Write",)),
                Right("topic", ACTIVITY, ("Read",)),
                Right("group", app_id, ("Describe",)),  # which form its workers read, and how far they are
            ]
        case Role.PRODUCER:
            return [Right("topic", topic, ("Write",)) for topic in topics.events]
        case Role.SENDER:
            read = [Right("topic", topic, ("Read",)) for topic in (COMMANDS, PROFILE_UPDATES)]
            return [*read, Right("group", senders, ("Read",), is_prefix=True)]
        case Role.OPERATOR:
            return list(_of_operators(topics, app_id))


def _of_workers(topics: Topics, app_id: str) -> Iterator[Right]:
    own = (INBOX, COMMANDS, PROFILE_UPDATES, ACTIVITY, DEAD_LETTERS, topics.changelog, DEFINITIONS)
    # Write, also of events: the API takes some, and dead letters are sent again. Read, also of what is only
    # written: a partition's next owner looks there for transactions left open. DescribeConfigs: how large a record
    # may be is asked for at the start.
    for topic in (*topics.events, *own):
        yield Right("topic", topic, ("Read", "Write", "DescribeConfigs"))
    yield Right("group", app_id, ("Read",))
    yield Right("transactional-id", f"{app_id}-", ("Write",), is_prefix=True)  # a worker's, each partition's


def _of_operators(topics: Topics, app_id: str) -> Iterator[Right]:
    sent_to = {*topics.events, INBOX}  # dead letters again, and requests to repair state
    read = sent_to | {DEAD_LETTERS, topics.changelog}
    for topic in topics.all:
        more = ("Read",) * (topic.name in read) + ("Write",) * (topic.name in sent_to)
        yield Right("topic", topic.name, ("Create", "Alter", "Describe", "DescribeConfigs", "AlterConfigs", *more))
    yield Right("group", app_id, ("Describe",))  # which workers there are, and how far they are


def write_acl(rights: Iterable[Right], principal: str, bootstrap: str, config: str = "") -> Iterator[str]:
    """Yield a line for kafka-acls.sh for each right; `config` is its own file with what it needs to connect."""
    for right in rights:
        where = ["--bootstrap-server", bootstrap, *(["--command-config", config] if config else [])]
        operations = [word for operation in right.operations for word in ("--operation", operation)]
        pattern = ["--resource-pattern-type", "prefixed"] if right.is_prefix else []
        on = [*pattern, f"--{right.kind}", right.name]
        yield shlex.join(["kafka-acls.sh", *where, "--add", "--allow-principal", principal, *operations, *on])


_BITS = {"Read": 3, "Write": 4, "Create": 5, "Alter": 7, "Describe": 8, "DescribeConfigs": 10, "AlterConfigs": 11}
"""The numbers of operations in Kafka's protocol; a set of them is a number with these bits."""


def find_missing(rights: Iterable[Right], granted: Mapping[str, int]) -> list[Right]:
    """Return the rights that are lacking; `granted` has the operations as Kafka tells them, by name, of some."""
    found = []
    for right in rights:
        bits = granted.get(right.name, -1)
        lacks = tuple(one for one in right.operations if not bits >> _BITS[one] & 1)
        if lacks:
            found.append(right._replace(operations=lacks))
    return found
