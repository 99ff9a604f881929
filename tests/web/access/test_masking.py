"""Personal fields are hidden from those who may only look, wherever their values stand."""

from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from streams.settings import Settings
from streams.web.access.masking import MASK, SENTENCE, Mask
from tests.web.conftest import make_test_api
from tests.web.story import enrollments

EMAIL = Mask(["email"])


@pytest.mark.parametrize(
    ("fields", "data", "seen"),
    [
        ("email", {"email": "a@b", "tier": "Gold"}, {"email": MASK, "tier": "Gold"}),
        ("email", {"deep": [{"email": "a@b"}]}, {"deep": [{"email": MASK}]}),
        ("email", {"email": {"work": "a@b"}}, {"email": MASK}),
        ("email", {"contact.email": "a@b"}, {"contact.email": MASK}),
        ("email", {"email.work": "a@b"}, {"email.work": MASK}),
        ("email", {"EMail": "a@b"}, {"EMail": MASK}),
        ("email", {"email": None}, {"email": None}),
        ("email", {"email": 5551234, "note": "call 5551234"}, {"email": MASK, "note": f"call {MASK}"}),
        ("email", {"emails": "a@b"}, {"emails": "a@b"}),
        ("contact.email", {"contact": {"email": "a@b", "tier": "x"}}, {"contact": {"email": MASK, "tier": "x"}}),
        ("contact.email", {"contact.email": "a@b", "email": "c@d"}, {"contact.email": MASK, "email": "c@d"}),
        ("contacts.email", {"contacts": [{"email": "a@b"}]}, {"contacts": [{"email": MASK}]}),
        ("customer.email", {"email": "a@b"}, {"email": MASK}),
        (" email , phone", {"phone": "1234"}, {"phone": MASK}),
        ("email", {"email": "a@b", "copy": "of a@b"}, {"email": MASK, "copy": f"of {MASK}"}),
        ("email", {"email": "a@b", "by": {"a@b": 1}}, {"email": MASK, "by": {MASK: 1}}),
        ("email", {"email": "a", "tier": "a"}, {"email": MASK, "tier": "a"}),
    ],
)  # fmt: skip
def test_a_field_is_hidden_by_its_name_wherever_it_stands(fields: str, data: Any, seen: Any) -> None:
    assert Mask(fields.split(",")).data(data) == seen


@pytest.mark.parametrize(
    ("rule", "seen"),
    [
        ({"field": "email", "seen": "a@b", "matched": True}, {"field": "email", "seen": MASK, "matched": True}),
        ({"field": "customer.email.work", "before": 1, "after": None},
         {"field": "customer.email.work", "before": MASK, "after": None}),
        ({"field": "tier", "valueField": "customer.email", "value": "a@b", "seen": "Gold"},
         {"field": "tier", "valueField": "customer.email", "value": MASK, "seen": MASK}),
        ({"field": "event.data", "seen": {"email": "a@b", "n": 1}},
         {"field": "event.data", "seen": {"email": MASK, "n": 1}}),
        ({"combinator": "AND", "rules": [{"field": "email", "value": "a@b"}]},
         {"combinator": "AND", "rules": [{"field": "email", "value": MASK}]}),
        ({"field": "tier", "value": "Gold"}, {"field": "tier", "value": "Gold"}),
    ],
)  # fmt: skip
def test_what_a_rule_saw_of_a_personal_field_is_hidden(rule: Any, seen: Any) -> None:
    row = {"entries": [{"type": "enrollment.refused", "evaluatedRules": [rule]}]}
    assert EMAIL.row(row)["entries"][0]["evaluatedRules"] == [seen]
    assert EMAIL.data(rule) == seen


@pytest.mark.parametrize("name", ["detail", "error", "note"])
def test_a_sentence_that_names_a_personal_field_is_hidden(name: str) -> None:
    of_field = {"entries": [{"type": "step.failed", name: "'customer.email' is the text 'a@b', not a number."}]}
    assert EMAIL.row(of_field)["entries"][0][name] == SENTENCE
    of_others = {"entries": [{"type": "step.failed", name: "'score' is a list, not a number."}]}
    assert EMAIL.row(of_others) == of_others


