"""What later runs are held to."""

from pathlib import Path

import pytest

from tests.benchmarks import check, report
from tests.benchmarks.progress import Figure


@pytest.fixture(autouse=True)
def baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of ratios that are held to."""
    monkeypatch.setattr(check, "BASELINE", tmp_path / "baseline.json")
    check.BASELINE.write_text('{"b": 0.4, "small": 0.5}')


def test_a_ratio_may_fall_by_fifteen_percent() -> None:
    assert check.find_regressions({"b": 0.341, "small": 0.426}) == []
    assert check.find_regressions({"b": 0.339, "small": 0.6}) == [
        "Workload 'b' has fallen to 0.339 of the bare loop, from 0.400."
    ]


def test_a_ratio_that_nothing_is_known_of_is_told() -> None:
    assert check.find_regressions({"c": 1.0}) == ["Nothing is known of 'c': keep what it is by --baseline."]


def test_a_part_that_is_recorded_leaves_the_other_ratios() -> None:
    check.record({"small": 0.61234})
    assert check.BASELINE.read_text() == '{\n  "b": 0.4,\n  "small": 0.612\n}\n'


def test_a_workload_is_compared_with_the_bare_loop_of_its_round() -> None:
    results = {"bare": [Figure(1, 10), Figure(1, 30)], "b": [Figure(1, 20), Figure(1, 60)]}
    assert check.compare(results) == {"b": 0.5}


def test_sections_take_the_place_of_those_with_their_heading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "DOCUMENT", tmp_path / "benchmarks.md")
    report.DOCUMENT.write_text("# Benchmarks\n\ntable\n\n## One\n\nold\n\n## Two\n\nkept\n")
    report.update(["## One\n\nnew", "**e**, without a heading", "## Three\n\nnew"])
    assert report.DOCUMENT.read_text() == (
        "# Benchmarks\n\ntable\n\n## One\n\nnew\n\n## Two\n\nkept\n\n## Three\n\nnew\n"
    )
