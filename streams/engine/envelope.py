"""What the row of an enrolment keeps of the event that enrolled, beside its data."""

from typing import Any

import msgspec

from models.messages import Event


def envelope(event: Event) -> dict[str, Any]:
    """Return the fields of an event by their names in JSON, unknown ones with them; a row holds what JSON holds."""
    fields = {
        "eventId": event.event_id,
        "eventType": event.event_type,
        "tenantId": event.tenant_id,
        "clubId": event.club_id,
        "customerId": event.customer_id,
        "occurredAt": msgspec.to_builtins(event.occurred_at),
    }
    return event.extra | fields if event.extra else fields
