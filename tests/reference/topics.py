"""The table of topics, from topics.yaml."""

from pathlib import Path
from typing import Any

import yaml

from tests.reference.tables import code, table


def render() -> str:
    listed = yaml.safe_load(Path("topics.yaml").read_text())
    return table(
        ["topic", "role", "partitions", "key", "what it holds", "configs"],
        [_row(name, topic, listed["defaults"]) for name, topic in listed["topics"].items()],
    )


def _row(name: str, topic: dict[str, Any], defaults: dict[str, Any]) -> list[str]:
    configs = defaults["configs"] | topic.get("configs", {})
    return [
        code(name), topic["role"], str(topic.get("partitions", defaults["partitions"])),
        code(topic.get("key", defaults["key"])), topic["description"],
        ", ".join(f"`{key}={value}`" for key, value in sorted(configs.items())),
    ]  # fmt: skip
