"""What an UPDATE writes under a path is what a condition reads under it (R8, R23)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.customer import Customer
from streams.engine.paths import PathError, compile_path, put, put_attribute
from tests.engine.build import Life, ask, event, journey, live, send, update

KEYS = st.sampled_from(["a", "b", "0", "1", "a.b", "b.0", "", "\u0660", "00"])
LEAF = st.booleans() | st.integers(0, 3) | st.sampled_from(["", "x"])
VALUES = st.recursive(
    LEAF | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)
PATHS = st.lists(KEYS, min_size=1, max_size=3).map(".".join)


@given(OBJECTS, PATHS, LEAF | st.lists(LEAF, max_size=2))
def test_what_is_put_is_found_and_what_is_removed_is_not(values: dict[str, Any], path: str, value: Any) -> None:
    find = compile_path(path)
    try:
        after = put(values, path, value)
    except PathError:
        assert find(values) is None
        after = values
    else:
        assert find(after) == value
        assert type(find(after)) is type(value)
    assert find(put(after, path, None)) is None
    assert find(put(values, path, None)) is None


@given(OBJECTS, PATHS, LEAF)
def test_nothing_else_changes(values: dict[str, Any], path: str, value: Any) -> None:
    try:
        after = put(values, path, value)
    except PathError:
        return
    first = path.split(".")[0]
    assert {key: kept for key, kept in after.items() if key not in (first, path)} == {
        key: kept for key, kept in values.items() if key not in (first, path)
    }


@pytest.mark.parametrize(
    ("values", "path", "value", "after"),
    [
        ({"score.total": 10}, "score.total", 15, {"score.total": 15}),
        ({"score.total": 10, "score": {"total": 1}}, "score.total", 15, {"score.total": 15, "score": {"total": 1}}),
        (
            {"score.total": None, "score": {"total": 1}},
            "score.total",
            2,
            {"score.total": None, "score": {"total": 2}},
        ),
        ({}, "score.total", 15, {"score": {"total": 15}}),
        ({"score.total": 10, "score": {"total": 1}}, "score.total", None, {}),
        ({"tags": ["a", "b"]}, "tags.1", "c", {"tags": ["a", "c"]}),
        ({"tags": ["a", "b"]}, "tags.00", "c", {"tags": ["c", "b"]}),
        ({"tags": ["a", "b"]}, "tags.9", None, {"tags": ["a", "b"]}),
        ({"name": "Ann"}, "name.first", None, {"name": "Ann"}),
        ({"a": {"\u0660": 1}}, "a.\u0660", 2, {"a": {"\u0660": 2}}),
    ],
)
def test_a_value_is_put_where_it_is_looked_for(
    values: dict[str, Any], path: str, value: Any, after: dict[str, Any]
) -> None:
    assert put(values, path, value) == after
    assert compile_path(path)(after) == value


@pytest.mark.parametrize("index", ["\u0660", "²", "-1", "+0", "1_0", "0 ", "9" * 5000, "9" * 9, "1e0"])
def test_an_index_is_digits_of_ascii_and_within_the_list(index: str) -> None:
    path = f"tags.{index}"
    assert compile_path(path)({"tags": ["a"]}) is None
    with pytest.raises(PathError, match="would lie inside a list"):
        put({"tags": ["a"]}, path, "b")


def test_a_path_may_have_32_parts() -> None:
    assert compile_path(".".join("a" * 32))(put({}, ".".join("a" * 32), 1)) == 1
    with pytest.raises(PathError, match="has 33 parts, but 32 are allowed"):
        put({}, ".".join("a" * 33), 1)


def test_an_attribute_has_one_name_whatever_stands_in_it() -> None:
    assert put_attribute({"a": {"b": 1}}, "a.b", 2) == {"a": {"b": 1}, "a.b": 2}
    assert put_attribute({"a": {"b": 1}, "a.b": 2}, "a.b", None) == {"a": {"b": 1}}


def test_R23_a_condition_sees_what_an_update_wrote_under_a_key_with_dots() -> None:
    steps = [
        update("u", {"field": "score.total", "operation": "increment", "value": 5}),
        ask("ask", {"field": "customer.score.total", "operator": "equals", "value": 15}, nextStepNoId="end"),
        send(),
    ]
    life = Life(live(journey(*steps)), Customer("pinehurst", "c-7", {"score.total": 10})).give(event())
    assert len(life.sent) == 1
    assert life.customer is not None
    assert life.customer.profile == {"score.total": 15}
