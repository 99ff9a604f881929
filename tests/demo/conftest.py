"""Fairway as users have it: a wheel in a virtual environment of its own, far from any checkout."""

import shutil
import site
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from setuptools import build_meta

from streams.settings import environment

ROOT = Path(__file__).parents[2]
_UNTOLD = shutil.ignore_patterns("__pycache__")  # where files come and go while other tests run
_SOURCES = ("models", "streams", "examples", "topics.yaml", "pyproject.toml", "README.md", "LICENSE")


class Fairway(NamedTuple):
    """A `fairway`, the folder that it runs in, and its environment."""

    program: Path
    folder: Path
    variables: dict[str, str]

    def run(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self.program, *arguments], cwd=self.folder, env=self.variables | variables, capture_output=True,
            text=True, check=False,
        )  # fmt: skip

    def start(self, *arguments: str, **variables: str) -> "subprocess.Popen[bytes]":
        with (self.folder.parent / "log").open("ab") as log:
            return subprocess.Popen(
                [self.program, *arguments], cwd=self.folder, env=self.variables | variables, stdout=log, stderr=log
            )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution, as an index would serve both."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in _SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=_UNTOLD)
        else:
            shutil.copy(ROOT / name, source / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(source)
        patch.setattr(sys, "argv", ["setup.py", "--quiet"])
        packed = build_meta.build_sdist(str(folder))
        shutil.unpack_archive(folder / packed, folder, filter="data")
        patch.chdir(folder / packed.removesuffix(".tar.gz"))
        return folder / build_meta.build_wheel(str(folder))


@pytest.fixture(scope="session")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `fairway` of a virtual environment that holds the wheel; what it depends on is this one's."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", "--no-deps", "--no-index", wheel], check=True)
    (packages / "dependencies.pth").write_text(site.getsitepackages()[0])
    return folder / "bin" / "fairway"


@pytest.fixture
def fairway(program: Path, tmp_path: Path) -> Fairway:
    """Run it in an empty folder, where no Java, Maven or Docker is on the PATH."""
    tools = tmp_path / "tools"
    tools.mkdir()
    if setpriv := shutil.which("setpriv"):  # by which Postgres runs where the user is root
        (tools / "setpriv").symlink_to(setpriv)
    folder = tmp_path / "empty"
    folder.mkdir()
    ours = {name: value for name, value in environment().items() if not name.startswith("FAIRWAY_")}
    return Fairway(program, folder, {**ours, "PATH": str(tools)})
