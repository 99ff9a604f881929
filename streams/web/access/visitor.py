"""Who looks: a name, the tenants that they may see, and whether they may act."""

import msgspec

from streams.web.queries.query import Tenants

ROLES = ("read", "write", "admin")


class Visitor(msgspec.Struct, frozen=True):
    """Someone at the pages; `may_act` allows more than looking, `can_leave` says that there is a session to end."""

    name: str = ""
    tenants: Tenants = None
    may_act: bool = True
    can_leave: bool = False
    role: str = "admin"

    @property
    def sees_personal(self) -> bool:
        """Say whether personal fields are shown as they are."""
        return self.role != "read"

    def sees(self, tenant_id: str) -> bool:
        """Say whether this tenant's data may be shown; if not, it is as if it were not there."""
        return self.tenants is None or tenant_id in self.tenants
