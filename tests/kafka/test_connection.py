"""Settings of security to Kafka: what clients are made with, and what is said of those that do not agree."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from streams.errors import FairwayError
from streams.kafka.connection import client_arguments
from streams.settings import Settings, read_settings
from tests.security.certificates import Authority

K = "FAIRWAY_KAFKA"
SCRAM = {"kafka_sasl_mechanism": "SCRAM-SHA-512", "kafka_sasl_username": "u", "kafka_sasl_password": "secret"}
OAUTH = {
    "kafka_sasl_mechanism": "OAUTHBEARER",
    "kafka_oauth_token_url": "https://issuer/token",
    "kafka_oauth_client_id": "c",
    "kafka_oauth_client_secret": "secret",
}


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    """Nothing that another test asked for is remembered."""
    client_arguments.cache_clear()
    yield
    client_arguments.cache_clear()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


def refused(**given: Any) -> str:
    with pytest.raises(FairwayError) as caught:
        client_arguments(Settings(**given))
    assert "secret" not in str(caught.value)
    return str(caught.value)


def test_without_security_a_client_is_told_where_kafka_is_and_no_more() -> None:
    found = client_arguments(Settings(brokers="a:1,[::1]:2"))
    assert found == {"bootstrap_servers": ["a:1", "[::1]:2"], "security_protocol": "PLAINTEXT"}


def test_all_clients_share_one_context_and_one_token(authority: Authority) -> None:
    given = Settings(kafka_security_protocol="SASL_SSL", kafka_ssl_cafile=authority.file, **OAUTH)
    assert client_arguments(given) is client_arguments(given.model_copy())
    assert client_arguments(given)["sasl_mechanism"] == "OAUTHBEARER"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"kafka_security_protocol": "SASL_SSL"},
         f"{K}_SECURITY_PROTOCOL is SASL_SSL, so set {K}_SASL_MECHANISM to PLAIN, SCRAM-SHA-256, "
         "SCRAM-SHA-512, OAUTHBEARER or AWS_MSK_IAM."),
        ({"kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": "PLAIN"},
         f"{K}_SASL_MECHANISM is PLAIN, so set {K}_SASL_USERNAME."),
        ({"kafka_security_protocol": "SASL_SSL"} | SCRAM | {"kafka_sasl_password": ""},
         f"{K}_SASL_MECHANISM is SCRAM-SHA-512, so set {K}_SASL_PASSWORD, or {K}_SASL_PASSWORD_FILE."),
        ({"kafka_security_protocol": "SASL_SSL"} | OAUTH | {"kafka_oauth_client_id": ""},
         f"{K}_SASL_MECHANISM is OAUTHBEARER, so set {K}_OAUTH_CLIENT_ID."),
        ({"kafka_security_protocol": "SASL_PLAINTEXT", "kafka_sasl_mechanism": "AWS_MSK_IAM"},
         f"{K}_SASL_MECHANISM is AWS_MSK_IAM, so {K}_SECURITY_PROTOCOL can't be SASL_PLAINTEXT: "
         "set it to SASL_SSL."),
        ({"kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": "AWS_MSK_IAM"},
         f"{K}_SASL_MECHANISM is AWS_MSK_IAM, and FAIRWAY_BROKERS does not tell the region: "
         f"set {K}_AWS_REGION, as to eu-west-1."),
        (SCRAM, f"{K}_SASL_MECHANISM is set, but not {K}_SECURITY_PROTOCOL, without which nothing is secured: "
         "set it to SASL_SSL, SSL or SASL_PLAINTEXT, or to PLAINTEXT if that is meant."),
    ],
)  # fmt: skip
def test_settings_that_do_not_agree_are_told_with_what_to_set(given: dict[str, Any], sentence: str) -> None:
    assert refused(**given) == sentence


def test_what_is_not_used_is_ignored_where_plaintext_is_asked_for() -> None:
    assert "sasl_mechanism" not in client_arguments(Settings(kafka_security_protocol="PLAINTEXT", **SCRAM))


def test_a_protocol_that_there_is_not_is_told_with_those_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRWAY_KAFKA_SECURITY_PROTOCOL", "TLS")
    with pytest.raises(FairwayError) as caught:
        read_settings()
    assert str(caught.value) == (
        "FAIRWAY_KAFKA_SECURITY_PROTOCOL is 'TLS', but must be: 'PLAINTEXT', 'SSL', 'SASL_PLAINTEXT' or 'SASL_SSL'."
    )


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda _: {"kafka_ssl_cafile": "/none.pem"},
         f"{K}_SSL_CAFILE names '/none.pem', which can't be read: No such file or directory."),
        (lambda by: {"kafka_ssl_cafile": by.issue("a").key},
         f"{K}_SSL_CAFILE names '{{at}}/authority-a-30-key.pem', which holds no certificates in PEM form "),
        (lambda by: {"kafka_ssl_keyfile": by.issue("a").key},
         f"{K}_SSL_KEYFILE is set, but {K}_SSL_CERTFILE is not: name the key's certificate there."),
        (lambda by: {"kafka_ssl_certfile": by.issue("a").cert},
         f"There is no private key in PEM form in '{{at}}/authority-a-30.pem': name its file in {K}_"),
        (lambda by: {"kafka_ssl_certfile": by.issue("a").key},
         f"{K}_SSL_CERTFILE names '{{at}}/authority-a-30-key.pem', which holds no certificate in PEM form "),
        (lambda by: {"kafka_ssl_certfile": by.issue("a").cert, "kafka_ssl_keyfile": by.issue("b").key},
         f"The key in '{{at}}/authority-b-30-key.pem' ({K}_SSL_KEYFILE) is not that of the certificate in "),
        (lambda by: {"kafka_ssl_certfile": by.issue("a", days=(-9, -2)).both},
         f"The certificate in '{{at}}/authority-a--2-both.pem' ({K}_SSL_CERTFILE) has expired ("),
        (lambda by: {"kafka_ssl_certfile": by.issue("a", days=(2, 9)).both},
         f"The certificate in '{{at}}/authority-a-9-both.pem' ({K}_SSL_CERTFILE) is not valid before "),
        (lambda by: {"kafka_ssl_certfile": by.issue("a", password="x").both},
         f"The key in '{{at}}/authority-a-30-both.pem' ({K}_SSL_KEYFILE) is encrypted: set "),
        (lambda by: {"kafka_ssl_certfile": by.issue("a", password="x").both, "kafka_ssl_key_password": "secret"},
         f"{K}_SSL_KEY_PASSWORD does not open the key in '{{at}}/authority-a-30-both.pem' ({K}_SSL_K"),
    ],
)  # fmt: skip
def test_a_certificate_that_can_t_be_used_is_told_before_anything_connects(
    authority: Authority, make: Any, sentence: str
) -> None:
    said = refused(kafka_security_protocol="SSL", **make(authority))
    assert said.startswith(sentence.format(at=authority.folder))


def test_a_key_opens_with_its_password(authority: Authority) -> None:
    files = authority.issue("a", password="x")
    found = client_arguments(
        Settings(kafka_security_protocol="SSL", kafka_ssl_certfile=files.both, kafka_ssl_key_password="x")
    )
    assert found["ssl_context"].check_hostname


def test_sasl_in_the_clear_is_warned_of_once() -> None:
    with capture_logs() as lines:
        for _ in range(3):
            client_arguments(Settings(kafka_security_protocol="SASL_PLAINTEXT", **SCRAM))
    assert [line["event"][:59] for line in lines] == ["FAIRWAY_KAFKA_SECURITY_PROTOCOL is SASL_PLAINTEXT: whoever "]


def test_secrets_are_in_files_too_and_nowhere_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SASL_PASSWORD", "SSL_KEY_PASSWORD", "OAUTH_CLIENT_SECRET"):
        (tmp_path / name).write_text(f"secret of {name}\n")
        monkeypatch.setenv(f"FAIRWAY_KAFKA_{name}_FILE", str(tmp_path / name))
    monkeypatch.setenv("FAIRWAY_DATABASE_URL", "postgresql://fairway:secret@db/fairway")
    settings = read_settings()
    assert settings.kafka_oauth_client_secret.get_secret_value() == "secret of OAUTH_CLIENT_SECRET"
    assert settings.kafka_ssl_key_password.get_secret_value() == "secret of SSL_KEY_PASSWORD"
    assert "secret of" not in f"{settings!r} {settings}"
    assert "fairway:secret" not in f"{settings!r} {settings}"
