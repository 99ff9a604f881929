"""What engine tests are made of: a journey, an event and a customer, in as few words as a rule needs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from models.customer import Customer
from models.ids import CustomerKey
from models.journey import Journey, JourneyStatus
from models.messages import Event
from streams.engine.advance import advance
from streams.engine.check import check
from streams.engine.effects import Activity, Command, Effect, Forward, plain
from streams.engine.inputs import Arrived, CustomerInput, Due
from streams.engine.journeys import Journeys

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TRIGGER = {"id": "start", "type": "TRIGGER"}
END = {"id": "end", "type": "END"}
EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "journeys").glob("*.yaml"))


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def send(id_: str = "mail", template: str = "hello", config: dict[str, Any] | None = None, **more: Any) -> Any:
    return {
        "id": id_,
        "type": "SEND",
        "config": {"channel": "EMAIL", "templateId": template} | (config or {}),
        **more,
    }


def wait(id_: str = "wait", duration: str | None = "2 hours", **config: Any) -> Any:
    return {"id": id_, "type": "WAIT", "config": {"duration": duration} | config}


def update(id_: str = "update", *updates: dict[str, Any]) -> Any:
    return {"id": id_, "type": "UPDATE", "config": {"updates": list(updates)}}


def ask(id_: str = "ask", *rules: dict[str, Any], **ways: Any) -> Any:
    return {"id": id_, "type": "CONDITION", "config": {"rules": list(rules)}, **ways}


def journey(*steps: dict[str, Any], **settings: Any) -> Journey:
    whole = {"tenantId": "pinehurst", "name": "Welcome", "triggerType": "teetime.booked"}
    return Journey.model_validate(whole | {"steps": [TRIGGER, *steps, END]} | settings)


def rule(operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"field": "x", "operator": operator, **({} if value is None else {"value": value}), **more}


def raw(*steps: Any, **more: Any) -> dict[str, Any]:
    whole = {"tenantId": "pinehurst", "name": "Welcome", "triggerType": "teetime.booked"}
    return whole | {"steps": [TRIGGER, *steps, END]} | more


def problems(journey: Any) -> list[tuple[str | None, str]]:
    found, wrong = check(journey)
    assert (found is None) is bool(wrong)
    return [(problem.step, problem.text) for problem in wrong]


def live(*journeys: Journey, status: JourneyStatus = JourneyStatus.ACTIVE) -> Journeys:
    snapshot = Journeys()
    for one in journeys:
        snapshot = snapshot.with_version(one).with_status(one.id, status, one.version)
    return snapshot


def event(number: int = 1, at: datetime = NOON, type_: str = "teetime.booked", **fields: Any) -> Event:
    return Event(
        event_id=f"e-{number}",
        tenant_id="pinehurst",
        customer_id="c-7",
        occurred_at=at,
        event_type=type_,
        club_id=fields.pop("club", None),
        data=fields.pop("data", {}),
        **fields,
    )


class Life:
    """One customer's life under some journeys: inputs go in one after another, effects pile up."""

    def __init__(self, journeys: Journeys, customer: Customer | None = None) -> None:
        self.journeys = journeys
        self.customer = customer
        self.effects: list[Effect] = []
        self.latest: tuple[Effect, ...] = ()

    def give(self, given: CustomerInput | Event, now: datetime | None = None) -> "Life":
        if isinstance(given, Event):
            now = now or given.occurred_at
            given = Arrived(given)
        outcome = advance(self.customer, CustomerKey.of("pinehurst", "c-7"), given, now or NOON, self.journeys)
        self.customer, self.latest = outcome.customer, outcome.effects
        self.effects.extend(outcome.effects)
        return self

    def due(self, now: datetime) -> "Life":
        return self.give(Due(), now)

    def set(self, status: JourneyStatus, *journeys: Journey) -> "Life":
        for one in journeys:
            self.journeys = self.journeys.with_status(one.id, status, one.version)
        return self

    def hear(self, number: int, after: float, type_: str, read: float | None = None, **data: Any) -> "Life":
        """Give an event that occurred `after` hours from noon, and is read then or later."""
        heard = event(number, NOON + hours(after), type_, data=data)
        return self.give(heard, NOON + hours(after if read is None else read))

    @property
    def commands(self) -> list[dict[str, Any]]:
        return [plain(effect.value) for effect in self.effects if isinstance(effect, Command)]

    @property
    def sent(self) -> list[tuple[str, datetime]]:
        return [(command["templateId"], command["issuedAt"]) for command in self.commands]

    @property
    def records(self) -> list[dict[str, Any]]:
        return [plain(effect) for effect in self.effects if isinstance(effect, Activity)]

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [entry for record in self.records for entry in record["entries"]]

    @property
    def kinds(self) -> list[str]:
        """The types of the entries of the latest input."""
        records = [plain(effect) for effect in self.latest if isinstance(effect, Activity)]
        return [entry["type"] for record in records for entry in record["entries"]]

    @property
    def stands(self) -> list[tuple[str, str]]:
        """The key of each ACTIVE enrolment and the step that it stands at."""
        return [(one.key, one.step) for one in (self.customer.enrollments.values() if self.customer else ())]

    @property
    def forwards(self) -> list[Forward]:
        return [effect for effect in self.effects if isinstance(effect, Forward)]

    def told(self, kind: str, *fields: str) -> list[Any]:
        """Return the entries of one type: these fields as tuples, or a single field's values."""
        found = [entry for entry in self.entries if entry["type"] == kind]
        if len(fields) == 1:
            return [entry[fields[0]] for entry in found]
        return [tuple(entry[field] for field in fields) for entry in found]
