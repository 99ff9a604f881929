"""How every client of Kafka's reaches the cluster: the one place that says where it is, and who we are there."""

from functools import lru_cache
from typing import Any

import structlog

from streams.errors import FairwayError
from streams.kafka import connecting, reading, tokens
from streams.kafka.certificates import make_context
from streams.settings import Settings

_PREFIX = "FAIRWAY_KAFKA_"
_NEEDS = {
    "OAUTHBEARER": ("oauth_token_url", "oauth_client_id", "oauth_client_secret"),
    "AWS_MSK_IAM": (),
}  # of each mechanism; all others need a user
_NEEDS_OF_USERS = ("sasl_username", "sasl_password")
_MECHANISMS = "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or AWS_MSK_IAM"
_NOT_PLAIN = ("sasl_mechanism", "sasl_username", "sasl_password", "ssl_cafile", "ssl_certfile", "oauth_token_url")
_IN_THE_CLEAR = (
    f"{_PREFIX}SECURITY_PROTOCOL is SASL_PLAINTEXT: whoever can read the network to Kafka sees all events, and can "
    "take over the user. Use SASL_SSL wherever the network is not your own."
)

connecting.install()
reading.install()
tokens.install()
log = structlog.get_logger()


@lru_cache(maxsize=16)  # the TLS context and the token are of all clients together
def client_arguments(settings: Settings) -> dict[str, Any]:
    """Return what every client of aiokafka's is made with; raises FairwayError for settings that do not agree.

    Warns, once, where what is said in private goes over the network in the clear.
    """
    _check(settings)
    protocol = settings.kafka_security_protocol
    arguments: dict[str, Any] = {"bootstrap_servers": settings.brokers.split(","), "security_protocol": protocol}
    if protocol in ("SSL", "SASL_SSL"):
        arguments["ssl_context"] = make_context(settings)
    if protocol in ("SASL_PLAINTEXT", "SASL_SSL"):
        arguments |= _say_who(settings)
    if protocol == "SASL_PLAINTEXT":
        log.warning(_IN_THE_CLEAR)
    return arguments


def consumer_arguments(settings: Settings) -> dict[str, Any]:
    """Return what a consumer that reads much is made with: from a copy that is near, where it is told which is."""
    rack = {"client_rack": settings.kafka_client_rack} if settings.kafka_client_rack else {}
    return client_arguments(settings) | rack


def _say_who(settings: Settings) -> dict[str, Any]:
    mechanism = settings.kafka_sasl_mechanism
    if mechanism in _NEEDS:
        return {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": tokens.make_token_provider(settings)}
    return {
        "sasl_mechanism": mechanism,
        "sasl_plain_username": settings.kafka_sasl_username,
        "sasl_plain_password": settings.kafka_sasl_password.get_secret_value(),
    }


def _check(settings: Settings) -> None:
    protocol, mechanism = settings.kafka_security_protocol, settings.kafka_sasl_mechanism
    if protocol == "PLAINTEXT":
        _refuse_unused(settings)
    if not protocol.startswith("SASL"):
        return
    if mechanism is None:
        raise FairwayError(
            f"{_PREFIX}SECURITY_PROTOCOL is {protocol}, so set {_PREFIX}SASL_MECHANISM to {_MECHANISMS}."
        )
    if mechanism == "AWS_MSK_IAM" and protocol != "SASL_SSL":
        raise FairwayError(
            f"{_PREFIX}SASL_MECHANISM is AWS_MSK_IAM, so {_PREFIX}SECURITY_PROTOCOL can't be {protocol}: "
            "set it to SASL_SSL."
        )
    for name in _NEEDS.get(mechanism, _NEEDS_OF_USERS):
        if not _text(settings, name):
            file = f", or {_variable(name)}_FILE" if f"kafka_{name}_file" in Settings.model_fields else ""
            raise FairwayError(f"{_PREFIX}SASL_MECHANISM is {mechanism}, so set {_variable(name)}{file}.")


def _refuse_unused(settings: Settings) -> None:
    """Refuse security that is set, but not used, unless PLAINTEXT is asked for in so many words."""
    given = [name for name in _NOT_PLAIN if _text(settings, name)]
    if given and "kafka_security_protocol" not in settings.model_fields_set:
        raise FairwayError(
            f"{_variable(given[0])} is set, but not {_PREFIX}SECURITY_PROTOCOL, without which nothing is secured: "
            "set it to SASL_SSL, SSL or SASL_PLAINTEXT, or to PLAINTEXT if that is meant."
        )


def _text(settings: Settings, name: str) -> str:
    value = getattr(settings, f"kafka_{name}")
    return str(value.get_secret_value() if hasattr(value, "get_secret_value") else value or "")


def _variable(name: str) -> str:
    return f"{_PREFIX}{name.upper()}"
