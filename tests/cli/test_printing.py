"""Lists in the terminal are no wider than it, and whole in a pipe."""

import os

import pytest

from streams.cli import printing
from streams.cli.printing import show_rows

ROWS = [
    {"tenantId": "pinehurst", "name": "N" * 200, "status": "ACTIVE"},
    {"tenantId": "t" * 100, "name": "Short", "status": "DRAFT"},
]
COLUMNS = ("tenantId", "name", "status")


def show(capsys: pytest.CaptureFixture[str]) -> list[str]:
    show_rows(ROWS, COLUMNS, as_json=False, nothing="Nothing.")
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("columns", [40, 80, 200, 400])
def test_on_a_terminal_long_columns_are_cut_with_an_ellipsis(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setattr(printing.sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(printing.shutil, "get_terminal_size", lambda: os.terminal_size((columns, 24)))
    lines = show(capsys)
    assert max(map(len, lines)) <= columns
    assert all("ACTIVE" in line or "DRAFT" in line or "status" in line for line in lines)
    assert ("…" in lines[1]) == (columns < 320)


def test_in_a_pipe_nothing_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    lines = show(capsys)
    assert "N" * 200 in lines[1]
    assert "t" * 100 in lines[2]
