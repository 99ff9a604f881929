"""The secure broker, one for all tests of a session."""

from collections.abc import Iterator

import pytest

from tests.databases import EMPTY
from tests.security.issuer import Issuer, issuing
from tests.security.secure_broker import SecureBroker


@pytest.fixture(scope="session")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    """A broker with a listener of each kind."""
    found = SecureBroker(tmp_path_factory.mktemp("secure"))
    try:
        found.start()
        yield found
    finally:
        found.stop()


@pytest.fixture
def content() -> str:
    """Databases are empty: an operator's first command makes the tables."""
    return EMPTY


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """A server that gives tokens."""
    with issuing() as found:
        yield found
