"""Many customers enrolled by hand from a file: one a line, as an id or as a JSON object with data of its own."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from models.ids import customer_key
from models.limits import find_bad_id
from streams.control.publishing import BadLine, OutgoingRecord
from streams.engine.inputs import Enroll
from streams.engine.payload import TOO_DEEP, Rejection, is_too_deep, read_data
from streams.kafka.topics import INBOX

_NO_DATA = msgspec.Raw(b"{}")


class _CustomerLine(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    customer_id: str
    data: msgspec.Raw = _NO_DATA


def read_enrollments(
    lines: Iterable[bytes], tenant_id: str, journey_id: str, at: datetime
) -> Iterator[OutgoingRecord | BadLine]:
    """Yield what enrols the customer of each line, `c-7` or `{"customerId": "c-7", "data": {…}}`, or why not."""
    for number, text in enumerate(lines, start=1):
        if value := text.strip():
            yield _read_line(number, value, tenant_id, journey_id, at)


def _read_line(
    number: int, value: bytes, tenant_id: str, journey_id: str, at: datetime
) -> OutgoingRecord | BadLine:
    try:
        line = _decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return BadLine(number, f"It is neither an id nor an object with 'customerId' and 'data': {error}.")
    if isinstance(line, Rejection):
        return BadLine(number, line.reason)
    data = read_data(bytes(line.data))
    if isinstance(data, Rejection):
        return BadLine(number, data.reason)
    if fault := find_bad_id(tenant_id, line.customer_id):
        return BadLine(number, fault)
    message = Enroll(journey_id=journey_id, at=at, data=data)
    return OutgoingRecord(INBOX, customer_key(tenant_id, line.customer_id), msgspec.json.encode(message))


def _decode(value: bytes) -> _CustomerLine | Rejection:
    if not value.startswith(b"{"):
        return _CustomerLine(value.decode())
    return TOO_DEEP if is_too_deep(value) else msgspec.json.decode(value, type=_CustomerLine)
