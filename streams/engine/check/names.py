"""Names in a journey that must be known elsewhere: its event type as a topic, its channels to the senders."""

from collections.abc import Collection, Iterator

from models.journey import MANUAL, Journey
from models.steps import SendStep
from streams.engine.check.parts import find_listeners
from streams.engine.check.shape import show, suggest
from streams.engine.subscriptions import channel_name

Found = tuple[str | None, str]  # the step's id, a sentence


def find_unknown(journey: Journey, events: Collection[str] | None, channels: Collection[str]) -> Iterator[Found]:
    """Yield a sentence for each name that is unknown, so perhaps mistyped; None for `events` asks no type."""
    type_ = journey.trigger_type
    if events is not None and type_ != MANUAL and type_ not in events:
        unknown = f"'triggerType' is {show(type_)}, which is no event topic of topics.yaml"
        yield None, unknown + _advise(type_, events)
    for step_id, where, listener in find_listeners(journey):
        heard = listener.event_type
        if events is not None and heard not in events:
            unknown = f"'{where}.eventType' is {show(heard)}, which is no event topic of topics.yaml"
            yield step_id, unknown + _advise(heard, events)
    known = {channel_name(channel) for channel in channels}
    for step in journey.steps:
        if isinstance(step, SendStep) and channel_name(step.config.channel) not in known:
            channel = step.config.channel
            unknown = f"'config.channel' is {show(channel)}, which FAIRWAY_CHANNELS lacks"
            yield step.id, unknown + _advise(channel, channels)


def _advise(name: str, known: Collection[str]) -> str:
    meant = suggest(name, known)
    return f"; did you mean '{meant}'?" if meant else "."
