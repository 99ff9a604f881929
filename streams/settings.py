"""The settings of Fairway: the only place that reads the environment (FAIRWAY_…, also from `.env`)."""

import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal

from dotenv import dotenv_values
from pydantic import Field, PostgresDsn, TypeAdapter, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.errors import FairwayError

SECRETS = ("database_url",)
"""Settings whose value no message shows, and which may be in a file that FAIRWAY_…_FILE names."""


class Settings(BaseSettings):
    """Every setting, with its default; see the README for what each means."""

    model_config = SettingsConfigDict(env_prefix="FAIRWAY_", env_file=".env", extra="ignore", frozen=True)

    brokers: str = Field(default="127.0.0.1:9092", pattern=r"^[^:,\s]+:\d+(,[^:,\s]+:\d+)*$")
    database_url: str = "postgresql://fairway@127.0.0.1:5432/fairway"
    database_url_file: Path | None = None
    app_id: str = Field(default="fairway", pattern=r"^[a-zA-Z0-9._-]{1,200}$")
    data_dir: Path = Path(".fairway")
    topics_file: Path = Path("topics.yaml")
    web_host: str = "127.0.0.1"
    web_port: int = Field(default=6066, ge=0, le=65535)
    web_name: str = Field(default="", pattern=r"^[a-zA-Z0-9.:_-]*$")
    access: Literal["none", "token", "oidc", "open"] = "none"
    oidc_issuer: str = ""
    oidc_audience: str = ""
    oidc_keys_url: str = ""
    personal_fields: str = ""
    channels: str = "EMAIL,SMS,PUSH,WHATSAPP,IN_APP"
    commit_interval_ms: int = Field(default=50, ge=1, le=60_000)
    log_format: Literal["text", "json"] = "text"
    history_days: int | None = Field(default=None, ge=1)
    refusals: Literal["all", "none"] = "all"
    cloudevents: Literal["on", "off"] = "off"
    store: Literal["rocksdb", "memory"] = "rocksdb"
    instance_id: str | None = Field(default=None, pattern=r"^[a-zA-Z0-9._-]{1,200}$")
    maven_url: str = Field(default="", pattern=r"^(https?://.*)?$")
    failpoint: str = ""

    @property
    def personal(self) -> frozenset[str]:
        """Return the names of fields that only some roles may see."""
        return frozenset(_split(self.personal_fields))

    @property
    def known_channels(self) -> tuple[str, ...]:
        """Return the channels that senders know; journeys that name another are warned of."""
        return tuple(_split(self.channels))

    @model_validator(mode="before")
    @classmethod
    def _read_secrets(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Take secrets from the files that are named for them, as containers mount them."""
        return given | {name: text for name in SECRETS if (text := _read_secret(given, name)) is not None}

    @field_validator("database_url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        TypeAdapter(PostgresDsn).validate_python(url)
        return url


def _read_secret(given: Mapping[str, Any], name: str) -> str | None:
    file, variable = given.get(f"{name}_file"), f"FAIRWAY_{name.upper()}"
    if not file:
        return None
    if given.get(name):
        raise FairwayError(f"{variable} and {variable}_FILE are both set: keep one of them.")
    try:
        return Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise FairwayError(f"{variable}_FILE names '{file}', which cannot be read: {error}.") from None


def _split(text: str) -> Iterator[str]:
    return filter(None, map(str.strip, text.split(",")))


_FOR_TESTS = ("FAIRWAY_TEST_", "FAIRWAY_RECORD")
_ALLOWED = {
    "maven_url": "the http:// or https:// address of a Maven registry",
    "brokers": "host:port, several separated by commas",
    "database_url": "postgresql://user:password@host:port/database",
    "app_id": "1 to 200 letters, digits, dots, dashes or underscores",
    "web_name": "the host name or IP address at which other workers reach this one",
    "instance_id": "1 to 200 letters, digits, dots, dashes or underscores, different for every worker",
}


def read_settings() -> Settings:
    """Return this process's settings; raises FairwayError with the variable, the value and what is allowed."""
    try:
        return Settings()
    except ValidationError as error:
        raise FairwayError(" ".join(_explain(dict(problem)) for problem in error.errors())) from None


def _explain(problem: Mapping[str, Any]) -> str:
    name = str(problem["loc"][0])
    allowed = _ALLOWED.get(name) or str(problem["msg"]).removeprefix("Input should be ").partition(", unable")[0]
    value = "" if name in SECRETS else f"is '{problem['input']}', but "
    return f"FAIRWAY_{name.upper()} {value}must be: {allowed}."


def find_unknown() -> list[str]:
    """Return a sentence for each variable FAIRWAY_… that is no setting, with what may be meant."""
    file = Path(str(Settings.model_config["env_file"]))
    named = {*os.environ, *(dotenv_values(file) if file.exists() else ())}
    told = (_tell_if_unknown(name) for name in sorted(named) if not name.startswith(_FOR_TESTS))
    return [sentence for sentence in told if sentence]


def _tell_if_unknown(name: str) -> str | None:
    prefix, setting = str(Settings.model_config["env_prefix"]), name.upper().removeprefix("FAIRWAY_")
    known = [field.upper() for field in Settings.model_fields]
    if not name.upper().startswith(prefix) or setting in known:
        return None
    meant = get_close_matches(setting, known, n=1)
    return f"{name} is no setting, and has no effect" + (f"; did you mean {prefix}{meant[0]}?" if meant else ".")


@cache
def environment() -> Mapping[str, str]:
    """Return the environment for child processes."""
    return dict(os.environ)
