"""Which parts of which page are generated, and by what."""

from collections.abc import Callable
from functools import partial

from tests.reference import api, commands, journeys, messages, metrics, pages, rights, settings, topics

_MODELS = (
    "Journey", "Step", "TriggerConfig", "SendConfig", "WaitConfig", "UntilField", "UntilTime", "Lateness",
    "WaitListener", "ConditionConfig", "Rule", "Group", "SplitConfig", "Variant", "UpdateConfig", "Update",
    "EventExit", "RulesExit", "Goal", "Follow",
)  # fmt: skip

PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "settings.md": {"settings": settings.render},
    "commands.md": {"commands": commands.render},
    "topics.md": {"topics": topics.render},
    "security.md": {"rights": rights.render},
    "api.md": {"api": api.render},
    "pages.md": {"pages": pages.render_pages, "numbers": pages.render_numbers},
    "metrics.md": {"metrics": metrics.render},
    "journeys.md": {model: partial(journeys.render, model) for model in _MODELS},
    "messages.md": {
        "event": messages.render_event,
        **{name: partial(messages.render, name) for name in messages.STRUCTS},
    },
}
