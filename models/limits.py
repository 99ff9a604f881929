"""How long things may be and which characters they may hold: asked at every door by this code.

A door is whatever takes something in: a topic, the inbox, the API, a page, the command line, a file.
"""

import re

EVENT_BYTES = 256 * 1024  # of an event as it comes, and of the data of an enrolment by hand
DEPTH = 32  # levels of JSON
TENANT_ID = 100  # characters
CUSTOMER_ID = 256  # characters, so at most 1,024 bytes
EVENT_ID = 256  # characters
LABEL = 255  # characters of an event's type and of a club's id
ENROLLMENT_KEY = 256  # bytes of UTF-8
NAME = 200  # characters of a journey's or step's name, a step's id, a channel, a template, a variant
STEPS = 500  # of a journey
LISTENERS = 32  # events of a WAIT or a goal, exits of a journey, events that it follows
KEPT = 8  # fields of an event that ended a WAIT
JOURNEY_BYTES = 512 * 1024  # of a journey as it is published
COUNT = 2**31 - 1  # of a whole number that Postgres keeps in an integer

TENANT_PATTERN = r"^[^:\x00-\x1f\x7f-\x9f]+$"
"""Which characters a tenantId may hold: no colon, for a record's key is `tenantId:customerId`."""

CUSTOMER_PATTERN = r"^[^\x00]+$"
"""Which characters a customerId may hold: Postgres stores no U+0000."""

ALLOWED = {
    "tenantId": f"must be a text of 1 to {TENANT_ID} characters without a colon or control characters",
    "customerId": f"must be a text of 1 to {CUSTOMER_ID} characters without U+0000",
    "eventId": f"must be a text of 1 to {EVENT_ID} characters without U+0000",
}
"""How a sentence about each id goes on."""

_fits_tenant = re.compile("[^:\0-\x1f\x7f-\x9f\ud800-\udfff]+").fullmatch
_is_unwritable = re.compile("[\0\ud800-\udfff]").search


def is_tenant_id(value: object) -> bool:
    """Say whether this can be a tenant's id."""
    return isinstance(value, str) and len(value) <= TENANT_ID and _fits_tenant(value) is not None


def is_customer_id(value: object) -> bool:
    """Say whether this can be a customer's id."""
    return isinstance(value, str) and 0 < len(value) <= CUSTOMER_ID and _is_unwritable(value) is None


def find_bad_id(tenant_id: object, customer_id: object) -> str | None:
    """Return a sentence about the first of two ids that can't be one."""
    if not is_tenant_id(tenant_id):
        return f"The tenantId {ALLOWED['tenantId']}."
    if not is_customer_id(customer_id):
        return f"The customerId {ALLOWED['customerId']}."
    return None
