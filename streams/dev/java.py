"""Kafka by Java: Maven fetches the jars once, StorageTool formats the data folder, kafka.Kafka runs."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from streams.dev import processes
from streams.dev.processes import Process
from streams.errors import FairwayError

KAFKA = "4.2.1"
_POM = Path(__file__).with_name("kafka.xml")
_JARS = Path.home() / ".cache" / "fairway" / f"kafka-{KAFKA}"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


def run(folder: Path, cluster: str, jvm: str, properties: Mapping[str, str]) -> Process:
    """Start the broker with its data in `folder`; raises FairwayError with what is missing, or the log's place."""
    command = [_find("java"), *jvm.split(), "-cp", f"{_fetch_jars()}/*"]
    config = folder / "server.properties"
    config.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    if not (Path(properties["log.dirs"]) / "meta.properties").exists():
        _format([*command, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(config)], log_file(folder))
    return processes.spawn([*command, "kafka.Kafka", str(config)], log_file(folder))


def _format(command: list[str], log: Path) -> None:
    with log.open("a") as output:
        if subprocess.run(command, stdout=output, stderr=output, check=False).returncode:
            raise FairwayError(f"Kafka could not format its data folder; read why in '{log}'.")


def log_file(folder: Path) -> Path:
    """Return where the broker writes its log."""
    return folder / "kafka.log"


def _fetch_jars() -> Path:
    """Return the folder of Kafka's jars; it serves all projects of this user."""
    if _JARS.is_dir():
        return _JARS
    _JARS.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_JARS.parent) as scratch:
        jars = Path(scratch) / "jars"
        command = [_find("mvn"), "-q", "-B", "-f", str(_POM), _COPY, f"-DoutputDirectory={jars}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise FairwayError(f"Maven could not fetch Kafka {KAFKA}: {(done.stdout + done.stderr).strip()}")
        with suppress(OSError):  # another that fetched at the same time came first
            jars.rename(_JARS)
    return _JARS


def _find(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise FairwayError(
            f"Kafka needs a Docker engine, or Java 17 and Maven, but no engine answers and '{program}' is missing: "
            "start Docker, or install both (on Debian: 'apt-get install default-jre-headless maven')."
        )
    return found
