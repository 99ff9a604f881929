"""What a simulation begins with: journeys, and customers known before."""

from collections.abc import Iterable
from typing import Any

import msgspec

from models.customer import Customer
from models.journey import Journey, JourneyStatus
from models.limits import find_bad_id
from streams.engine.compiled import CompiledJourney
from streams.engine.compiling import compile_journey
from streams.engine.journeys import Journeys, Standing
from streams.engine.payload import TOO_DEEP, Rejection, is_too_deep
from streams.engine.subscriptions import SUBSCRIPTIONS, expected_of, read_attributes
from streams.errors import FairwayError
from streams.simulation.lines import NO_DATA, read_object


class _CustomerLine(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    tenant_id: str
    customer_id: str
    attributes: msgspec.Raw = NO_DATA
    timezone: str | None = None
    subscriptions: msgspec.Raw = NO_DATA


def load_journeys(journeys: Iterable[Journey]) -> Journeys:
    """Return journeys as a worker would know them; one whose file names no status counts as ACTIVE."""
    versions: dict[str, dict[int, CompiledJourney]] = {}
    standings: dict[str, Standing] = {}
    for journey in sorted(journeys, key=lambda journey: journey.version):
        versions.setdefault(journey.id, {})[journey.version] = compile_journey(journey)
        standings[journey.id] = Standing(journey.status or JourneyStatus.ACTIVE, journey.version)
    return Journeys(versions, standings)


def read_customers(lines: Iterable[bytes]) -> list[Customer]:
    """Return the customers of a JSON lines file; raises FairwayError for a line that is none."""
    return [_read_customer(number, text) for number, text in enumerate(lines, start=1) if text.strip()]


def _read_customer(number: int, text: bytes) -> Customer:
    fault = f"Line {number} of the customers can't be used:"
    if is_too_deep(text):
        raise FairwayError(f"{fault} {TOO_DEEP.reason}")
    try:
        line = msgspec.json.decode(text, type=_CustomerLine)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise FairwayError(f"{fault} {error}.") from None
    profile = _read_profile(line)
    wrong = profile if isinstance(profile, str) else find_bad_id(line.tenant_id, line.customer_id)
    if wrong or isinstance(profile, str):
        raise FairwayError(f"{fault} {wrong}")
    return Customer(line.tenant_id, line.customer_id, profile)


def _read_profile(line: _CustomerLine) -> dict[str, Any] | str:
    """Return the attributes of a line as an event would have set them, or a sentence about what is wrong."""
    attributes, subscriptions = read_object(line.attributes), read_object(line.subscriptions)
    if isinstance(attributes, Rejection):
        return attributes.reason
    if isinstance(subscriptions, Rejection):
        return f"'subscriptions' {expected_of(SUBSCRIPTIONS)}."
    given = attributes | {f"{SUBSCRIPTIONS}.{channel}": wanted for channel, wanted in subscriptions.items()}
    if line.timezone is not None:
        given["timezone"] = line.timezone
    profile, ignored = read_attributes({}, given)
    if ignored:
        return f"'{ignored[0].field}' {expected_of(ignored[0].field)}."
    return {name: value for name, value in profile.items() if value is not None}
