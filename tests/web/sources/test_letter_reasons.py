"""Reasons of dead letters are told apart by what was wrong, not by numbers or by whom a sentence names."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from streams.web.sources.letter_reasons import Told, count_reasons
from tests.web.sources.test_samples import START

MISSING = "The field '{}' is required; it must be a text of up to 256 characters."
SIZE = "The value has {} bytes, but 1048576 are allowed."
REPAIR = "run 'fairway state repair --tenant golf --customer"
DAMAGED = f"The state of customer '{{0}}' is damaged: {REPAIR} {{0}}', then replay this."
FAILED = "Fairway failed on it ({}: {}); the log has the rest."
CASES: dict[str, tuple[Sequence[str], list[tuple[int, str]]]] = {
    "one field each": (
        [MISSING.format(name) for name in ("occurredAt", "tenantId", "customerId", "tenantId", "occurredAt")],
        [(2, MISSING.format("occurredAt")), (2, MISSING.format("tenantId")), (1, MISSING.format("customerId"))],
    ),
    "one size": ([SIZE.format(2_000_000)], [(1, SIZE.format(2_000_000))]),
    "many sizes": ([SIZE.format(2_000_000), SIZE.format(3_000_000)], [(2, SIZE.format("…"))]),
    "customers": (
        [DAMAGED.format("ann"), DAMAGED.format("bea")],
        [(2, f"The state of customer … is damaged: {REPAIR} … then replay this.")],
    ),
    "a customer with a space": (
        [DAMAGED.format("c-1"), DAMAGED.format("c 2")],
        [(2, "The state of customer … is damaged: run …, then replay this.")],
    ),
    "keys": (
        ["The state of 'golf:c-1' is not damaged.", "The state of 'golf:ann' is not damaged."],
        [(2, "The state of … is not damaged.")],
    ),
    "errors": (
        [FAILED.format("KeyError", "'a'"), FAILED.format("KeyError", "b (c"), FAILED.format("TypeError", "a")],
        [(2, FAILED.format("KeyError", "…")), (1, FAILED.format("TypeError", "a"))],
    ),
}  # fmt: skip


def told(reason: str, code: str = "schema", minutes: int = 0) -> Told:
    return Told(code, reason, START + timedelta(minutes=minutes))


@pytest.mark.parametrize(("reasons", "counted"), CASES.values(), ids=CASES)
def test_reasons_of_one_kind_are_one(reasons: list[str], counted: list[tuple[int, str]]) -> None:
    found = [(one.letters, one.text) for one in count_reasons(map(told, reasons)).shown]
    assert found == sorted(counted, key=lambda pair: (-pair[0], pair[1]))


def test_a_code_is_counted_apart_with_when_its_newest_came() -> None:
    found = count_reasons([told("A.", minutes=1), told("A.", minutes=5), told("A.", "damaged", 3)]).shown
    assert [(one.code, one.letters, one.newest) for one in found] == [
        ("schema", 2, START + timedelta(minutes=5)), ("damaged", 1, START + timedelta(minutes=3)),
    ]  # fmt: skip


def test_only_so_many_are_told_and_how_many_are_left_out_is_said() -> None:
    every = [told(f"Field '{letter}'.") for letter in "aaabbcde"]
    found = count_reasons(every, 2)
    assert [(one.text, one.letters) for one in found.shown] == [("Field 'a'.", 3), ("Field 'b'.", 2)]
    assert (found.left_out, found.letters_left_out) == (3, 3)
