"""Faust's app as a worker needs it: our assignor and transport, no web server, readers that may be full."""

from pathlib import Path

from streams.settings import Settings
from streams.worker.assignor import Assignor
from streams.worker.faust_app import FaustApp, make_faust_app
from streams.worker.transport import Transport
from tests.worker.test_deferred import Late


def make(tmp_path: Path, address: str = "http://10.0.0.1:6066") -> FaustApp:
    return make_faust_app(Settings(app_id="golf", data_dir=tmp_path, instance_id="one"), address)


def test_the_group_is_told_where_the_worker_is_and_nothing_else_is_served(tmp_path: Path) -> None:
    app = make(tmp_path)
    assert str(app.conf.canonical_url) == "http://10.0.0.1:6066"
    assert (app.conf.id, app.conf.consumer_group_instance_id, app.conf.web_enabled) == ("golf", "one", False)
    assert isinstance(app.assignor, Assignor)
    assert isinstance(app._new_transport(), Transport)


def test_a_worker_without_web_views_has_an_app_all_the_same(tmp_path: Path) -> None:
    assert make(tmp_path, "").conf.id == "golf"


def test_a_topic_s_reader_is_asked_whether_it_is_full(tmp_path: Path) -> None:
    app = make(tmp_path)
    app.readers = [Late()]
    assert app.wants("activity", 1)
    assert not app.wants("activity", 0)
    assert not app.wants("unknown", 1)
