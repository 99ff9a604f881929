"""Checks of this machine: its settings, its list of topics, and the disk that stores lie on."""

import shutil
from pathlib import Path

from streams.doctor.finding import Findings
from streams.errors import FairwayError
from streams.kafka.topics import Topics, read_topics
from streams.settings import Settings, find_unknown

_LEAST_FREE, _LEAST_SHARE = 1 << 30, 0.1


def check_settings(findings: Findings, settings: Settings) -> Topics | None:
    """Return the topics of topics.yaml, if it can be read; note what is odd about settings."""
    for sentence in find_unknown():
        findings.warn("settings", sentence, "Correct its name, or take it away.")
    if settings.access == "open":
        text = "FAIRWAY_ACCESS is 'open': pages and API ask nobody who they are."
        findings.warn("access", text, "See that only those reach them who may, or set it to token or oidc.")
    try:
        topics = read_topics(settings.topics_file, settings.app_id)
    except FairwayError as error:
        findings.fail("settings", str(error), "Correct the file.")
        return None
    findings.ok(
        "settings", f"'{settings.topics_file}' lists {len(topics.all)} topics; the app is '{settings.app_id}'."
    )
    return topics


def check_disk(findings: Findings, settings: Settings) -> None:
    """Note whether stores have room to grow."""
    if settings.store == "memory":
        findings.ok("disk", "State is kept in memory alone: each start reads all of it from Kafka.")
        return
    folder = _first_there(settings.data_dir.absolute())
    total, _, free = shutil.disk_usage(folder)
    own = settings.data_dir / settings.app_id
    size = sum(file.stat().st_size for file in own.rglob("*") if file.is_file()) if own.exists() else 0
    text = f"The stores in '{settings.data_dir}' take {size / 2**20:,.0f} MiB; {free / 2**30:,.1f} GiB are free."
    if free < _LEAST_FREE or free < total * _LEAST_SHARE:
        findings.warn("disk", text, "Give the disk more room: a store that can't be written ends its worker.")
    else:
        findings.ok("disk", text)


def _first_there(folder: Path) -> Path:
    return next(one for one in (folder, *folder.parents) if one.exists())
