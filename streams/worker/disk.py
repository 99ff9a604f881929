"""What lies on a worker's disk: which stores there are, and which disk it is, for other workers may be on it."""

from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from streams.clock import now
from streams.state.rocksdb import OLDEST

STORE = "store-"
"""What the folder of a partition's rows is called by, with the partition's number."""

_NAME = "disk"


class Disk:
    """The folder of an app's stores, which processes of one machine may share; none of a worker without files."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @property
    def stored(self) -> frozenset[int]:
        """Return the partitions of which there is a store that is not too old to be used, whoever has it open."""
        folders = () if self._folder is None else self._folder.glob(f"{STORE}*")
        numbers = {folder.name.removeprefix(STORE): folder for folder in folders}
        return frozenset(int(number) for number, at in numbers.items() if number.isdecimal() and _is_young(at))

    @property
    def name(self) -> str:
        """Return what all processes with this folder, and no others, know it by; empty if there is none."""
        if self._folder is None:
            return ""
        place = self._folder / _NAME
        try:
            if not place.exists() or not place.read_text():
                place.write_text(token_hex(8))
            return f"{place.read_text()}-{place.stat().st_ino}"  # the latter, for the folder may have been copied
        except OSError:  # it is full, say: then it is nobody else's as far as is known
            return ""


def _is_young(store: Path) -> bool:
    with suppress(OSError):  # files of a store that is open come and go
        written = max((file.stat().st_mtime for file in store.iterdir()), default=0.0)
        return now().timestamp() - written < OLDEST.total_seconds()
    return True
