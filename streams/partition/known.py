"""The customers that a partition keeps decoded from one transaction to the next."""

from collections.abc import Mapping

from models.customer import Customer

_SMALL_ROW = 64 * 1024  # bytes; the row of a customer who is kept is encoded at the commit, where it has to fit


class KnownCustomers(dict[bytes, Customer | None]):
    """As many customers as fit, as the store has them, those seen last."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room
        self._refused: set[bytes] = set()

    def may_keep(self, key: bytes, row: bytes | None) -> bool:
        """Say whether a customer with this row may be kept decoded, and be encoded only at the commit."""
        return (row is None or len(row) <= _SMALL_ROW) and key not in self._refused

    def refuse(self, key: bytes) -> None:
        """Keep this customer no more: the row is encoded after every slice from now on."""
        self._refused.add(key)
        self.pop(key, None)

    def keep(self, customers: Mapping[bytes, Customer | None], rows: Mapping[bytes, bytes | None]) -> None:
        """Remember customers whose rows have been committed."""
        self.update((key, customer) for key, customer in customers.items() if self.may_keep(key, rows.get(key)))
        for key in customers.keys() & rows.keys():
            if not self.may_keep(key, rows[key]):
                self.pop(key, None)
        if len(self) > self._room:
            for key in list(self)[: len(self) - self._room // 2]:
                del self[key]
