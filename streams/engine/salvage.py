"""What can be read of a customer's row that is damaged: part by part, so that one bad part costs only itself."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, get_args, get_origin

import msgspec

from models.customer import Candidate, Customer, Enrollment
from models.ids import CustomerKey
from streams.engine.inputs import CustomerInput

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_is_uuid = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


class Salvaged(NamedTuple):
    """A customer as far as the row can be read, and what of it is lost, in words."""

    customer: Customer
    lost: tuple[str, ...]


def is_sound(customer: Customer) -> bool:
    """Say whether a row that could be decoded is one that the index can use, too."""
    return (
        all(_is_place(*item) for item in customer.enrollments.items())
        and all(_is_place(*item) for item in customer.candidates.items())
        and all(map(_is_input, customer.deferred))
    )


def salvage(row: bytes, key: CustomerKey) -> Salvaged | None:
    """Return what can be read of a customer's row; None if that is nothing."""
    try:
        parts = msgspec.json.decode(row, type=dict[str, msgspec.Raw])
    except _UNREADABLE:
        return None
    found: dict[str, Any] = {}
    lost: list[str] = []
    for field in msgspec.structs.fields(Customer):
        if field.encode_name in parts:
            is_dict = get_origin(field.type) is dict
            read = _read_each if is_dict else _read_whole
            found |= read(field.name, parts[field.encode_name], field.type, lost)
    ids = {"tenant_id": key.tenant_id, "customer_id": key.customer_id}
    customer = Customer(**found | ids)
    usable = tuple(filter(_is_input, customer.deferred))
    if gone := len(customer.deferred) - len(usable):
        lost.append(f"{gone} of deferred")
    return Salvaged(msgspec.structs.replace(customer, deferred=usable), tuple(lost))


def _read_whole(name: str, raw: msgspec.Raw, type_: Any, lost: list[str]) -> Mapping[str, Any]:
    try:
        return {name: msgspec.json.decode(raw, type=type_)}
    except _UNREADABLE:
        lost.append(name)
        return {}


def _read_each(name: str, raw: msgspec.Raw, type_: Any, lost: list[str]) -> Mapping[str, Any]:
    """Return the entries of a part that can be read, and note the others."""
    entries = _read_whole(name, raw, dict[str, msgspec.Raw], lost)
    found = {}
    for id_, entry in entries.get(name, {}).items():
        read = _read_whole(f"{name} '{id_}'", entry, get_args(type_)[1], lost)
        for title, part in read.items():
            if not isinstance(part, Enrollment | Candidate) or _is_place(id_, part):
                found[id_] = part
            else:
                lost.append(title)
    return {name: found}


def _is_input(deferred: dict[str, Any]) -> bool:
    try:
        msgspec.convert(deferred, CustomerInput)
    except msgspec.ValidationError:
        return False
    return True


def _is_place(id_: str, place: Enrollment | Candidate) -> bool:
    return place.id == id_ and _is_uuid(place.id) is not None and _is_uuid(place.journey_id) is not None
