# ruff: noqa: E501 (one line a case)
import contextlib
import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.check import check
from streams.engine.reading import read_journeys
from streams.errors import FairwayError


@pytest.mark.parametrize(
    ("text", "journeys"),
    [
        ("a: 1", [{"a": 1}]),
        ("- a: 1\n- b: 2\n---\nc: 3\n---\n", [{"a": 1}, {"b": 2}, {"c": 3}]),
        ('{"a": 1}', [{"a": 1}]),
        ('\t[{"a": 1},\n\t{"b": 2}]', [{"a": 1}, {"b": 2}]),
        ("{a: 1, b: [x, 'y']}", [{"a": 1, "b": ["x", "y"]}]),
        ("[{a: 1}]\n---\n[{b: 2}]", [{"a": 1}, {"b": 2}]),
        ("a: &same {x: 1}\nb: *same", [{"a": {"x": 1}, "b": {"x": 1}}]),
    ],
)
def test_a_file_holds_one_journey_or_several_as_yaml_or_json(text: str, journeys: list[Any]) -> None:
    assert read_journeys(text) == journeys


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-11-23", "2026-11-23"), ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z"), ("10:30", "10:30"),
        ("NO", "NO"), ("yes", "yes"), ("on", "on"), ("1_000", "1_000"), ("<<", "<<"), ("=", "="), ("'5'", "5"),
        ("true", True), ("False", False), ("", None), ("~", None), ("null", None), ("Null", None),
        ("5", 5), ("-5", -5), ("+5", 5), ("010", 10), ("0x1F", 31), ("0o17", 15),
        ("1.5", 1.5), (".5", 0.5), ("12.", 12.0), ("1e3", 1000.0), ("-1.5E-1", -0.15), ("-.inf", -math.inf),
        ("1e", "1e"), (".", "."), ("-", [None]), ("1.2.3", "1.2.3"),
    ],
)  # fmt: skip
def test_what_looks_like_text_stays_text(text: str, value: object) -> None:
    assert read_journeys(f"a: {text}" if value != [None] else f"a:\n  {text}") == [{"a": value}]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The file holds no journey."),
        ("[]", "The file holds no journey."),
        ("# nothing", "The file holds no journey."),
        ("a: 1\nb: 2\na: 3", "'a' stands twice in one mapping, line 3; keep one."),
        ('{"a": 1, "a": 2}', "'a' stands twice in one mapping; keep one."),
        ("a: [", "The file is not YAML: line 1, expected the node content, but found '<stream end>'."),
        ("a: b: c", "The file is not YAML: line 1, mapping values are not allowed here."),
        ('{"a": 1', "The file is not JSON: line 1, Expecting ',' delimiter."),
        ('{"a": 1,\n "b": }}', "The file is not JSON: line 2, Expecting value."),
        ("a: *none", "The file is not YAML: line 1, found undefined alias 'none'."),
        ("? [a]\n: 1", "The file is not YAML: line 1, found unhashable key."),
        ("a: !!int x", "The file is not YAML: invalid literal for int() with base 10: 'x'."),
        ("\0", "The file is not YAML: unacceptable character #x0000: special characters are not allowed."),
        ("a: !!python/name:os.system x", "The file is not YAML: line 1, could not determine a constructor for the tag "
         "'tag:yaml.org,2002:python/name:os.system'."),
        ("- " * 5000, "The file is nested too deeply."),
        ('{"a":' * 50000, "The file is nested too deeply."),
        ("x" * (1 << 20) + "x", "The file has 1048577 characters; 1048576 are allowed."),
    ],
)  # fmt: skip
def test_an_unreadable_file_is_told_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(FairwayError, match=f"^{re.escape(sentence)}$"):
        read_journeys(text)


def test_a_file_of_just_1048576_characters_is_read() -> None:
    assert read_journeys("a: " + "x" * ((1 << 20) - 3)) == [{"a": "x" * ((1 << 20) - 3)}]


def test_aliases_that_multiply_or_go_round_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    [bomb] = read_journeys("\n".join(lines))
    assert [problem.text for problem in check(bomb)[1]] == ["It holds more than 100000 values."]
    [ring] = read_journeys("a: &a [*a]")
    assert [problem.text for problem in check(ring)[1]] == ["It is nested too deeply; 64 levels are allowed."]


@given(st.text() | st.text(alphabet="{}[]:-&*!?| \n'\"a1,#%"))
def test_reading_raises_nothing_else(text: str) -> None:
    with contextlib.suppress(FairwayError):
        assert read_journeys(text)
