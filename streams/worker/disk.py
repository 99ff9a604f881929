"""What lies on a worker's disk: whose stores, and whether it is another worker's disk, too."""

from contextlib import suppress
from pathlib import Path
from secrets import token_hex

STORE = "store-"
"""What the folder of a partition's rows is called by, with the partition's number."""

_NAME = "disk"


class Disk:
    """The folder of an app's stores, which processes of one machine may share; none of a worker without files."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @property
    def stored(self) -> frozenset[int]:
        """Return the partitions of which there is a store, however old it is, and whoever has it open."""
        folders = () if self._folder is None else self._folder.glob(f"{STORE}*")
        numbers = (folder.name.removeprefix(STORE) for folder in folders)
        return frozenset(int(number) for number in numbers if number.isdecimal())

    @property
    def name(self) -> str:
        """Return what all processes with this folder, and no others, know it by; empty if there is none."""
        if self._folder is None:
            return ""
        place = self._folder / _NAME
        try:
            with suppress(FileExistsError), place.open("x") as file:
                file.write(token_hex(8))
            return place.read_text()
        except OSError:  # it is full, say: then it is nobody else's as far as is known
            return ""
