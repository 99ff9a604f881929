"""The page of codes has all that the code knows, and no other; every rule stands on a page."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from models.rules import Operator
from streams.engine import entries
from streams.engine.payload import Code
from streams.history.wording import REFUSALS, SKIPS
from streams.web.api.application import _PROBLEMS
from streams.web.api.parameters import EXPECTING
from streams.web.pages.glossary import CODES

PAGE = Path("docs/codes.md").read_text()
RULES = ("semantics.md", "conditions.md", "listening.md")
_find_rules = re.compile(r"R(\d+)(?: to R(\d+))?").findall


def section(heading: str) -> str:
    return PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def codes(heading: str) -> set[str]:
    """Return the first column of a section's first table."""
    rows = re.findall(r"^\| `?([^`|]+)`? \|", section(heading), re.MULTILINE)
    return {row.strip() for row in rows[1:]} - {"---"}


def literals(*functions: str) -> set[str]:
    """Return the single words that the engine hands to these functions."""
    found: set[str] = set()
    for file in Path("streams/engine").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and _name(node.func) in functions:
                given = [*node.args, *(item.value for item in node.keywords if item.arg == "reason")]
                found |= {word for argument in given for word in _words(argument)}
    return found


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _words(argument: ast.expr) -> Iterator[str]:
    for node in ast.walk(argument):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(r"[A-Za-z]+", node.value)
        ):
            yield node.value


def test_the_codes_of_dead_letters() -> None:
    assert codes("Dead-letter codes") == set(get_args(Code)) == set(CODES)


def test_the_reasons_of_refusals() -> None:
    assert codes("Refusal reasons") == set(REFUSALS)
    told = literals("refuse", "EnrollmentRefused") | {"goal", "exit"}  # these two by the reason that is found
    assert told == set(REFUSALS)


def test_the_reasons_of_exits() -> None:
    ended = (entries.EnrollmentCompleted, entries.EnrollmentFailed)
    by_default = {kind.__struct_defaults__[-1] for kind in ended}
    assert codes("Exit reasons") == literals("leave", "leave_all") | by_default


def test_the_reasons_of_skips() -> None:
    assert codes("Skip reasons") == set(SKIPS) == literals("skip_step", "StepSkipped", "_skip_send")


def test_each_error_of_a_failure_is_made_of_what_the_code_says() -> None:
    sources = [*Path("streams/engine").rglob("*.py"), *Path("streams/partition").rglob("*.py")]
    text = "\n".join(file.read_text() for file in sources)
    errors = re.findall(r"^\| `([^`]+)`", section("Failures"), re.MULTILINE)
    pieces = [piece.strip(" '.,") for error in errors for piece in re.split("…|'", error)]
    assert [piece for piece in pieces if len(piece) > 3 and piece not in text] == []


def test_the_statuses_of_the_api() -> None:
    assert codes("Answers of the API") == {str(status) for status in (*_PROBLEMS, *EXPECTING)}


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_every_header_stands_on_the_page_of_messages() -> None:
    page = Path("docs/messages.md").read_text()
    for file in ("streams/partition/outputs.py", "streams/engine/cloudevents.py"):
        tuples = [node.elts for node in ast.walk(ast.parse(Path(file).read_text())) if isinstance(node, ast.Tuple)]
        names = [name.value for name, value, *_ in tuples if isinstance(name, ast.Constant) and not _is_text(value)]
        assert names
        assert [name for name in names if f"`{name}`" not in page] == []


@pytest.mark.parametrize("tree", ["streams", "models"])
def test_every_rule_that_the_code_names_stands_on_a_page(tree: str) -> None:
    pages = "\n".join(Path("docs", page).read_text() for page in RULES)
    named = {number for file in Path(tree).rglob("*.py") for number in _expand(file.read_text())}
    assert named - _expand(pages) == set()


def test_no_rule_that_holds_is_left_out() -> None:
    pages = "\n".join(Path("docs", page).read_text() for page in RULES)
    assert _expand(pages) == {*range(1, 44), 66, 67, 68}


def _expand(text: str) -> set[int]:
    return {rule for first, last in _find_rules(text) for rule in range(int(first), int(last or first) + 1)}


def test_every_operator_stands_in_the_table_of_operators() -> None:
    section = Path("docs/conditions.md").read_text().partition("## Operators\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([a-zA-Z]+)`", section)) == set(Operator)
