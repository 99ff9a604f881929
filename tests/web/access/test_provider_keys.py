"""The keys of an identity provider: new ones are followed, and no flood of tokens floods it or holds good ones."""

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.exceptions import HTTPException

from streams.web.access import provider_keys
from streams.web.access.provider_keys import ProviderKeys, UnknownKeyError
from tests import client
from tests.web.access.provider import Provider, write


@pytest.fixture
def keys(provider: Provider) -> ProviderKeys:
    return ProviderKeys(provider.url)


async def find(keys: ProviderKeys, id_: str) -> str | int:
    """Return the id of the key that was found, or the status of the refusal."""
    try:
        return str((await keys.find(id_)).key_id)
    except UnknownKeyError:
        return 401
    except HTTPException as refused:
        return refused.status_code


async def test_new_keys_are_followed_and_old_ones_forgotten(
    provider: Provider, keys: ProviderKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await find(keys, "rsa-1") == "rsa-1"
    provider.keys = [write(ec.generate_private_key(ec.SECP256R1()), "ec-2", "ES256")]
    assert await find(keys, "ec-2") == 401  # it was asked a moment ago
    monkeypatch.setattr(provider_keys, "_PAUSE", 0.0)
    assert await find(keys, "ec-2") == "ec-2"
    assert await find(keys, "rsa-1") == 401


async def test_unknown_keys_don_t_flood_the_provider(provider: Provider, keys: ProviderKeys) -> None:
    found = await asyncio.gather(*(find(keys, f"no-{number}") for number in range(100)))
    assert (set(found), provider.asked) == ({401}, 1)
    assert {await find(keys, f"more-{number}") for number in range(100)} == {401}
    assert provider.asked == 1


async def test_while_the_provider_is_slow_known_keys_are_not_held_by_unknown_ones(
    provider: Provider, keys: ProviderKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await find(keys, "rsa-1") == "rsa-1"
    monkeypatch.setattr(provider_keys, "_PAUSE", 0.0)
    provider.may_answer.clear()
    strangers = [asyncio.create_task(find(keys, f"no-{number}")) for number in range(50)]
    await asyncio.to_thread(client.wait_until, lambda: provider.asked == 2)
    assert {await find(keys, "rsa-1") for _ in range(20)} == {"rsa-1"}
    assert not any(task.done() for task in strangers)
    provider.may_answer.set()
    assert set(await asyncio.gather(*strangers)) == {401}
    assert provider.asked == 2


async def test_keys_that_are_old_are_used_while_the_provider_is_asked_but_not_for_ever(
    provider: Provider, keys: ProviderKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await find(keys, "rsa-1") == "rsa-1"
    monkeypatch.setattr(provider_keys, "_FRESH", 0.0)
    provider.may_answer.clear()
    assert await find(keys, "rsa-1") == "rsa-1"
    await asyncio.to_thread(client.wait_until, lambda: provider.asked == 2)
    provider.body = b"gone"
    provider.may_answer.set()
    monkeypatch.setattr(provider_keys, "_USABLE", 0.0)
    monkeypatch.setattr(provider_keys, "_PAUSE", 0.0)
    assert await find(keys, "rsa-1") == 503


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"keys": []}', b"[]", b'{"keys": 5}', bytes(1024 * 1024 + 1)])
async def test_while_the_provider_gives_no_keys_nobody_gets_in(
    provider: Provider, keys: ProviderKeys, body: bytes
) -> None:
    provider.body = body
    assert await find(keys, "rsa-1") == 503
    provider.body = None
    assert await find(keys, "rsa-1") == "rsa-1"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/keys", "http://[", "nonsense"])
async def test_while_the_provider_is_away_nobody_gets_in(url: str) -> None:
    assert await find(ProviderKeys(url), "rsa-1") == 503


async def test_a_provider_that_does_not_answer_is_given_up(
    provider: Provider, keys: ProviderKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_keys, "_PATIENCE", 0.05)
    provider.may_answer.clear()
    assert await find(keys, "rsa-1") == 503
    provider.may_answer.set()
