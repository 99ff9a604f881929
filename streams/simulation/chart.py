"""Draw how many customers were in each step over time, as SVG."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from streams.engine.effects import Activity
from streams.engine.entries import GoalReached, OfEnrollment, StepEntered, StepReplanned, TriggerUpdated
from streams.errors import FairwayError
from streams.simulation.simulation import Output

Moves = list[tuple[datetime, str, int]]

_STAYS = (GoalReached, StepReplanned, TriggerUpdated)  # of these, an enrolment stands where it stood


def find_moves(outputs: Iterable[Output], names: Mapping[str, str]) -> Moves:
    """Return (when, "journey / step", +1 or -1) of each customer who began or ceased to wait in a step."""
    moves: Moves = []
    standing: dict[str, str] = {}
    for output in outputs:
        for entry in output.value.entries if isinstance(output.value, Activity) else ():
            if not isinstance(entry, OfEnrollment):
                continue
            id_ = entry.enrollment_id
            if isinstance(entry, StepEntered):
                standing[id_] = f"{names.get(entry.journey_id, '')} / {entry.step_id}"
                moves.append((output.at, standing[id_], 1))
            elif id_ in standing and not isinstance(entry, _STAYS):
                moves.append((output.at, standing.pop(id_), -1))
    return moves


def draw(moves: Moves, file: Path) -> None:
    """Write the chart; raises FairwayError where matplotlib is not installed, or the file can't be written."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise FairwayError("A chart needs matplotlib: install 'fairway-journeys[charts]'.") from None
    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.subplots()
    for step in dict.fromkeys(name for _, name, _ in moves):
        level, times, levels = Counter[str](), [], []
        for at, name, change in moves:
            if name == step:
                level[step] += change
                times.append(at)
                levels.append(level[step])
        axes.step(times, levels, where="post", label=step)  # type: ignore[arg-type]
    axes.set(ylabel="customers waiting", title="Customers in each step over time", ylim=(0, None))
    axes.grid(visible=True, alpha=0.3)
    if moves:
        axes.legend(fontsize="small")
        figure.autofmt_xdate()
    try:
        figure.savefig(file, format="svg")
    except OSError as error:
        raise FairwayError(f"'{file}' can't be written: {error.strerror}.") from None
