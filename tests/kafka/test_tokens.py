"""Tokens: asked for once, renewed before they expire, and what is said where there is none."""

import asyncio
import ssl
import threading
from collections.abc import Callable
from typing import Any

import pytest

from streams.kafka import tokens
from streams.kafka.tokens import Token, TokenError, TokenProvider, fetch_by_credentials, make_token_provider
from streams.settings import Settings
from tests.security.issuer import CLIENT, SECRET, Issuer, issuing


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(tokens, "steady", found)
    return found


def count(outcomes: list[Token | TokenError]) -> Callable[[], Token]:
    def fetch() -> Token:
        outcome = outcomes.pop(0)
        if isinstance(outcome, TokenError):
            raise outcome
        return outcome

    return fetch


async def test_a_token_serves_all_who_ask_until_most_of_its_life_is_over(clock: Clock) -> None:
    outcomes: list[Any] = [Token("one", 100), Token("two", 100)]
    provider = TokenProvider(count(outcomes))
    assert set(await asyncio.gather(*(provider.token() for _ in range(20)))) == {"one"}
    clock.at += 79
    assert await provider.token() == "one"
    clock.at += 1
    assert await provider.token() == "two"


async def test_an_issuer_that_is_away_does_no_harm_before_the_token_expires(clock: Clock) -> None:
    outcomes: list[Any] = [Token("one", 100), TokenError("away"), TokenError("away"), Token("two", 100)]
    provider = TokenProvider(count(outcomes))
    assert await provider.token() == "one"
    clock.at += 99
    assert await provider.token() == "one"
    clock.at += 1
    with pytest.raises(TokenError, match="away"):
        await provider.token()
    assert await provider.token() == "two"


def test_a_token_is_given_on_whichever_loop_asks() -> None:
    provider = TokenProvider(lambda: Token(threading.current_thread().name, 100))
    assert asyncio.run(provider.token()) == asyncio.run(provider.token())


def test_a_token_is_not_shown() -> None:
    assert "secret" not in f"{Token('secret', 1)!r}{Token('secret', 1)}"


def ask(issuer: Issuer, **given: str) -> Token:
    known = {"kafka_oauth_token_url": issuer.url, "kafka_oauth_client_id": CLIENT}
    known |= {"kafka_oauth_client_secret": SECRET}
    return fetch_by_credentials(Settings(**known | given), ssl.create_default_context())


def test_a_client_s_credentials_are_given_for_a_token() -> None:
    with issuing() as issuer:
        token = ask(issuer, kafka_oauth_scope="kafka")
    assert token.seconds == 300
    assert token.text.count(".") == 2
    assert issuer.asked == [{"grant_type": "client_credentials", "scope": "kafka"}]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"kafka_oauth_client_secret": "wrong"}, "'{url}' refuses a token (401, invalid_client): see "),
        ({"kafka_oauth_token_url": "{root}/broken"}, "'{root}/broken' (FAIRWAY_KAFKA_OAUTH_TOKEN_URL) answers 200"),
        ({"kafka_oauth_token_url": "http://127.0.0.1:1/"}, "'http://127.0.0.1:1/' (FAIRWAY_KAFKA_OAUTH_TOKEN"),
    ],
)  # fmt: skip
def test_where_there_is_no_token_it_is_told_why(given: dict[str, str], sentence: str) -> None:
    with issuing() as issuer:
        root = issuer.url.removesuffix("/token")
        with pytest.raises(TokenError) as caught:
            ask(issuer, **{name: value.format(root=root) for name, value in given.items()})
    assert str(caught.value.args[0]).startswith(sentence.format(url=issuer.url, root=root))
    assert SECRET not in str(caught.value)


async def test_amazon_msk_is_given_a_token_that_aws_s_library_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "canary")
    brokers = "b-1.golf.abc.c2.kafka.eu-west-1.amazonaws.com:9098"
    provider = make_token_provider(Settings(brokers=brokers, kafka_sasl_mechanism="AWS_MSK_IAM"))
    token = await provider.token()
    assert len(token) > 100
    assert await provider.token() == token


@pytest.mark.parametrize(
    ("brokers", "region"),
    [
        ("b-1.golf.abc.c2.kafka.eu-west-1.amazonaws.com:9098", "eu-west-1"),
        ("boot-x.c3.kafka-serverless.us-east-2.amazonaws.com:9098", "us-east-2"),
    ],
)
def test_the_brokers_names_tell_the_region_unless_it_is_set(brokers: str, region: str) -> None:
    assert tokens.find_region(Settings(brokers=brokers)) == region
    assert tokens.find_region(Settings(brokers=brokers, kafka_aws_region="elsewhere-1")) == "elsewhere-1"
