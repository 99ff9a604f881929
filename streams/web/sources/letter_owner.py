"""Of which customer a dead letter is: by what its value says, and by its key where the value does not say it."""

import re
from typing import Any

import msgspec

from models.limits import EVENT_BYTES
from streams.engine.cloudevents import find_mode
from streams.web.sources.records import Record

_ATTRIBUTES = ("ce_tenantid", "ce_customerid")  # of a CloudEvent in binary mode


class Owner(msgspec.Struct, frozen=True):
    """The customer whom a record names; what it does not name is empty."""

    tenant: str
    customer: str


class _Ids(msgspec.Struct, rename="camel"):
    tenant_id: Any = None
    customer_id: Any = None
    tenantid: Any = None  # as a CloudEvent in structured mode has them
    customerid: Any = None


_decode_ids = msgspec.json.Decoder(_Ids).decode
_find_tenants = re.compile(rb'"tenant(?:Id|id)"\s*:\s*"((?:[^"\\]|\\.)*)"').findall
_find_customers = re.compile(rb'"customer(?:Id|id)"\s*:\s*"((?:[^"\\]|\\.)*)"').findall


def owner_of(record: Record) -> Owner:
    """Return the customer whom a record names: as the worker would read it, else as far as can be made out."""
    tenant, customer = _read_headers(record) or _read_value(record.value or b"")
    head, colon, rest = (record.key or b"").partition(b":")  # a key without a colon names no customer
    if not tenant and colon:
        tenant = head.decode(errors="replace")
    if not customer and colon:
        customer = rest.decode(errors="replace")
    return Owner(tenant, customer)


def _read_headers(record: Record) -> tuple[str, str] | None:
    """Return the ids of a CloudEvent in binary mode; None of anything else."""
    if find_mode(record.headers) != "binary":
        return None
    found = dict(record.headers)
    tenant, customer = ((found.get(name) or b"").decode(errors="replace") for name in _ATTRIBUTES)
    return tenant, customer


def _read_value(value: bytes) -> tuple[str, str]:
    try:
        ids = _decode_ids(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _look_for(_find_tenants, value), _look_for(_find_customers, value)
    return _text(ids.tenant_id) or _text(ids.tenantid), _text(ids.customer_id) or _text(ids.customerid)


def _look_for(find: Any, value: bytes) -> str:
    """Return the one text that damaged JSON has for a name; nothing where there are several, or none."""
    found = set(find(value[:EVENT_BYTES]))
    if len(found) != 1:
        return ""
    try:
        text = msgspec.json.decode(b'"%b"' % found.pop())
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return _text(text)


def _text(item: object) -> str:
    return item if isinstance(item, str) else ""
