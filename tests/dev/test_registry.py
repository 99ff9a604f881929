"""A jar comes whole from a registry that breaks off, and from one that knows no ranges."""

from pathlib import Path

import pytest

from streams.dev.registry import Registry, find_address
from streams.errors import FairwayError
from tests.dev.conftest import Shelf

CONTENT = bytes(range(256)) * 1000
MIRRORS = """<settings xmlns="urn:settings"><mirrors>
  <mirror><id>blocker</id><mirrorOf>external:http:*</mirrorOf><url>http://0.0.0.0/</url></mirror>
  <mirror><id>ours</id><mirrorOf>{of}</mirrorOf><url>https://maven.example/all/</url></mirror>
</mirrors></settings>"""


def download(shelf: Shelf, file: Path) -> int:
    with Registry.connect(shelf.address) as registry:
        return sum(registry.download("org.example:a:1.0", len(CONTENT), file))


def test_a_connection_that_breaks_is_taken_up_where_it_broke(shelf: Shelf, tmp_path: Path) -> None:
    shelf.add("a", CONTENT)
    shelf.breaks["/org/example/a/1.0/a-1.0.jar"] = [100_000, 50_000]
    assert download(shelf, tmp_path / "a") == len(CONTENT)
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert [wanted for _, wanted in shelf.asked] == ["bytes=0-", "bytes=100000-", "bytes=150000-"]


def test_a_registry_that_gives_no_ranges_sends_all_again(shelf: Shelf, tmp_path: Path) -> None:
    shelf.add("a", CONTENT)
    shelf.knows_ranges = False
    (tmp_path / "a").write_bytes(CONTENT[:5000])
    assert download(shelf, tmp_path / "a") == len(CONTENT)
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_what_is_whole_is_not_asked_for_and_what_is_too_long_is_fetched_anew(shelf: Shelf, tmp_path: Path) -> None:
    shelf.add("a", CONTENT)
    (tmp_path / "a").write_bytes(CONTENT)
    assert download(shelf, tmp_path / "a") == 0
    assert shelf.asked == []
    (tmp_path / "a").write_bytes(CONTENT + b"more")
    assert download(shelf, tmp_path / "a") == len(CONTENT)
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_after_three_breaks_the_sentence_says_what_to_do_and_the_part_is_kept(shelf: Shelf, tmp_path: Path) -> None:
    shelf.add("a", CONTENT)
    shelf.breaks["/org/example/a/1.0/a-1.0.jar"] = [1000] * 3
    with pytest.raises(FairwayError, match=r"'org\.example:a:1\.0' cannot be fetched from .* run this again"):
        download(shelf, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT[:3000]


def test_a_jar_that_the_registry_does_not_have_is_named(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(FairwayError, match=r"'org\.example:a:1\.0' cannot be fetched .*404.*FAIRWAY_MAVEN_URL"):
        download(shelf, tmp_path / "a")


@pytest.mark.parametrize(
    ("of", "counts"),
    [("central", True), ("*", True), ("other,external:*", True), ("*,!central", False), ("other", False)],
)
def test_the_mirror_of_maven_s_own_settings_counts_where_it_stands_for_central(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, of: str, counts: bool
) -> None:
    monkeypatch.delenv("FAIRWAY_MAVEN_URL", raising=False)
    (tmp_path / "settings.xml").write_text(MIRRORS.format(of=of))
    default = find_address(tmp_path / "none.xml")
    assert default.startswith("https://")
    assert find_address(tmp_path / "settings.xml") == ("https://maven.example/all" if counts else default)


def test_the_setting_comes_before_maven_s_own(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "settings.xml").write_text(MIRRORS.format(of="*"))
    assert find_address(tmp_path / "settings.xml") == shelf.address


def test_settings_that_are_no_xml_name_no_mirror(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FAIRWAY_MAVEN_URL", raising=False)
    (tmp_path / "settings.xml").write_text("<settings")
    assert find_address(tmp_path / "settings.xml") == find_address(tmp_path / "none.xml")
