"""Draw how many customers were in each step over time, as SVG."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from streams.errors import FairwayError
from streams.kafka.topics import ACTIVITY
from streams.simulation.simulation import Output

Moves = list[tuple[datetime, str, int]]


def find_moves(outputs: Iterable[Output], names: Mapping[str, str]) -> Moves:
    """Return (when, "journey / step", +1 or -1) of each customer who began or ceased to wait in a step."""
    moves: Moves = []
    standing: dict[str, str] = {}
    for output in outputs:
        if output.topic != ACTIVITY:
            continue
        for entry in output.fields["entries"]:
            id_ = entry.get("enrollmentId")
            if id_ in standing and entry["type"] != "step.entered":
                moves.append((output.at, standing.pop(id_), -1))
            if entry["type"] == "step.entered":
                standing[id_] = f"{names.get(entry['journeyId'], '')} / {entry['stepId']}"
                moves.append((output.at, standing[id_], 1))
    return moves


def draw(moves: Moves, file: Path) -> None:
    """Write the chart; raises FairwayError where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise FairwayError("A chart needs matplotlib: install 'fairway-journeys[charts]'.") from None
    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.subplots()
    for step in dict.fromkeys(name for _, name, _ in moves):
        level, times, levels = Counter[str](), list[Any](), list[int]()  # matplotlib's stubs know no datetime
        for at, name, change in moves:
            if name == step:
                level[step] += change
                times.append(at)
                levels.append(level[step])
        axes.step(times, levels, where="post", label=step)
    axes.set(ylabel="customers waiting", title="Customers in each step over time", ylim=(0, None))
    axes.grid(visible=True, alpha=0.3)
    if moves:
        axes.legend(fontsize="small")
        figure.autofmt_xdate()
    figure.savefig(file, format="svg")
