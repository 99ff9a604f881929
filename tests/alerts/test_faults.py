"""Each alert is raised by the fault that it is for, and by no other, and is over when that is mended.

Two real workers, their Kafka and their Postgres are broken in turn; Prometheus' own promtool evaluates the rules
over what they told. What takes too long for that is held still in tests/alerts/test_held.py.
"""

from pathlib import Path

import pytest

from tests.alerts.dashboard import read_queries
from tests.alerts.promtool import evaluate, firing, has_data, needs_promtool
from tests.alerts.story import Story
from tests.alerts.workers import Site

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(600), needs_promtool]

OF_BUSY_MACHINES = ("FairwayCommitsSlow", "FairwayLoopStalls")
"""What is raised rightly also where the machine of the test has too much to do."""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    site = Site(tmp_path_factory.mktemp("site"))
    try:
        made = Story(site)
        made.play()
    finally:
        site.close()
    return made


def test_each_fault_raises_its_alerts_and_no_other(story: Story, tmp_path: Path) -> None:
    phases = story.phases.values()
    queries = [firing(phase.minute, *phase.alerts, perhaps=OF_BUSY_MACHINES) for phase in phases]
    told = evaluate(tmp_path, story.recording.series(), queries)
    assert not told, f"{story.phases}\n{told}"


def test_every_query_of_the_dashboard_has_data_while_something_of_each_kind_comes(
    story: Story, tmp_path: Path
) -> None:
    minute = story.phases["what is bad comes"].minute
    queries = [has_data(minute, query) for query in read_queries()]
    assert not evaluate(tmp_path, story.recording.series(), queries)
