"""The dashboard is one that Grafana knows, of metrics that there are, and says of each number what it means."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.alerts.dashboard import read_dashboard, read_panels, read_queries
from tests.alerts.rules import find_faults, read_metrics

PANELS = read_panels()
ROWS = [
    "Is it well?", "Flow", "Latency", "Partitions", "Waits", "Put aside", "History and Postgres", "Resources",
]  # fmt: skip
_OF_PROMETHEUS = {"titleFormat"}  # an annotation's fields that are the data source's own


def test_every_field_is_one_of_grafanas_schema() -> None:
    """Grafana's own model of a dashboard keeps what it knows, in the form that it has."""
    plugins.register_default_plugins()
    given = read_dashboard()
    kept = json.loads(JSONEncoder().encode(Dashboard.from_json(given)))  # type: ignore[no-untyped-call]
    assert list(_find_lost(given, kept, "")) == []


def _find_lost(given: Any, kept: Any, path: str) -> Iterator[str]:
    match given, kept:
        case dict(), dict():
            for name, value in given.items():
                if name not in _OF_PROMETHEUS:
                    yield from _find_lost(value, kept.get(name), f"{path}/{name}")
        case list(), list():
            assert len(given) == len(kept)
            for number, (value, other) in enumerate(zip(given, kept, strict=True)):
                yield from _find_lost(value, other, f"{path}/{number}")
        case _:
            if given != kept:
                yield path


def test_a_field_that_grafana_does_not_know_is_found() -> None:
    given = {"title": "Fairway", "panels": [{"type": "stat", "tilte": "Workers"}]}
    kept = json.loads(JSONEncoder().encode(Dashboard.from_json(given)))  # type: ignore[no-untyped-call]
    assert list(_find_lost(given, kept, "")) == ["/panels/0/tilte"]


def test_the_rows_go_from_whether_it_is_well_to_what_it_uses() -> None:
    panels = read_dashboard()["panels"]
    assert [panel["title"] for panel in panels if panel["type"] == "row"] == ROWS
    assert len({panel["id"] for panel in panels}) == len(panels)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_says_what_it_shows_in_which_unit_and_asks_the_chosen_prometheus(panel: dict[str, Any]) -> None:
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    for one in (panel, *panel["targets"]):
        assert one["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert all('namespace=~"$namespace", job=~"$job"' in target["expr"] for target in panel["targets"])


@pytest.mark.parametrize("query", list(read_queries()))
def test_a_panel_asks_for_metrics_and_labels_that_there_are(query: str) -> None:
    assert "$" not in query
    assert list(find_faults(query, read_metrics())) == []


def test_no_panel_covers_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in read_dashboard()["panels"]:
        place = panel["gridPos"]
        fields = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not taken & fields
        taken |= fields
