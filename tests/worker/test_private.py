"""What a worker keeps on disk is its own."""

from pathlib import Path

import pytest

from streams.worker.private import make_private


def modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))}


def test_a_new_folder_is_its_owner_s(tmp_path: Path) -> None:
    make_private(tmp_path / "data" / "app")
    assert (tmp_path / "data" / "app").stat().st_mode & 0o777 == 0o700


def test_of_a_folder_that_is_there_the_rights_of_others_are_taken(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "store-0").mkdir(parents=True)
    for path in (folder / "store-0" / "1.sst", folder / "LOCK"):
        path.touch(mode=0o644)
    make_private(folder)
    assert modes(folder) == {"data": 0o700, "store-0": 0o700, "1.sst": 0o600, "LOCK": 0o600}


@pytest.mark.parametrize("target", ["elsewhere", "nowhere"])
def test_what_a_link_leads_to_is_left_alone(tmp_path: Path, target: str) -> None:
    (tmp_path / "elsewhere").touch(mode=0o644)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link").symlink_to(tmp_path / target)
    make_private(tmp_path / "data")
    assert (tmp_path / "elsewhere").stat().st_mode & 0o777 == 0o644
