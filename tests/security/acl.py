"""The rights of the secure broker's users, as a test gives them."""

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
