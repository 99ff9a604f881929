"""Kafka in Docker: the official image, with the same properties as the broker that Java runs."""

import shutil
import subprocess
from collections.abc import Mapping

from streams.errors import FairwayError

IMAGE = "apache/kafka:4.2.1"
DATA = "/var/lib/kafka/data"


def is_running(name: str) -> bool:
    """Say whether the container runs."""
    found = _docker("ps", "--quiet", "--filter", f"name=^/{name}$")
    return bool(found.stdout.strip())


def run(name: str, port: int, cluster: str, jvm: str, properties: Mapping[str, str]) -> None:
    """Start the broker on a volume of the container's name; raises FairwayError with Docker's own words."""
    _check_engine()
    remove(name)
    variables = {"CLUSTER_ID": cluster, "KAFKA_HEAP_OPTS": jvm}
    variables |= {variable(key): value for key, value in properties.items()}
    options = [f"--env={key}={value}" for key, value in variables.items()]
    started = _docker(
        "run", "--detach", f"--name={name}", f"--publish=127.0.0.1:{port}:{port}", f"--volume={name}:{DATA}",
        *options, IMAGE, patience=600,
    )  # fmt: skip
    if started.returncode:
        raise FairwayError(f"Docker could not start Kafka: {started.stderr.strip()}")


def remove(name: str) -> None:
    """End the container and keep its volume."""
    _docker("stop", "--time=30", name, patience=60)
    _docker("rm", "--force", name)


def variable(key: str) -> str:
    """Return the environment variable by which the image sets a broker property."""
    return "KAFKA_" + key.replace("_", "__").replace("-", "___").replace(".", "_").upper()


def _check_engine() -> None:
    """Raise FairwayError if no Docker engine can be used here; a client alone is not enough."""
    if _docker("version", "--format", "{{.Server.Version}}", patience=10).returncode:
        raise _unusable()


def _docker(*arguments: str, patience: float = 30) -> subprocess.CompletedProcess[str]:
    command = [shutil.which("docker") or "docker", *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=patience, check=False)
    except (OSError, subprocess.TimeoutExpired):
        raise _unusable() from None


def _unusable() -> FairwayError:
    return FairwayError("No Docker engine answers: start Docker, or leave --docker out.")
