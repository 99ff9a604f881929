"""The example clients, each in its own language; those whose language is not on the machine are skipped."""

import fcntl
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from streams.settings import environment
from tests.databases import EMPTY
from tests.examples.programs import FOLDER, Start, command


@pytest.fixture(scope="session")
def kafkajs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the kafkajs example, with its packages."""
    _need("node", "npm")
    folder = shutil.copytree(FOLDER / "kafkajs", tmp_path_factory.mktemp("kafkajs"), dirs_exist_ok=True)
    with _turn(tmp_path_factory):
        _run(["npm", "ci", "--prefer-offline", "--no-audit", "--no-fund"], folder)
    return folder


@pytest.fixture(scope="session")
def java(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the Java example, compiled, with its class path in a file."""
    _need("javac", "mvn")
    folder = shutil.copytree(FOLDER / "java", tmp_path_factory.mktemp("java"), dirs_exist_ok=True)
    with _turn(tmp_path_factory):
        _run(["mvn", "-q", "-B", "compile", "dependency:build-classpath", "-Dmdep.outputFile=classpath"], folder)
    return folder


@contextmanager
def _turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let no other process of tests fetch meanwhile: Maven's own folder is not made for two at a time."""
    with (tmp_path_factory.getbasetemp().parent / "fetch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _need(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"not on this machine: {', '.join(missing)}")


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Start]:
    """Start a client's program; what runs at the end of the test is killed, and all that they wrote is printed."""
    started: list[subprocess.Popen[bytes]] = []
    log = tmp_path / "programs.log"

    def start(client: str, program: str, variables: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        folder = request.getfixturevalue(client) if client in ("kafkajs", "java") else FOLDER / client
        with log.open("ab") as output:
            process = subprocess.Popen(
                command(client, program, folder), cwd=folder, stdout=output, stderr=output,
                env=environment() | variables,
            )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
    if log.exists():
        print(log.read_text())


@pytest.fixture
def content() -> str:
    return EMPTY


@pytest.fixture
async def database(database_url: str) -> "asyncpg.Connection":
    """A connection to a database of the test's own that holds the examples' tables."""
    connection = await asyncpg.connect(database_url)
    await connection.execute((FOLDER / "schema.sql").read_text())
    yield connection
    await connection.close()


@pytest.fixture
def variables(broker: str, database_url: str) -> dict[str, str]:
    """What the programs read from the environment, but for the provider's address."""
    user, _, address = database_url.removeprefix("postgresql://").partition("@")
    name, _, password = user.partition(":")
    return {
        "KAFKA_BROKERS": broker,
        "DATABASE_URL": database_url,
        "JDBC_URL": f"jdbc:postgresql://{address}?user={name}&password={password}",
    }
