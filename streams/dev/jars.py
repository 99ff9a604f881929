"""Kafka's jars: a locked list, fetched once per user, and checked at every start."""

import fcntl
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import file_digest
from pathlib import Path
from threading import Event
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from streams.dev import wheels
from streams.dev.registry import Registry, find_address
from streams.errors import FairwayError

_AT_ONCE = 8  # connections: most jars are so small that one alone would wait longer than it reads
_MAVEN_SETTINGS = Path.home() / ".m2" / "settings.xml"


class Jar(NamedTuple):
    """One line of a locked list: group:artifact:version, bytes, SHA-256 in hexadecimal."""

    coordinates: str
    size: int
    sha256: str

    @property
    def file_name(self) -> str:
        """Return its name in the cache, where jars of several versions of Kafka lie side by side."""
        return f"{self.coordinates.replace(':', '_')}.jar"


def read_lock(file: Path) -> tuple[Jar, ...]:
    """Return the jars of a locked list; lines that begin with # are comments."""
    lines = [line.split() for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return tuple(Jar(coordinates, int(size), sha256) for coordinates, size, sha256 in lines)


def fetch(jars: Sequence[Jar], folder: Path | None = None) -> tuple[Path, ...]:
    """Return the jars' files, all whole; those that are missing or damaged are fetched, with a progress bar.

    What a break leaves is kept, and the next call goes on from there. Raises FairwayError with what failed.
    """
    folder = folder or wheels.load("platformdirs").user_cache_path("fairway") / "jars"
    folder.mkdir(parents=True, exist_ok=True)
    if _missing(jars, folder):
        with (folder / "fetch.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if missing := _missing(jars, folder):  # another may have fetched them meanwhile
                _fetch_all(missing, folder)
    return tuple(folder / jar.file_name for jar in jars)


def _missing(jars: Iterable[Jar], folder: Path) -> list[Jar]:
    return [jar for jar in jars if _digest(folder / jar.file_name) != jar.sha256]


def _digest(file: Path) -> str:
    if not file.exists():
        return ""
    with file.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()


def _fetch_all(jars: Sequence[Jar], folder: Path) -> None:
    console, size, ended = Console(stderr=True), sum(jar.size for jar in jars), Event()
    if not console.is_terminal:
        console.print(f"Fetching Kafka: {len(jars)} files, {size / 1e6:.0f} MB …")
    columns = (TextColumn("Fetching Kafka"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with (
        Registry.connect(find_address(_MAVEN_SETTINGS)) as registry,
        Progress(*columns, console=console, disable=not console.is_terminal) as progress,
        ThreadPoolExecutor(_AT_ONCE) as threads,
    ):
        bar = progress.add_task("", total=size)

        def fetch_one(jar: Jar) -> None:
            _fetch(jar, folder, registry, lambda count: progress.advance(bar, count), ended)

        try:
            largest_first = sorted(jars, key=lambda jar: -jar.size)
            for done in [threads.submit(fetch_one, jar) for jar in largest_first]:
                done.result()
        finally:
            ended.set()  # after an error, or Ctrl-C, the others end at their next piece
            threads.shutdown(wait=True, cancel_futures=True)


def _fetch(jar: Jar, folder: Path, registry: Registry, advance: Callable[[int], None], ended: Event) -> None:
    """Fetch a jar under another name, which it loses once it is known to be the one that was locked."""
    part = folder / f"{jar.file_name}.part"
    for count in registry.download(jar.coordinates, jar.size, part):
        if ended.is_set():
            return
        advance(count)
    if _digest(part) != jar.sha256:
        part.unlink()
        raise FairwayError(
            f"'{jar.coordinates}' as {registry.address} gives it is not the file that Fairway was tested with (its "
            "SHA-256 differs): run this again, or name another Maven registry in FAIRWAY_MAVEN_URL."
        )
    part.replace(folder / jar.file_name)
