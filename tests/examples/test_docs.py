"""docs/clients.md says what the examples do and what Fairway does, and the examples' versions are those tested."""

import json
import re
from importlib.metadata import version
from pathlib import Path

import asyncpg
import pytest
import yaml

from models.customer import EVENTS_REMEMBERED
from models.messages import Event
from streams.engine.cloudevents import COMMAND_TYPE
from streams.engine.decoding import decode
from streams.engine.effects import SendCommand
from tests.examples.programs import CLIENTS, FOLDER, source

DOCS = Path("docs/clients.md").read_text()
PRODUCING, SENDING = DOCS.split("## What my sender must do")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)


def cells(part: str) -> dict[str, str]:
    """Return what the tables of a part say of each client."""
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", part, re.MULTILINE)
    columns = zip(*rows, strict=True)
    return dict(zip(CLIENTS, map("\n".join, columns), strict=True))


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("part", "program"), [(PRODUCING, "producer"), (SENDING, "sender")])
def test_what_the_tables_say_of_a_client_stands_in_its_example(part: str, program: str, client: str) -> None:
    manifests = (FOLDER / client).glob("requirements.txt")
    text = "\n".join(file.read_text() for file in [source(client, program), *manifests])
    told = re.findall(r"`([^`]+)`", cells(part)[client])
    assert len(told) >= 2
    assert [code for code in told if code not in text] == []


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*/requirements.txt")), ids=lambda file: file.parent.name)
def test_the_python_examples_pin_what_is_tested(file: Path) -> None:
    for line in file.read_text().splitlines():
        name, _, wanted = line.partition("==")
        assert version(name.partition("[")[0]) == wanted


def test_no_address_of_a_registry_stands_in_a_manifest() -> None:
    lock = json.loads((FOLDER / "kafkajs/package-lock.json").read_text())
    packages = [package for name, package in lock["packages"].items() if name]
    assert all("integrity" in package and "resolved" not in package for package in packages)
    assert "repository" not in (FOLDER / "java/pom.xml").read_text().lower()


def test_the_command_on_the_page_has_the_fields_of_a_command() -> None:
    (command,) = [json.loads(block) for block in blocks("json") if "commandId" in block]
    assert tuple(command) == SendCommand.__struct_encode_fields__


def test_the_cloudevent_on_the_page_is_an_event_in_both_modes() -> None:
    (text,) = [block for block in blocks("json") if "specversion" in block]
    attributes = json.loads(text)
    data = json.dumps(attributes.pop("data")).encode()
    structured = decode(text.encode(), (), "")
    assert isinstance(structured, Event)
    assert structured == decode(data, [(f"ce_{name}", item.encode()) for name, item in attributes.items()], "")


def test_the_page_names_the_numbers_and_names_of_fairway() -> None:
    retention = yaml.safe_load(Path("topics.yaml").read_text())["defaults"]["configs"]["retention.ms"]
    assert f"the last {EVENTS_REMEMBERED} events of each customer" in DOCS
    assert f"for {retention // 86_400_000} days (`retention.ms`)" in DOCS
    assert f"`ce_type` is `{COMMAND_TYPE.decode()}`" in DOCS


@pytest.mark.database
async def test_the_outbox_on_the_page_gives_an_event_and_old_ids_go(database: asyncpg.Connection) -> None:
    await database.execute("CREATE TABLE bookings (id text, customer_id text, tee_time timestamptz)")
    booking, clean_up = blocks("sql")
    await database.execute(booking)
    topic, key, event = await database.fetchrow("SELECT topic, key, event::text FROM outbox")
    found = decode(event.encode(), (), topic)
    assert isinstance(found, Event)
    assert (found.event_type, key) == ("teetime.booked", f"{found.tenant_id}:{found.customer_id}")
    await database.execute("""
        INSERT INTO handled_commands VALUES
            (gen_random_uuid(), 'sent', now() - interval '31 days'), (gen_random_uuid(), 'sent', now());
    """)
    await database.execute(clean_up)
    assert await database.fetchval("SELECT count(*) FROM handled_commands") == 1
