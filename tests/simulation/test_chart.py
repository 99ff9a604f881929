"""How many customers stood in each step, and when."""

from streams.simulation.chart import find_moves
from tests.engine.build import NOON, hours, journey, send, wait
from tests.simulation.build import control, line, run

ONE = journey(wait("first"), send(), wait("second", "1 hour"))


def test_a_customer_stands_in_a_wait_from_its_beginning_to_its_end() -> None:
    outputs = run([ONE], line(1, "a"), line(2, "b", NOON + hours(0.5)))
    assert find_moves(outputs, {ONE.id: "Welcome"}) == [
        (NOON, "Welcome / first", 1),
        (NOON + hours(0.5), "Welcome / first", 1),
        (NOON + hours(2), "Welcome / first", -1),
        (NOON + hours(2), "Welcome / second", 1),
        (NOON + hours(2.5), "Welcome / first", -1),
        (NOON + hours(2.5), "Welcome / second", 1),
        (NOON + hours(3), "Welcome / second", -1),
        (NOON + hours(3.5), "Welcome / second", -1),
    ]


def test_who_leaves_stands_there_no_more() -> None:
    outputs = run([ONE], line(1, "a"), control("exit", NOON + hours(1), customerId="a"))
    assert [change for _, _, change in find_moves(outputs, {})] == [1, -1]
