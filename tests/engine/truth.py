"""The truth table of R9 to R12, written by hand: the tests prove it, docs/conditions.md shows it.

`python tests/engine/truth.py` writes it into the page.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.rules import ALIASES, Operator
from streams.engine.comparisons import NEGATED

PAGE = Path(__file__).parents[2] / "docs" / "conditions.md"
START, END = "<!-- written by tests/engine/truth.py -->", "<!-- end -->"

NOW = datetime(2026, 6, 8, 12, tzinfo=UTC)
ZONE = "Europe/London"

# The values that a field may have; without "field", it is missing.
SEEN: tuple[dict[str, Any], ...] = (
    {}, {"field": None}, {"field": True}, {"field": False}, {"field": 1}, {"field": 1.0}, {"field": 7},
    {"field": "1"}, {"field": ""}, {"field": "Gold"}, {"field": "gold"}, {"field": "2026-06-01"},
    {"field": "2026-06-09"}, {"field": []}, {"field": ["Gold", 1]}, {"field": {}}, {"field": {"a": 1}},
)  # fmt: skip

NO_VALUE = object()
ANY_CASE = "ignoreCase"

# Operator, value, option; then for each value of SEEN: + true, . false, ~ false with the note "type mismatch".
TRUTH: tuple[tuple[str, Any, str, str], ...] = (
    ("equals", 1, "", ".. ~~ ++. ~~~~~~ ~~ ~~"),
    ("equals", "1", "", ".. ~~ ~~~ +..... ~~ ~~"),
    ("equals", True, "", ".. +. ~~~ ~~~~~~ ~~ ~~"),
    ("equals", "Gold", "", ".. ~~ ~~~ ..+... ~~ ~~"),
    ("equals", "GOLD", ANY_CASE, ".. ~~ ~~~ ..++.. ~~ ~~"),
    ("equals", ["Gold", 1.0], "", ".. ~~ ~~~ ~~~~~~ .+ ~~"),
    ("equals", ["Gold", True], "", ".. ~~ ~~~ ~~~~~~ .. ~~"),
    ("equals", {"a": 1.0}, "", ".. ~~ ~~~ ~~~~~~ ~~ .+"),
    ("equals", {"a": True}, "", ".. ~~ ~~~ ~~~~~~ ~~ .."),
    ("greaterThan", 1, "", ".. ~~ ..+ ~~~~~~ ~~ ~~"),
    ("greaterThanOrEqual", 1, "", ".. ~~ +++ ~~~~~~ ~~ ~~"),
    ("lessThan", 7, "", ".. ~~ ++. ~~~~~~ ~~ ~~"),
    ("lessThanOrEqual", 7, "", ".. ~~ +++ ~~~~~~ ~~ ~~"),
    ("greaterThan", "Gold", "", ".. ~~ ~~~ ...+.. ~~ ~~"),
    ("lessThan", "Gold", "", ".. ~~ ~~~ ++..++ ~~ ~~"),
    ("lessThanOrEqual", "GOLD", ANY_CASE, ".. ~~ ~~~ ++++++ ~~ ~~"),
    ("between", [1, 6], "", ".. ~~ ++. ~~~~~~ ~~ ~~"),
    ("between", ["G", "H"], "", ".. ~~ ~~~ ..+... ~~ ~~"),
    ("between", ["G", "H"], ANY_CASE, ".. ~~ ~~~ ..++.. ~~ ~~"),
    ("in", [1, "Gold"], "", ".. ~~ ++. ..+... .+ ~~"),
    ("in", ["GOLD"], ANY_CASE, ".. ~~ ~~~ ..++.. .+ ~~"),
    ("in", [True], "", ".. +. ~~~ ~~~~~~ .~ ~~"),
    ("in", [["Gold", 1], {"a": 1}], "", ".. ~~ ~~~ ~~~~~~ .+ .+"),
    ("contains", "Gold", "", ".. ~~ ~~~ ..+... .+ ~~"),
    ("contains", "OL", ANY_CASE, ".. ~~ ~~~ ..++.. .. ~~"),
    ("contains", 1, "", ".. ~~ ~~~ ~~~~~~ .+ ~~"),
    ("contains", True, "", ".. ~~ ~~~ ~~~~~~ .~ ~~"),
    ("containsAny", ["Gold", "Silver"], "", ".. ~~ ~~~ ..+... .+ ~~"),
    ("containsAny", ["GOLD"], ANY_CASE, ".. ~~ ~~~ ..++.. .+ ~~"),
    ("containsAll", ["Gold", 1], "", ".. ~~ ~~~ ...... .+ ~~"),
    ("containsAll", ["G", "ol"], "", ".. ~~ ~~~ ..+... .. ~~"),
    ("startsWith", "G", "", ".. ~~ ~~~ ..+... ~~ ~~"),
    ("startsWith", "G", ANY_CASE, ".. ~~ ~~~ ..++.. ~~ ~~"),
    ("endsWith", "1", "", ".. ~~ ~~~ +...+. ~~ ~~"),
    ("endsWith", "LD", ANY_CASE, ".. ~~ ~~~ ..++.. ~~ ~~"),
    ("matches", "o", "", ".. ~~ ~~~ ..++.. ~~ ~~"),
    ("matches", "^[a-z]+$", "", ".. ~~ ~~~ ...+.. ~~ ~~"),
    ("matches", "^GO", ANY_CASE, ".. ~~ ~~~ ..++.. ~~ ~~"),
    ("isNull", NO_VALUE, "", "++ .. ... ...... .. .."),
    ("isEmpty", NO_VALUE, "", "++ .. ... .+.... +. +."),
    ("isTrue", NO_VALUE, "", ".. +. ~~~ ~~~~~~ ~~ ~~"),
    ("isFalse", NO_VALUE, "", ".. .+ ~~~ ~~~~~~ ~~ ~~"),
    ("before", "2026-06-02", "", ".. ~~ ~~~ ~~~~+. ~~ ~~"),
    ("before", "2026-06-01", "", ".. ~~ ~~~ ~~~~.. ~~ ~~"),
    ("after", "2026-05-31T23:59", "", ".. ~~ ~~~ ~~~~++ ~~ ~~"),
    ("after", "2026-05-31T23:00:00Z", "", ".. ~~ ~~~ ~~~~.+ ~~ ~~"),
    ("withinLast", "8 days", "", ".. ~~ ~~~ ~~~~+. ~~ ~~"),
    ("withinLast", "7 days", "", ".. ~~ ~~~ ~~~~.. ~~ ~~"),
    ("withinNext", "1 day", "", ".. ~~ ~~~ ~~~~.+ ~~ ~~"),
    ("withinNext", "10 hours", "", ".. ~~ ~~~ ~~~~.. ~~ ~~"),
)
_SYMBOLS = {"+": "**yes**", ".": "no", "~": "≠"}


def render() -> str:
    """Return the generated part of docs/conditions.md."""
    shown = ["missing", *(f"`{json.dumps(seen['field'])}`" for seen in SEEN[1:])]
    lines = [_row(["rule", *shown]), _row(["---"] * (len(SEEN) + 1))]
    for operator, value, option, marks in TRUTH:
        rule = " ".join([operator, *([] if value is NO_VALUE else [f"`{json.dumps(value)}`"]), option]).strip()
        lines.append(_row([rule, *(_SYMBOLS[mark] for mark in marks.replace(" ", ""))]))
    return "\n".join([*lines, "", *_render_names(), ""])


def _render_names() -> list[str]:
    negated = {positive: negation for negation, positive in NEGATED.items()}
    lines = ["| operator | its exact complement | other names |", "| --- | --- | --- |"]
    for operator in Operator:
        if operator not in NEGATED:
            names = [*_aliases(operator), *_aliases(negated.get(operator))]
            lines.append(_row([operator, negated.get(operator, ""), ", ".join(names)]))
    return lines


def _aliases(operator: str | None) -> list[str]:
    names = [f"`{alias}`" for alias, name in ALIASES.items() if name == operator]
    return [f"{' '.join(names)} for {operator}"] if names else []


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def write(page: str) -> str:
    """Return the page with the generated part renewed."""
    before, rest = page.split(START)
    return f"{before}{START}\n\n{render()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(write(PAGE.read_text()))
