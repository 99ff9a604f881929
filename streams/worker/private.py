"""Folders whose files nobody else on the machine may read: they hold what is known of people.

What a worker makes later is private by its umask (streams/cli/worker.py).
"""

from contextlib import suppress
from pathlib import Path

_FOLDER, _FILE, _OTHERS = 0o700, 0o600, 0o077


def make_private(folder: Path) -> None:
    """Make a folder, or take the rights to one that is there, and to all below, from everybody else."""
    folder.parent.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
    folder.mkdir(mode=_FOLDER, exist_ok=True)
    for path in (folder, *folder.rglob("*")):
        with suppress(FileNotFoundError):  # a store that is open drops files
            _take(path)


def _take(path: Path) -> None:
    mode = path.lstat().st_mode
    if mode & _OTHERS and not path.is_symlink():
        path.chmod(_FOLDER if path.is_dir() else _FILE)
