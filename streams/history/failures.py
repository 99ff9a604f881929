"""Failures of enrolments by journey and second, for the breaker (R68).

The second is that in which they were written: an event may have occurred long before its enrolment failed, and what
is projected anew counts where it counted before.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from streams.engine.entries import EnrollmentFailed
from streams.history.parking import ActivityMessage
from streams.history.records import Record


def count_failures(records: Sequence[Record], messages: Iterable[ActivityMessage]) -> list[dict[str, Any]]:
    """Return the rows to add; in one order for all batches, for partitions share them."""
    failed = [
        (record.offset, entry.journey_id)
        for record in records
        for entry in record.entries
        if type(entry) is EnrollmentFailed
    ]
    if not failed:
        return []
    seconds = {message.offset: message.timestamp // 1000 for message in messages}
    counted = Counter((journey_id, seconds[offset]) for offset, journey_id in failed)
    return [
        {"journey_id": journey_id, "at": datetime.fromtimestamp(second, UTC), "number": number}
        for (journey_id, second), number in sorted(counted.items())
    ]
