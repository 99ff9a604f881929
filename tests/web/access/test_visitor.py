"""What a role and tenants allow."""

import pytest

from streams.web.access.visitor import NOBODY, Visitor, make_visitor


@pytest.mark.parametrize(("role", "acts"), [("read", False), ("write", True), ("admin", True)])
def test_only_readers_may_not_act_and_see_no_personal_fields(role: str, acts: bool) -> None:
    visitor = make_visitor("ann", role, ["golf"])
    assert (visitor.may_act, visitor.sees_personal) == (acts, acts)


def test_a_visitor_sees_their_tenants_alone() -> None:
    visitor = make_visitor("ann", "read", ["golf", "tennis"])
    assert visitor == Visitor("ann", frozenset({"golf", "tennis"}), "read")
    assert (visitor.sees("golf"), visitor.sees("chess"), visitor.sees("")) == (True, False, False)


def test_a_star_stands_for_all_tenants() -> None:
    assert make_visitor("root", "admin", ["*"]).sees("anything")


def test_nobody_sees_nothing() -> None:
    assert (NOBODY.sees(""), NOBODY.may_act, NOBODY.sees_personal) == (False, False, False)
