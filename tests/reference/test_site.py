"""The documentation builds as a site without a warning, and no page of it fetches anything from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.docs
_find_tags = re.compile(r"<(?:script|link|img|iframe)\b[^>]*>").findall


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_is_built(site: Path) -> None:
    pages = {page.relative_to("docs").with_suffix(".html") for page in Path("docs").rglob("*.md")}
    renamed = {page.with_name("index.html") if page.name == "README.html" else page for page in pages}
    assert [page for page in renamed if not (site / page).is_file()] == []


def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    foreign = {
        (page.name, tag)
        for page in site.rglob("*.html")
        for tag in _find_tags(page.read_text())
        if re.search(r'(?:src|href)="(?:https?:)?//', tag)
    }
    assert foreign == set()
