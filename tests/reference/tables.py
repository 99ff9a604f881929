"""What the generated parts of docs/ share: tables, and parts of a page between two marks."""

import re
from collections.abc import Iterable
from pathlib import Path

DOCS = Path("docs")
_PART = "<!-- written by tests/reference: {} -->\n"
_END = "<!-- end -->"
_find_parts = re.compile(r"<!-- written by tests/reference: ([\w .-]+) -->\n(.*?)<!-- end -->", re.DOTALL).findall


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    heads = list(heads)
    return "\n".join([_row(heads), _row(["---"] * len(heads)), *map(_row, rows)])


def _row(cells: Iterable[str]) -> str:
    shown = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in shown)}|"


def code(text: object) -> str:
    """Return a text as code; nothing for an empty one."""
    return f"`{text}`" if str(text) else ""


def read_parts(page: str) -> dict[str, str]:
    """Return the generated parts of a page by their names."""
    return {name: text.strip("\n") for name, text in _find_parts((DOCS / page).read_text())}


def write_part(page: str, name: str, text: str) -> None:
    """Write a generated part anew."""
    file, mark = DOCS / page, _PART.format(name)
    before, rest = file.read_text().split(mark)
    file.write_text(f"{before}{mark}\n{text}\n\n{_END}{rest.partition(_END)[2]}")
