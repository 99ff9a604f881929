"""The example journeys, with the demo's sample, on the virtual clock: what the demo has to show."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from streams.demo.examples import EXAMPLES, shorten
from streams.demo.sample import make_sample
from streams.demo.tally import Summary, Tally
from streams.engine.reading import split_lines
from streams.journeys.files import read_journeys
from streams.kafka.topics import ACTIVITY, COMMANDS, DEAD_LETTERS
from streams.simulation.lines import parse_lines
from streams.simulation.scenario import load_journeys
from streams.simulation.simulation import Simulation

START = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture
def summary(tmp_path: Path) -> Summary:
    shorten(EXAMPLES, 2, tmp_path)
    journeys = read_journeys([tmp_path])
    lines = b"\n".join(sample.value for sample in make_sample("run", START))
    tally = Tally()
    for output in Simulation(load_journeys(journeys)).run(parse_lines(split_lines(lines), journeys)):
        if output.topic == COMMANDS:
            tally.receive_command(output.fields, 0)
        elif output.topic == ACTIVITY:
            tally.receive_activity(output.fields)
        elif output.topic == DEAD_LETTERS:
            tally.receive_dead_letter("unusable")
    return tally.summarize()


def test_everybody_who_enters_an_example_leaves_it(summary: Summary) -> None:
    assert summary.finished
    assert summary.entered == 200 + 133 + 40 + 29 + 22


def test_the_sample_takes_every_way_through_the_examples(summary: Summary) -> None:
    sent = {(count.template, count.variants): count.count for count in summary.commands_by_template}
    by_template: dict[str, int] = {}
    for (template, _), number in sent.items():
        by_template[template] = by_template.get(template, 0) + number
    assert by_template.pop("welcome-story") + by_template.pop("welcome-offer") == 200
    assert by_template == {
        "first-round-invitation": 133,
        "welcome-text": 67,
        "tee-time-booked": 40,
        "tee-time-tomorrow": 30,
        "thanks-for-playing": 20,
        "payment-failed": 29,
        "payment-due": 14,
        "payment-last-notice": 14,
        "we-miss-you": 22,
        "win-back-offer": 11,
        "glad-you-are-back": 11,
    }


def test_the_sample_reaches_goals_and_moves_tee_times(summary: Summary) -> None:
    assert summary.goals == {"played": 20, "paid": 15, "booked again": 11}
    assert summary.moved == 10


def test_a_silver_member_s_booking_and_an_event_said_twice_are_refused(summary: Summary) -> None:
    assert summary.refused_by_reason == {"conditions": 60, "duplicate": 4}
    assert summary.dead_letters == 6


def test_a_day_of_a_wait_lasts_as_long_as_said(tmp_path: Path) -> None:
    shorten(EXAMPLES, 0.5, tmp_path)
    text = (tmp_path / "payment-failed.yaml").read_text()
    assert "duration: 2 seconds" in text
    text = (tmp_path / "tee-time-reminder.yaml").read_text()
    assert "offset: -1 seconds" in text
    assert "offset: 1 seconds" in text
