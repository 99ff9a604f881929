"""What the documents name is there: every path, every link, and every name that is written as code."""

import ast
import os
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

PAGES = sorted([*Path("docs").rglob("*.md"), Path("README.md"), Path("CONTRIBUTING.md")])
TREES = ("streams", "models", "tests", "docs", "examples", "deploy")
_PATH = re.compile(rf"`((?:{'|'.join(TREES)})/[\w./{{}},*-]*)`")
_SHORT_PATH = re.compile(r"`((?:[a-z_]+/)+[a-z_]+\.py)`")
_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
_CLASS = re.compile(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`")
_TEST = re.compile(r"`(test_[A-Za-z0-9_]+)`")
# Names of Kafka's, Faust's, Postgres' and Java's that the documents speak of.
FOREIGN = {
    "AddOffsetsToTxn", "AddPartitionsToTxn", "DescribeProducers", "DescribeTransactions", "EndTxn",
    "InitProducerId", "KRaftMetadataCache", "PrepareCommit", "StandardAuthorizer",
    "StorageTool", "TxnOffsetCommit", "OffsetDateTime", "KafkaUser",
}  # fmt: skip


@cache
def files() -> frozenset[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=True
    )
    return frozenset(listed.stdout.split("\n"))


@cache
def names() -> frozenset[str]:
    """Every name that the code defines, and every word in its strings: metrics, fields, headers, topics."""
    found = {Path(file).stem for file in files()}
    for file in files():
        if file.endswith(".py"):
            for node in ast.walk(ast.parse(Path(file).read_text())):
                match node:
                    case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                        found.add(name)
                    case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                        found.add(name)
                    case ast.Constant(value=str(text)):
                        found.update(re.findall(r"\w+", text))
    return frozenset(found)


def is_there(path: str) -> bool:
    """Say whether a path stands in the repository, or one of its form does; `{a,b}` stands for a and b."""
    if (choice := re.search(r"\{([^}]*)\}", path)) is not None:
        return all(is_there(path.replace(choice[0], part, 1)) for part in choice[1].split(","))
    path = path.rstrip("/")
    return any(Path(file).match(path) or file.startswith(f"{path}/") for file in files())


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_path_of_a_page_is_there(page: Path) -> None:
    text = page.read_text()
    missing = [path for path in _PATH.findall(text) if not is_there(path)]
    short = [path for path in _SHORT_PATH.findall(text) if path.split("/")[0] not in TREES]
    missing += [path for path in short if not is_there(f"streams/{path}")]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    assert [link for link in _LINK.findall(page.read_text()) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_name_of_a_page_is_the_code_s(page: Path) -> None:
    text = page.read_text()
    named = {*_CLASS.findall(text), *_TEST.findall(text)} - FOREIGN
    assert named - names() == set()


def test_the_decisions_are_all_listed() -> None:
    index = Path("docs/decisions/README.md").read_text()
    assert [
        page.name for page in sorted(Path("docs/decisions").glob("0*.md")) if f"({page.name})" not in index
    ] == []


MODULES = "## Every file\n"


def list_modules() -> str:
    """Return every module with the first sentence of its docstring and its public names, room by room."""
    lines: list[str] = []
    rooms = sorted({file.parent for file in map(Path, files()) if is_module(file)})
    for room in rooms:
        lines += ["", f"**`{room}`**", ""]
        for file in sorted(Path(name) for name in files() if Path(name).parent == room and is_module(Path(name))):
            tree = ast.parse(file.read_text())
            sentence = (ast.get_docstring(tree) or "").split("\n\n")[0].replace("\n", " ")
            public = [] if "migrations" in file.parts else public_names(tree)[:5]
            lines.append(f"- `{file.name}`: {sentence} {', '.join(f'`{name}`' for name in public)}".rstrip())
    return "\n".join(lines) + "\n"


def public_names(tree: ast.Module) -> list[str]:
    """Return the classes and functions that a module offers, in order; the list shows the first five."""
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [node.name for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]


def is_module(file: Path) -> bool:
    return file.parts[:1] in (("streams",), ("models",)) and file.suffix == ".py" and file.stem != "__init__"


def test_the_page_on_architecture_says_what_every_file_is_for() -> None:
    """A change writes it anew: FAIRWAY_RECORD=1 pytest tests/test_docs.py"""
    page = Path("docs/architecture.md")
    before, heading, listed = page.read_text().partition(MODULES)
    if os.environ.get("FAIRWAY_RECORD"):
        page.write_text(before + heading + list_modules())
    assert listed == list_modules()
