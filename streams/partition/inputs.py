"""What a record holds: an event or a message of the inbox, and whom it is for; or why it can't be used."""

from collections.abc import Callable

import msgspec

from models.ids import CustomerKey, customer_key
from models.limits import find_bad_id
from models.messages import Source
from streams.engine.advance import is_of_use
from streams.engine.decoding import decode
from streams.engine.inputs import Arrived, CustomerInput, Enroll, Exit, InboxMessage, PlacesInput, RepairState
from streams.engine.journeys import Journeys
from streams.engine.payload import Rejection, check_data, is_too_deep
from streams.kafka.fetch import SourceRecord
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import INBOX
from streams.partition.internal_rows import PLACES

Addressed = tuple[CustomerKey, CustomerInput]
"""An input, and whose it is."""


class AddressedToRow(msgspec.Struct, frozen=True, gc=False):
    """A repair of a customer's row, which the engine has no part in."""

    key: CustomerKey
    given: RepairState


class AddressedToPlaces(msgspec.Struct, frozen=True, gc=False):
    """An input for a journey's places, and the key of their row."""

    raw: bytes
    given: PlacesInput


_DEEPEST = 200  # levels of JSON: a profile has a hundred at most
_FOREIGN = Rejection("schema", f"The message in '{INBOX}' is none that Fairway writes.")

_decode_message: Callable[[bytes], InboxMessage] = msgspec.json.Decoder(InboxMessage).decode


def read_event(
    topic: str, partition: int, journeys: Journeys, record: SourceRecord
) -> Addressed | Rejection | None:
    """Return the event of a record; None if nobody wants it."""
    event = decode(record.value, record.headers, topic)
    if type(event) is Rejection:
        return event
    if not is_of_use(event, journeys):
        return None
    tenant_id, customer_id = event.tenant_id, event.customer_id
    key = CustomerKey(tenant_id, customer_id, customer_key(tenant_id, customer_id))
    return key, Arrived(event, Source(topic, partition, record.offset))


def read_message(
    partition: int, partitions: int, record: SourceRecord
) -> Addressed | AddressedToRow | AddressedToPlaces | Rejection:
    """Return the message of a record of the inbox, whoever wrote it: it is held to what an event is held to.

    `partition` is the inbox's, which may have more than the `partitions` of the state.
    """
    raw, value = record.key or b"", record.value or b""
    if is_too_deep(value, _DEEPEST):
        return _FOREIGN
    try:
        given = _decode_message(value)
        key = CustomerKey.read(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _FOREIGN
    is_places = raw.startswith(PLACES)
    if is_places or isinstance(given, PlacesInput):
        return AddressedToPlaces(raw, given) if is_places and isinstance(given, PlacesInput) else _FOREIGN
    if fault := _find_fault(key, given):
        return fault
    if isinstance(given, RepairState):
        return AddressedToRow(key, given)
    is_here = partition_of(raw, partitions) == partition % partitions
    if isinstance(given, Enroll | Exit) and given.source is None and is_here:
        given = msgspec.structs.replace(given, source=Source(INBOX, partition, record.offset))
    return key, given


def _find_fault(key: CustomerKey, given: CustomerInput | RepairState) -> Rejection | None:
    if not key.tenant_id or not key.customer_id:
        return _FOREIGN
    if fault := find_bad_id(key.tenant_id, key.customer_id):
        return Rejection("schema", fault)
    data = check_data(given.data) if isinstance(given, Enroll) else None
    return data if isinstance(data, Rejection) else None
