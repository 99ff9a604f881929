"""Journeys to draw."""

from models.journey import Journey


def make(*steps: dict[str, object], **settings: object) -> Journey:
    whole = {"tenantId": "t", "name": "j", "triggerType": "e", "steps": list(steps)}
    return Journey.model_validate(whole | settings)


START = {"id": "start", "type": "TRIGGER"}
MAIL = {"id": "mail", "type": "SEND", "config": {"channel": "EMAIL", "templateId": "hello"}}
ASK = {
    "id": "ask",
    "type": "CONDITION",
    "config": {"rules": [{"field": "tier", "operator": "equals", "value": "Gold"}]},
}
