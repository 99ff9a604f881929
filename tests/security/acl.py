"""The rights of the secure broker's users, as a test gives them."""

import argparse
import re
import shlex
from collections.abc import Iterable, Iterator

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from tests.client import PATIENCE, wait_until

_EVERY = AclBindingFilter(
    ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
)


def allow_everything(brokers: str) -> None:
    """Let everybody who is somebody do everything with every topic, group and transactional id."""
    kinds = (ResourceType.TOPIC, ResourceType.GROUP, ResourceType.TRANSACTIONAL_ID)
    allow(brokers, [_bind(kind, "*", ResourcePatternType.LITERAL, "User:*", AclOperation.ALL) for kind in kinds])


def allow(brokers: str, bindings: list[AclBinding]) -> None:
    admin = AdminClient({"bootstrap.servers": brokers})
    for made in admin.create_acls(bindings).values():
        made.result(PATIENCE)
    wait_until(
        lambda: set(bindings) <= set(admin.describe_acls(_EVERY).result(PATIENCE))
    )  # the broker knows them now


def find_all(brokers: str) -> set[AclBinding]:
    """Return all rights that anybody has."""
    admin = AdminClient({"bootstrap.servers": brokers})
    return set(admin.describe_acls(_EVERY).result(PATIENCE))


def forbid_everything(brokers: str) -> None:
    """Take all rights away again."""
    admin = AdminClient({"bootstrap.servers": brokers})
    for deleted in admin.delete_acls([_EVERY]).values():
        deleted.result(PATIENCE)
    wait_until(lambda: not admin.describe_acls(_EVERY).result(PATIENCE))


def _bind(
    kind: ResourceType, name: str, pattern: ResourcePatternType, user: str, operation: AclOperation
) -> AclBinding:
    return AclBinding(kind, name, pattern, user, "*", operation, AclPermissionType.ALLOW)


_ACLS = argparse.ArgumentParser()
for _option in ("--bootstrap-server", "--allow-principal", "--topic", "--group", "--transactional-id"):
    _ACLS.add_argument(_option)
_ACLS.add_argument("--resource-pattern-type", default="literal")
_ACLS.add_argument("--operation", action="append")
_ACLS.add_argument("--add", action="store_true", required=True)


def read_lines(lines: Iterable[str]) -> list[AclBinding]:
    """Return what kafka-acls.sh would add by these lines."""
    return [binding for line in lines for binding in _read_line(line)]


def _read_line(line: str) -> Iterator[AclBinding]:
    program, *words = shlex.split(line)
    assert program == "kafka-acls.sh"
    given = _ACLS.parse_args(words)
    kinds = {"topic": given.topic, "group": given.group, "transactional_id": given.transactional_id}
    [(kind, name)] = [(kind, name) for kind, name in kinds.items() if name]
    pattern = ResourcePatternType[given.resource_pattern_type.upper()]
    for word in given.operation:
        operation = AclOperation[re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word).upper()]
        yield _bind(ResourceType[kind.upper()], name, pattern, given.allow_principal, operation)
