"""The settings of Fairway: the only place that reads the environment (FAIRWAY_…, also from `.env`)."""

import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

from dotenv import dotenv_values
from pydantic import Field, PostgresDsn, TypeAdapter, ValidationError, field_validator, model_validator

from models.rates import FORM as RATES_FORM
from models.rates import RATE_FORM, Rate, Rates, read_rate, read_rates
from streams.errors import FairwayError
from streams.kafka_settings import KafkaSettings

SECRETS = ("database_url", "kafka_sasl_password", "kafka_ssl_key_password", "kafka_oauth_client_secret")
"""Settings whose value no message shows, and which may be in a file that FAIRWAY_…_FILE names."""


class Settings(KafkaSettings):
    """Every setting, with its default and what it means; docs and the file .env.example are made of these."""

    database_url: str = Field(
        default="postgresql://fairway@127.0.0.1:5432/fairway",
        repr=False,
        description="Postgres, for journeys, history, pages and API.",
    )
    database_url_file: Path | None = Field(
        default=None,
        description="A file that holds FAIRWAY_DATABASE_URL, which may hold a password; set one of the two.",
    )
    app_id: str = Field(
        default="fairway",
        pattern=r"^[a-zA-Z0-9._-]{1,200}$",
        description="The consumer group, and the prefix of transactional ids and of the changelog topic.",
    )
    data_dir: Path = Field(
        default=Path(".fairway"),
        description="The folder for what this machine keeps: copies of the state, servers of `fairway dev`.",
    )
    topics_file: Path = Field(default=Path("topics.yaml"), description="The list of topics.")
    topics_profile: str = Field(
        default="",
        pattern=r"^[a-zA-Z0-9._-]*$",
        description="Which of the file's profiles `topics plan` and `topics apply` take over its defaults:"
        " production has three copies of each partition, two of which a write waits for.",
    )
    web_host: str = Field(default="127.0.0.1", description="The address at which a worker's pages and API listen.")
    web_port: int = Field(
        default=6066, ge=0, le=65535, description="The port at which they listen; 0 lets the system choose."
    )
    web_name: str = Field(
        default="",
        pattern=r"^[a-zA-Z0-9.:_-]*$",
        description="The host name or IP address at which other workers reach this one; not set: FAIRWAY_WEB_HOST,"
        " or the machine's name where that is 0.0.0.0.",
    )
    access: Literal["none", "token", "oidc", "open"] = Field(
        default="none",
        description="Who may use pages and API: none asks nobody and listens on loopback only, token asks for a"
        " token of `fairway access grant`, oidc asks for a JWT, open leaves it to the network in front.",
    )
    oidc_issuer: str = Field(default="", description="With oidc: who signs the JWTs.")
    oidc_audience: str = Field(default="", description="With oidc: whom the JWTs must be for.")
    oidc_keys_url: str = Field(
        default="",
        description="With oidc: where the issuer's keys (JWKS) are; a JWT names its rights in fairway_role and"
        " fairway_tenants.",
    )
    personal_fields: str = Field(
        default="", description="Fields, separated by commas, that are hidden from the role read."
    )
    channels: str = Field(
        default="EMAIL,SMS,PUSH,WHATSAPP,IN_APP",
        description="Channels that your senders know; `journeys validate` warns of a journey that names another.",
    )
    commit_interval_ms: int = Field(
        default=50,
        ge=1,
        le=60_000,
        description="How long a worker gathers input for one transaction, in milliseconds; more costs less work.",
    )
    max_sends: str = Field(
        default="",
        description="How many commands may leave in a time, as EMAIL=100/minute,club-7:SMS=5/second; those beyond"
        " are held, and leave as soon as they may. Not set: no limit.",
    )
    max_failures: str = Field(
        default="",
        description="How many enrolments of a journey may fail in a time, as 100/hour; with more it is paused, and"
        " says so. Not set: no journey is paused.",
    )
    log_format: Literal["text", "json"] = Field(default="text", description="How log lines are written.")
    history_days: int | None = Field(
        default=None,
        ge=1,
        description="How many days Postgres keeps activity and enrolments that are over; not set: without end.",
    )
    refusals: Literal["all", "none"] = Field(
        default="all", description="Whether refusals are written down: who did not enter a journey, and why."
    )
    cloudevents: Literal["on", "off"] = Field(
        default="off", description="Whether send commands have the headers of a CloudEvent too."
    )
    traces: Literal["on", "off"] = Field(
        default="off",
        description="Whether a worker tells what it does as OpenTelemetry's traces (with the extra otel); the"
        " variables OTEL_… say where they go.",
    )
    traces_ratio: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="With traces: how many of the events that come without a trace begin one; of others their"
        " producer says it.",
    )
    store: Literal["rocksdb", "memory"] = Field(
        default="rocksdb",
        description="Where a worker keeps its copy of the state: rocksdb in files, so that a restart reads little;"
        " memory reads all of it from Kafka at each start.",
    )
    standbys: int = Field(
        default=0,
        ge=0,
        le=8,
        description="How many further workers keep a copy of each partition's state, so that whoever takes it over"
        " has little to restore; the same for all workers.",
    )
    instance_id: str | None = Field(
        default=None,
        pattern=r"^[a-zA-Z0-9._-]{1,200}$",
        description="A worker's own name, different for each: it may then restart without moving partitions.",
    )
    health_silent_seconds: int = Field(
        default=5,
        ge=1,
        le=86_400,
        description="From when on a worker that does not answer is told as silent, in seconds.",
    )
    health_closed_seconds: int = Field(
        default=10,
        ge=1,
        le=86_400,
        description="From when on a partition that nobody works on is told, in seconds.",
    )
    health_lag_seconds: int = Field(
        default=60,
        ge=1,
        le=86_400,
        description="From when on events that wait are told, by the age of the oldest in seconds.",
    )
    health_history_records: int = Field(
        default=100_000,
        ge=1,
        description="From how many activity records on that Postgres lacks history is told as behind.",
    )
    maven_url: str = Field(
        default="",
        pattern=r"^(https?://.*)?$",
        description="The Maven registry from which `fairway dev` fetches Kafka; not set: the mirror in Maven's own"
        " settings.xml, or Maven's default.",
    )
    failpoint: str = Field(default="", description="For tests: where a worker ends itself.")

    @property
    def personal(self) -> frozenset[str]:
        """Return the names of fields that only some roles may see."""
        return frozenset(_split(self.personal_fields))

    @property
    def known_channels(self) -> tuple[str, ...]:
        """Return the channels that senders know; journeys that name another are warned of."""
        return tuple(_split(self.channels))

    @cached_property
    def rates(self) -> Rates:
        """Return how many commands may leave in a time."""
        return read_rates(self.max_sends)

    @model_validator(mode="before")
    @classmethod
    def _read_secrets(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Take secrets from the files that are named for them, as containers mount them."""
        return given | {name: text for name in SECRETS if (text := _read_secret(given, name)) is not None}

    @cached_property
    def failures(self) -> Rate | None:
        """Return how many enrolments of a journey may fail in a time, if that is limited."""
        return read_rate(self.max_failures)

    @field_validator("max_failures")
    @classmethod
    def _check_failures(cls, text: str) -> str:
        read_rate(text)
        return text

    @field_validator("max_sends")
    @classmethod
    def _check_rates(cls, text: str) -> str:
        read_rates(text)
        return text

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
    "kafka_oauth_token_url": "the http:// or https:// address that gives tokens, without a user or a password",
    "kafka_oauth_extensions": "name=value, several separated by commas",
    "kafka_client_rack": "letters, digits, dots, dashes, slashes or underscores",
    "kafka_aws_region": "the name of a region, as eu-west-1",
    "max_failures": RATE_FORM,
    "max_sends": RATES_FORM,
    "database_url": "postgresql://user:password@host:port/database",
    "topics_profile": "the name of a profile in topics.yaml, as production",
    "app_id": "1 to 200 letters, digits, dots, dashes or underscores",
    "web_name": "the host name or IP address at which other workers reach this one",
    "traces_ratio": "a number from 0 to 1",
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
