"""The dashboard: its panels, and its queries as Grafana asks Prometheus for them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DASHBOARD = Path("deploy/grafana/fairway.json")
_RATE_INTERVAL = "4m"  # four times that of the scrapes, as Grafana chooses it


def read_dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return found


def read_panels() -> list[dict[str, Any]]:
    """Return every panel that shows something."""
    return [panel for panel in read_dashboard()["panels"] if panel["type"] != "row"]


def read_queries() -> Iterator[str]:
    """Yield every query with all namespaces and jobs chosen."""
    values = {one["name"]: one.get("allValue", "") for one in read_dashboard()["templating"]["list"]}
    values["__rate_interval"] = _RATE_INTERVAL
    queries = [target["expr"] for panel in read_panels() for target in panel["targets"]]
    for query in queries:
        for name, value in values.items():
            query = query.replace(f"${name}", value)
        yield query
