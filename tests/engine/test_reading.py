# ruff: noqa: E501 (one line a case)
import contextlib
import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.check import check
from streams.engine.reading import read_journeys, split_lines
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


LONG_NUMBER = "The number 99999999999999999999… has 5000 digits; put quotes around it."
UNKNOWN_TAG = "The file is not YAML: line 1, could not determine a constructor for the tag 'tag:yaml.org,2002:"


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
        ("a: !!timestamp 2026-11-23", f"{UNKNOWN_TAG}timestamp'."),
        ("a: !!timestamp x", f"{UNKNOWN_TAG}timestamp'."),
        ("a: !!binary x", f"{UNKNOWN_TAG}binary'."),
        ("a: !!set {x}", f"{UNKNOWN_TAG}set'."),
        ("a: !!bool x", "The file is not YAML: 'x' is neither true nor false."),
        ("a: !!float x", "The file is not YAML: could not convert string to float: 'x'."),
        (f"a: {'9' * 5000}", LONG_NUMBER),
        (f"? {'9' * 5000}\n: a", LONG_NUMBER),
        (f"a: 0x{'9' * 4998}", LONG_NUMBER.replace("99999999999999999999…", "0x999999999999999999…")),
        ('{"a": ' + "9" * 5000 + "}", LONG_NUMBER),
        ("a: &a [*a]", "The file is nested too deeply."),
        ('{"a": ' + "[" * 900 + "]" * 900 + "}", "The file is nested too deeply."),
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


def test_what_multiplies_or_goes_round_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    [bomb] = read_journeys("\n".join(lines))
    assert [problem.text for problem in check(bomb)[1]] == ["It holds more than 100000 values."]
    ring: dict[str, Any] = {}
    ring["a"] = ring
    assert [problem.text for problem in check(ring)[1]] == ["It is nested too deeply; 64 levels are allowed."]


def test_what_stands_twice_is_entered_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 60)]
    assert len(read_journeys("\n".join(lines))) == 1


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_lines_end_where_json_says_and_a_mark_before_the_first_is_none_of_it(mark: bytes) -> None:
    assert split_lines(mark + "a\u2028\x85\rb\n\nc".encode()) == ["a\u2028\x85\rb".encode(), b"", b"c"]


@given(st.text() | st.text(alphabet="{}[]:-&*!?| \n'\"a1,#%"))
def test_reading_raises_nothing_else(text: str) -> None:
    with contextlib.suppress(FairwayError):
        assert read_journeys(text)
