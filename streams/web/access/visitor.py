"""Who asks: a name, a role, and the tenants whose data they may see."""

import msgspec
from starlette.requests import Request

ROLES = ("read", "write", "admin")

Tenants = frozenset[str] | None
"""The tenants that may be seen; None stands for all."""


class Visitor(msgspec.Struct, frozen=True):
    """Someone who asks; roles are read, write and admin."""

    name: str = ""
    tenants: Tenants = None
    role: str = "admin"

    @property
    def may_act(self) -> bool:
        """Say whether they may change anything."""
        return self.role != "read"

    @property
    def sees_personal(self) -> bool:
        """Say whether personal fields are shown as they are."""
        return self.role != "read"

    def sees(self, tenant_id: str) -> bool:
        """Say whether this tenant's data may be shown; if not, it is as if it were not there."""
        return self.tenants is None or tenant_id in self.tenants


NOBODY = Visitor(tenants=frozenset(), role="read")
"""Whoever is not known: sees nothing."""


def make_visitor(name: str, role: str, tenants: list[str]) -> Visitor:
    """Return who has this role in these tenants; "*" stands for all of them."""
    return Visitor(name, None if "*" in tenants else frozenset(tenants), role)


def visitor_of(request: Request) -> Visitor:
    """Return who asks."""
    visitor: Visitor = request.state.visitor
    return visitor