def test_a_key_that_was_taken_from_a_personal_field_is_hidden() -> None:
    row = {"enrollment_key": "ann@x.com", "trigger_data": {"email": "ann@x.com"}, "status": "ACTIVE"}
    assert EMAIL.row(row) == {"enrollment_key": MASK, "trigger_data": {"email": MASK}, "status": "ACTIVE"}


def test_our_own_names_stay_however_fields_are_named() -> None:
    row = {"status": "ACTIVE", "version": 1, "entries": [{"type": "x", "status": "y"}], "attributes": {"status": 1}}
    assert Mask(["status", "version", "type"]).row(row) == row | {"attributes": {"status": MASK}}


def test_a_row_of_the_table_is_hidden_in_all_its_parts() -> None:
    state = {
        "tenantId": "t", "customerId": "c", "profile": {"email": "ann@x.com"},
        "enrollments": {"id-1": {"version": 2, "key": "ann@x.com", "data": {"email": "ann@x.com"}, "event": {}}},
        "deferred": [{"data": {"email": "ann@x.com"}}],
    }  # fmt: skip
    seen = Mask(["email", "version"]).customer(state)
    assert b"ann@x" not in msgspec.json.encode(seen)
    assert seen["enrollments"]["id-1"]["version"] == 2


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        (b'{"data": {"email": "a@b"}}', '{"data":{"email":"•••"}}'),
        (b'{"specversion": "1.0", "data_base64": "eyJlIjoxfQ=="}', '{"specversion":"1.0","data_base64":"•••"}'),
        (b'{"email": "a@b"', MASK), (b"\xff", MASK), (b"[" * 5000, MASK), (b"", MASK), (None, None),
    ],
)  # fmt: skip
def test_a_record_that_is_no_json_is_hidden_as_a_whole(raw: bytes | None, seen: str | None) -> None:
    assert EMAIL.record(raw) == (seen.encode() if seen is not None else None)


def test_without_personal_fields_nothing_is_hidden() -> None:
    nothing = Mask()
    row = {"detail": "email", "attributes": {"email": 1}}
    assert (nothing.row(row), nothing.data(row), nothing.record(b"x"), nothing.hides) == (row, row, b"x", False)


@pytest.mark.database
async def test_personal_fields_are_masked_for_readers(client: httpx.AsyncClient, tokens: dict[str, str]) -> None:
    reader = {"authorization": f"Bearer {tokens['reader']}"}
    assert "Ann" in (await client.get("/customers/pinehurst/c-12/timeline")).text
    for path in ("", "/timeline", "/enrollments", "/why-not"):
        shown = await client.get(f"/customers/pinehurst/c-12{path}", headers=reader)
        assert shown.status_code == 200
        assert "Ann" not in shown.text
    (one,) = await enrollments(client, customer="c-12")
    assert "Ann" not in (await client.get(f"/enrollments/{one['id']}", headers=reader)).text


@pytest.mark.database
async def test_a_personal_field_named_as_one_of_ours_hides_only_its_own(
    client: httpx.AsyncClient, web_settings: Settings, engine: AsyncEngine, tokens: dict[str, str]
) -> None:
    (one,) = await enrollments(client, customer="c-12")
    named = web_settings.model_copy(update={"personal_fields": "status,type,id,version,field,membershipTier"})
    transport, reader = httpx.ASGITransport(make_test_api(engine, named)), f"Bearer {tokens['reader']}"
    async with httpx.AsyncClient(transport=transport, base_url=client.base_url) as other:
        for path in ("timeline", "enrollments", "why-not", ""):
            path = f"/customers/pinehurst/c-12/{path}".rstrip("/")
            answer = await other.get(path, headers={"authorization": reader})
            assert answer.status_code == 200
            assert "Gold" not in answer.text
        shown = await other.get(f"/enrollments/{one['id']}", headers={"authorization": reader})
        assert shown.json()["status"] == one["status"]
