"""Ids are names, not chance: the same input gives the same id after any replay (RFC 4122, version 5).

The parts of a name are joined by colons. In each part ":" is written as %3A and "%" as %25, so that no two
customers, keys or steps ever make the same name; parts without them stand as they are.
"""

from functools import lru_cache
from uuid import NAMESPACE_URL

import msgspec
from uuid_utils import UUID, uuid5

_URL = UUID(str(NAMESPACE_URL))
_read_journey = lru_cache(maxsize=4096)(UUID)


def name_uuid(namespace: str, name: str) -> str:
    """Return the version 5 UUID of `name` in the namespace of another UUID, as text."""
    return str(uuid5(UUID(namespace), name))


def _escape(part: str) -> str:
    return part.replace("%", "%25").replace(":", "%3A")


def journey_id(tenant_id: str, name: str) -> str:
    """Return the id of a journey whose file names none."""
    return str(uuid5(_URL, f"fairway:{_escape(tenant_id)}:{_escape(name)}"))


def enrollment_id(journey: str, customer_id: str, key: str, entry_number: int) -> str:
    """Return the id of a customer's n-th entry (from 1) into a journey with this enrollment key."""
    name = f"{customer_id}:{key}:{entry_number}"
    if "%" in name or name.count(":") > 2:  # asked of the whole, since it is seldom so
        name = f"{_escape(customer_id)}:{_escape(key)}:{entry_number}"
    return str(uuid5(_read_journey(journey), name))


def command_id(enrollment: str, step_id: str, visit: int) -> str:
    """Return the id of the command that a SEND step emits on its n-th visit (from 1)."""
    part = _escape(step_id) if ":" in step_id or "%" in step_id else step_id
    return name_uuid(enrollment, f"{part}:{visit}")


def activity_id(tenant_id: str, customer_id: str, number: int, at: str) -> str:
    """Return the id of a customer's n-th activity record; `at` tells records from before an erasure apart."""
    name = f"fairway:{tenant_id}:{customer_id}:{number}:{at}"
    if "%" in name or ":" in customer_id:
        name = f"fairway:{_escape(tenant_id)}:{_escape(customer_id)}:{number}:{at}"
    return str(uuid5(_URL, name))


class CustomerKey(msgspec.Struct, frozen=True, gc=False):
    """Whose a record or a row is: the two ids, and `raw`, the key that both make."""

    tenant_id: str
    customer_id: str
    raw: bytes

    @classmethod
    def of(cls, tenant_id: str, customer_id: str) -> "CustomerKey":
        """Return the key of a customer."""
        return cls(tenant_id, customer_id, customer_key(tenant_id, customer_id))

    @classmethod
    def read(cls, raw: bytes) -> "CustomerKey":
        """Return the customer's key that these bytes are; the ids are not checked. Raises UnicodeDecodeError."""
        tenant_id, _, customer_id = raw.decode().partition(":")
        return cls(tenant_id, customer_id, raw)


def customer_key(tenant_id: str, customer_id: str) -> bytes:
    """Return the key of every keyed record of this customer; a tenantId holds no colon, so it is unambiguous."""
    return f"{tenant_id}:{customer_id}".encode()
