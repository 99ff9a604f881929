"""The rights of each role, from the one list of them."""

from itertools import groupby
from pathlib import Path

from streams.kafka.rights import Right, list_rights
from streams.kafka.roles import SENDER_GROUPS, Role
from streams.kafka.topics import read_topics
from tests.reference.tables import code, table

_APP = "fairway"


def render() -> str:
    topics = read_topics(Path("topics.yaml"), _APP)
    rows = []
    for role in Role:
        rights = list_rights(role, topics, _APP, SENDER_GROUPS)
        for (kind, operations), same in groupby(rights, key=lambda right: (right.kind, right.operations)):
            rows.append([role.value, kind, _name(list(same), topics.events), ", ".join(operations)])
    return table(["role", "kind of resource", "names", "operations"], rows)


def _name(rights: list[Right], events: tuple[str, ...]) -> str:
    names = [right.name for right in rights]
    shown = [code(f"{right.name}{'*' if right.is_prefix else ''}") for right in rights if right.name not in events]
    whole = ["each event topic"] if set(events) <= set(names) else []
    return ", ".join([*whole, *shown])
