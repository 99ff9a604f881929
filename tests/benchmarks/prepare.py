"""Programs of others, made ready: what they need is fetched once for a user, and kept in the cache."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import platformdirs

BASELINES = Path(__file__).with_name("baselines")
_QUIX = "quixstreams==3.28.1"
_JAVA = ("java", "javac", "mvn")


@cache
def quix_streams() -> tuple[str, ...]:
    """Return the command that runs Quix Streams, in a virtual environment of its own."""
    folder = _folder() / f"{_QUIX}-python{sys.version_info[0]}.{sys.version_info[1]}"
    python, is_whole = folder / "bin" / "python", folder / "installed"
    if not is_whole.exists():
        _run([sys.executable, "-m", "venv", "--clear", str(folder)], Path())
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", _QUIX], Path())
        is_whole.touch()
    return (str(python), str(BASELINES / "quix.py"))


@cache
def kafka_streams() -> tuple[str, ...]:
    """Return the command that runs Kafka Streams, compiled by Maven."""
    folder = shutil.copytree(BASELINES / "java", _folder() / "kafka-streams", dirs_exist_ok=True)
    _run(["mvn", "-q", "-B", "compile", "dependency:build-classpath", "-Dmdep.outputFile=classpath"], folder)
    classes = os.pathsep.join((str(folder / "target" / "classes"), (folder / "classpath").read_text()))
    return ("java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", classes, "Counting")


def is_possible(name: str) -> bool:
    """Say whether this machine has what a program needs that cannot be fetched: a JDK and Maven."""
    return name != "kstreams" or all(map(shutil.which, _JAVA))


def _folder() -> Path:
    return platformdirs.user_cache_path("fairway") / "benchmarks"


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
