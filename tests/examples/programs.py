"""Which example clients there are, and how to start their programs."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

FOLDER = Path("examples/clients")
CLIENTS = ("confluent-kafka", "aiokafka", "kafkajs", "java")

Start = Callable[[str, str, Mapping[str, str]], "subprocess.Popen[bytes]"]
"""Starts the producer or sender (second) of a client (first) with some environment."""


def source(client: str, program: str) -> Path:
    """Return the file that holds a program."""
    match client:
        case "kafkajs":
            return FOLDER / client / f"{program}.js"
        case "java":
            return FOLDER / client / f"{program.capitalize()}.java"
        case _:
            return FOLDER / client / f"{program}.py"


def command(client: str, program: str, folder: Path) -> list[str]:
    """Return the command that runs a program in its client's folder, once that is prepared."""
    match client:
        case "kafkajs":
            return ["node", source(client, program).name]
        case "java":
            classes = f"target/classes:{(folder / 'classpath').read_text()}"
            return ["java", "-XX:TieredStopAtLevel=1", "-cp", classes, program.capitalize()]
        case _:
            return [sys.executable, source(client, program).name]
