"""The alerts, the metrics that they may ask for, and what is wrong with a query."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

RULES = Path("deploy/alerts/fairway.yaml")
TARGET = {"job", "instance", "namespace"}  # labels that Prometheus gives
_ROW = re.compile(r"^\| `(\w+)` \| (\w+) \|([^|]*)\|", re.MULTILINE)
_QUOTED = re.compile(r'"[^"]*"')
_SELECTOR = re.compile(r"\b((?:fairway|process)_\w+|up)\b(?:\{([^}]*)\})?")
_MATCHED = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_GROUPED = re.compile(r"\b(?:by|on|without|ignoring|group_left) \(([^)]*)\)")
_PARTS = {"bucket": {"le"}, "sum": set[str](), "count": set[str]()}


def read_alerts() -> list[dict[str, Any]]:
    """Return every alert in order."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def read_metrics() -> dict[str, set[str]]:
    """Return the labels of every metric of the page; a histogram is three."""
    found = {"up": set[str]()}
    for name, kind, labels in _ROW.findall(Path("docs/metrics.md").read_text()):
        known = set(re.findall(r"`(\w+)`", labels))
        parts = _PARTS if kind == "histogram" else {"": set[str]()}
        found |= {f"{name}_{part}".rstrip("_"): known | more for part, more in parts.items()}
    return found


def find_faults(query: str, metrics: dict[str, set[str]]) -> Iterator[str]:
    """Tell each metric and label of a query that there is not."""
    labels = TARGET.copy()
    for name, matchers in _SELECTOR.findall(_QUOTED.sub('""', query)):
        if name not in metrics:
            yield f"no metric {name}"
            continue
        labels |= metrics[name]
        yield from (f"{name} has no {one}" for one in set(_MATCHED.findall(matchers)) - metrics[name] - TARGET)
    for named in _GROUPED.findall(query):
        yield from (f"nothing has {one}" for one in re.findall(r"\w+", named) if one not in labels)


def grouped_by(query: str) -> set[str]:
    """Return the labels that what a query finds has at most, where it says by which it groups."""
    first = _GROUPED.search(query)
    return set(re.findall(r"\w+", first[1])) if first else TARGET
