"""A worker without others."""


class Alone:
    address = "http://127.0.0.1"

    def members(self) -> dict[str, frozenset[int]]:
        return {}
