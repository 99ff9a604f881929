"""Every alert asks for metrics that there are, says what it means, and leads to a runbook that says what to do."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.alerts.promtool import PROMTOOL, needs_promtool
from tests.alerts.rules import RULES, find_faults, grouped_by, read_alerts, read_metrics

ALERTS = read_alerts()
RUNBOOKS = Path("docs/runbooks.md").read_text()
COMMANDS = Path("docs/commands.md").read_text()
PARTS = ["Means", "Hits", "Look", "Do", "Well again"]
_NAMED = re.compile(r"`(fairway [a-z][^`]*)`")
each = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])


def runbook(name: str) -> str:
    return RUNBOOKS.partition(f"\n### {name}\n")[2].partition("\n##")[0]


@each
def test_an_alert_asks_for_metrics_and_labels_that_there_are(alert: dict[str, Any]) -> None:
    assert list(find_faults(alert["expr"], read_metrics())) == []


def test_a_metric_or_label_that_there_is_not_is_found() -> None:
    query = 'sum by (shard, job) (fairway_waits{topic="a=b"}) / up > fairway_sends'
    assert list(find_faults(query, read_metrics())) == [
        "fairway_waits has no topic", "no metric fairway_sends", "nothing has shard",
    ]  # fmt: skip


@each
def test_an_alert_says_how_bad_it_is_what_it_means_and_where_the_runbook_is(alert: dict[str, Any]) -> None:
    assert set(alert["labels"]) == {"severity"}
    assert alert["labels"]["severity"] in ("critical", "warning", "info")
    told = alert["annotations"]
    assert set(told) == {"summary", "description", "runbook_url"}
    assert told["description"].endswith(".")
    assert told["runbook_url"] == f"runbooks.html#{alert['alert'].lower()}"
    labels = set(re.findall(r"\$labels\.(\w+)", told["summary"] + told["description"]))
    assert labels <= grouped_by(alert["expr"])


@each
def test_the_runbook_says_what_it_means_whom_it_hits_how_to_look_what_to_do_and_when_it_is_over(
    alert: dict[str, Any],
) -> None:
    parts = re.findall(r"^- \*\*(.+?)\*\*: \S", runbook(alert["alert"]), re.MULTILINE)
    assert parts == PARTS


def test_there_is_a_runbook_for_each_alert_and_no_other_in_their_order() -> None:
    names = [alert["alert"] for alert in ALERTS]
    assert re.findall(r"^### (.+)$", RUNBOOKS, re.MULTILINE) == names
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("command", sorted(set(_NAMED.findall(RUNBOOKS))))
def test_a_command_of_a_runbook_is_one_with_its_options(command: str) -> None:
    words = command.split()
    headings = [words[:length] for length in (3, 2)]
    named = next((" ".join(one) for one in headings if f"\n### {' '.join(one)}\n" in COMMANDS), None)
    assert named, command
    described = COMMANDS.partition(f"\n### {named}\n")[2].partition("\n### ")[0]
    assert [option for option in re.findall(r"--[a-z-]+", command) if f"`{option}" not in described] == []


def test_the_address_of_the_docs_is_put_before_each_runbook_as_the_page_says() -> None:
    script = re.search(r"^sed '(.+)' deploy", RUNBOOKS, re.MULTILINE)
    assert script
    done = subprocess.run(["sed", script[1], RULES], capture_output=True, text=True, check=True)
    leads = re.findall(r"runbook_url: (.*)", done.stdout)
    addresses = [f"https://docs.example.com/fairway/runbooks.html#{alert['alert'].lower()}" for alert in ALERTS]
    assert leads[1:] == addresses  # the first is the comment that says so


@needs_promtool
def test_prometheus_takes_the_rules() -> None:
    done = subprocess.run([PROMTOOL, "check", "rules", RULES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
