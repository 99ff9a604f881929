"""When Python looks for cyclic garbage."""

import gc
from collections.abc import Iterator

import pytest

from streams.worker.garbage import loading, settle


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()
    gc.enable()


def test_what_is_there_is_not_looked_at_again() -> None:
    settle()
    assert gc.get_freeze_count() > 1000
    assert gc.get_threshold()[0] > 10_000


def test_nothing_is_looked_for_while_modules_load() -> None:
    with loading():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 1000


def test_it_goes_on_after_a_module_that_does_not_load() -> None:
    with pytest.raises(ImportError), loading():
        raise ImportError
    assert gc.isenabled()
