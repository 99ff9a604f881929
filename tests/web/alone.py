"""The other workers, as one of them knows them: those that a test names, if any."""

from collections.abc import Mapping


class Alone:
    address = "http://127.0.0.1"

    def __init__(self, others: Mapping[str, frozenset[int]] | None = None) -> None:
        self._others = others or {}

    def members(self) -> Mapping[str, frozenset[int]]:
        return self._others
