"""What Prometheus makes of recorded metrics: its own promtool evaluates the rules over them, in its own time."""

import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.alerts.rules import RULES

PROMTOOL = shutil.which("promtool") or shutil.which("promtool", path=str(Path(sys.executable).parent)) or ""

needs_promtool = pytest.mark.skipif(not PROMTOOL, reason="needs Prometheus' promtool: make alert-tools")

Query = tuple[int, str, Mapping[str, int]]
"""At which minute what is asked for, and each `alertname` (or nothing) with the number that has to come of it."""


def evaluate(folder: Path, series: Iterable[Mapping[str, str]], queries: Iterable[Query]) -> str:
    """Return how what comes of these queries differs from what they say; nothing if it does not."""
    rules = folder / RULES.name
    shutil.copy(RULES, rules)
    tests = [
        {"expr": expr, "eval_time": f"{minute}m", "exp_samples": [_expect(*one) for one in expected.items()]}
        for minute, expr, expected in queries
    ]
    case: dict[str, Any] = {"interval": "1m", "input_series": list(series), "promql_expr_test": tests}
    file = folder / "test.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [rules.name], "evaluation_interval": "1m", "tests": [case]}))
    done = subprocess.run([PROMTOOL, "test", "rules", file], capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _expect(name: str, number: int) -> dict[str, Any]:
    return {"labels": f'{{alertname="{name}"}}' if name else "{}", "value": number}


def firing(minute: int, *names: str, perhaps: Collection[str] = ()) -> Query:
    """Ask that these alerts are raised at a minute, and no other but perhaps some."""
    passed_over = "|".join(sorted(set(perhaps) - set(names)))
    raised = f'ALERTS{{alertstate="firing", alertname!~"{passed_over}"}}'
    return minute, f"group by (alertname) ({raised})", dict.fromkeys(names, 1)


def has_data(minute: int, query: str) -> Query:
    """Ask that a query finds a number at a minute."""
    return minute, f"count(({query}) >= -Inf) > bool 0", {"": 1}
