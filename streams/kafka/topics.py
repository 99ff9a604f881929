"""The topics of Fairway, as topics.yaml lists them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from streams.errors import FairwayError

INBOX = "fairway.inbox"
DEFINITIONS = "fairway.definitions"
COMMANDS = "fairway.commands"
PROFILE_UPDATES = "fairway.profile-updates"
ACTIVITY = "fairway.activity"
DEAD_LETTERS = "fairway.dead-letters"
WRITTEN = (INBOX, COMMANDS, PROFILE_UPDATES, ACTIVITY, DEAD_LETTERS)
_CHANGELOG = "<appId>-customers-changelog"
_OWN = (INBOX, DEFINITIONS, COMMANDS, PROFILE_UPDATES, ACTIVITY, DEAD_LETTERS, _CHANGELOG)


class Topic(BaseModel):
    """One topic as the file wants it; `replication: -1` leaves the number of copies to the broker."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-zA-Z0-9._-]{1,249}$")
    role: Literal["events", "internal", "compacted", "outbound"]
    partitions: int = Field(ge=1)
    replication: int = Field(default=-1, ge=-1)
    key: str = ""
    description: str = ""
    configs: dict[str, str] = {}

    @field_validator("configs", mode="before")
    @classmethod
    def _write_as_kafka_does(cls, configs: Any) -> Any:
        if not isinstance(configs, dict):
            return configs
        return {
            key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in configs.items()
        }


class Topics(BaseModel):
    """All topics of the file, for one app id."""

    model_config = ConfigDict(frozen=True)

    all: tuple[Topic, ...]
    changelog: str

    @property
    def events(self) -> tuple[str, ...]:
        """Return the names of the topics that events come in by."""
        return tuple(topic.name for topic in self.all if topic.role == "events")

    @property
    def partitions(self) -> int:
        """Return how many the state has, as its changelog; those that are written have at least as many."""
        return next(topic.partitions for topic in self.all if topic.name == self.changelog)

    @property
    def written(self) -> tuple[Topic, ...]:
        """Return the topics of which each partition of the state writes its own partition, and the inbox."""
        return tuple(topic for topic in self.all if topic.name in WRITTEN)


def read_topics(file: Path, app_id: str, profile: str = "") -> Topics:
    """Return the topics of the file, by one of its profiles; raises FairwayError with what is wrong with it."""
    try:
        content = yaml.safe_load(file.read_text())
    except FileNotFoundError:
        raise FairwayError(
            f"There is no '{file}': 'fairway init' writes one, or name yours in FAIRWAY_TOPICS_FILE."
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FairwayError(f"'{file}' cannot be read: {error}.") from None
    if not isinstance(content, dict) or not isinstance(content.get("topics"), dict):
        raise FairwayError(f"'{file}' must hold 'topics: {{name: {{role: events}}}}'.")
    missing = [name for name in _OWN if name not in content["topics"]]
    if missing:
        raise FairwayError(f"'{file}' lacks {_list(missing)}, which Fairway needs.")
    defaults = _apply_profile(file, content, profile)
    found = tuple(_read_topic(file, app_id, defaults, *item) for item in content["topics"].items())
    return _check(file, Topics(all=found, changelog=_CHANGELOG.replace("<appId>", app_id)))


def _apply_profile(file: Path, content: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the file's defaults as a profile changes them."""
    defaults, profiles = content.get("defaults") or {}, content.get("profiles") or {}
    if not name:
        return dict(defaults)
    if name not in profiles:
        known = _list(list(profiles)) or "none"
        raise FairwayError(f"'{file}' has no profile '{name}' (FAIRWAY_TOPICS_PROFILE); it has: {known}.")
    changes = profiles[name] or {}
    return {**defaults, **changes, "configs": {**defaults.get("configs", {}), **changes.get("configs", {})}}


def _read_topic(file: Path, app_id: str, defaults: dict[str, Any], name: Any, given: Any) -> Topic:
    given = given if isinstance(given, dict) else {}
    configs = {**defaults.get("configs", {}), **given.get("configs", {})}
    try:
        return Topic(**{**defaults, **given, "configs": configs, "name": str(name).replace("<appId>", app_id)})
    except (ValidationError, TypeError) as error:
        problem = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
        where = ".".join(str(part) for part in problem["loc"])
        raise FairwayError(f"'{file}', topic '{name}', '{where}': {problem['msg']}.") from None


def _check(file: Path, topics: Topics) -> Topics:
    for topic in topics.written:
        if topic.partitions < topics.partitions:
            raise FairwayError(
                f"'{file}': '{topic.name}' has {topic.partitions} partitions, but needs as many as "
                f"'{topics.changelog}', which are {topics.partitions}; more do no harm."
            )
    single = next(topic for topic in topics.all if topic.name == DEFINITIONS)
    if single.partitions != 1:
        raise FairwayError(f"'{file}': '{DEFINITIONS}' must have 1 partition, but has {single.partitions}.")
    if not topics.events:
        raise FairwayError(f"'{file}' holds no topic with 'role: events'.")
    return topics


def _list(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
