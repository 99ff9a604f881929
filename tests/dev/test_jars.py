"""Jars are the locked ones, byte for byte, whatever the registry gives and whenever a fetch ends."""

import re
from pathlib import Path

import pytest

from streams.dev import jars, java
from streams.errors import FairwayError
from tests.dev.conftest import Shelf


def test_jars_are_fetched_once_and_a_damaged_one_again(shelf: Shelf, tmp_path: Path) -> None:
    wanted = [shelf.add(name, name.encode() * 70_000) for name in "abcdefghijkl"]
    files = jars.fetch(wanted, tmp_path)
    assert [file.read_bytes() for file in files] == [name.encode() * 70_000 for name in "abcdefghijkl"]
    files[3].write_bytes(b"rotten")
    assert jars.fetch(wanted, tmp_path) == files
    assert files[3].read_bytes() == b"d" * 70_000
    assert sorted(name for name, _ in shelf.asked) == sorted(f"{name}-1.0.jar" for name in (*"abcdefghijkl", "d"))
    assert not list(tmp_path.glob("*.part"))


def test_a_fetch_that_ended_in_the_middle_goes_on_with_what_is_missing(shelf: Shelf, tmp_path: Path) -> None:
    first, second = shelf.add("a", b"a" * 70_000), shelf.add("b", b"b" * 90_000)
    shelf.breaks["/org/example/b/1.0/b-1.0.jar"] = [10_000] * 3
    with pytest.raises(FairwayError, match="run this again"):
        jars.fetch([first, second], tmp_path)
    shelf.asked.clear()
    files = jars.fetch([first, second], tmp_path)
    assert [file.stat().st_size for file in files] == [70_000, 90_000]
    assert ("b-1.0.jar", "bytes=30000-") in shelf.asked


def test_a_jar_with_another_hash_is_refused_and_not_kept(shelf: Shelf, tmp_path: Path) -> None:
    wanted = shelf.add("a", b"good")
    shelf.add("a", b"evil")
    with pytest.raises(FairwayError, match=r"'org\.example:a:1\.0' as http.* SHA-256 differs"):
        jars.fetch([wanted], tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["fetch.lock"]


def test_kafka_s_locked_list_is_whole() -> None:
    locked = jars.read_lock(java.LOCK)
    names = {jar.coordinates.split(":")[1] for jar in locked}
    assert {"kafka_2.13", "kafka-clients", "kafka-tools", "scala-library", "log4j-core"} <= names
    assert len({jar.file_name for jar in locked}) == len(locked)
    assert all(jar.size > 0 and re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in locked)
