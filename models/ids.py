"""Ids are names, not chance: the same input gives the same id after any replay (RFC 4122, version 5)."""

from hashlib import sha1
from uuid import NAMESPACE_URL

_URL = NAMESPACE_URL.bytes
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


def name_uuid(namespace: str, name: str) -> str:
    """Return the version 5 UUID of `name`, as text; equal to `uuid.uuid5`, at a third of its cost."""
    return _name(bytes.fromhex(namespace.replace("-", "")), name)


def _name(space: bytes, name: str) -> str:
    text = sha1(space + name.encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


def journey_id(tenant_id: str, name: str) -> str:
    """Return the id of a journey whose file names none."""
    return _name(_URL, f"fairway:{tenant_id}:{name}")


def enrollment_id(journey: str, customer_id: str, key: str, entry_number: int) -> str:
    """Return the id of a customer's n-th entry (from 1) into a journey with this enrollment key."""
    return name_uuid(journey, f"{customer_id}:{key}:{entry_number}")


def command_id(enrollment: str, step_id: str, visit: int) -> str:
    """Return the id of the command that a SEND step emits on its n-th visit (from 1)."""
    return name_uuid(enrollment, f"{step_id}:{visit}")


def activity_id(tenant_id: str, customer_id: str, number: int, at: str) -> str:
    """Return the id of a customer's n-th activity record; `at` tells records from before an erasure apart."""
    return _name(_URL, f"fairway:{tenant_id}:{customer_id}:{number}:{at}")


def customer_key(tenant_id: str, customer_id: str) -> bytes:
    """Return the key of every keyed record of this customer; a tenantId holds no colon, so it is unambiguous."""
    return f"{tenant_id}:{customer_id}".encode()
