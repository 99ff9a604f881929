"""What a journey gives to the checks of its parts."""

from datetime import tzinfo

import msgspec

from models.listeners import ANY_KEY, Listener


class Setting(msgspec.Struct, frozen=True):
    """A journey's triggerType, time zone and enrollmentKey, and what ends an enrolment by an event, with its name.

    `asked` are the rules that hold for whoever the trigger lets in, as `always.name_rules` names them.
    """

    trigger_type: object
    zone: tzinfo
    key: str | None
    enders: tuple[tuple[str, Listener], ...]
    asked: frozenset[str]

    def takes_all(self, one: Listener, other: Listener) -> bool:
        """Say whether a listener hears every event that another hears."""
        if one.event_type != other.event_type or (one.conditions and one.conditions != other.conditions):
            return False
        return self.key is None or one.key in (ANY_KEY, other.key)
