"""What brokers answer to the requests of a transaction: the names of errors, and patience with some of them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from aiokafka.errors import (
    ConcurrentTransactions,
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    KafkaConnectionError,
    NodeNotReadyError,
    NotCoordinatorError,
    OperationNotAttempted,
    ProducerFenced,
    RequestTimedOutError,
    UnknownMemberIdError,
    for_code,
)
from tenacity import retry, retry_if_exception_type, wait_exponential

FIRST_PAUSE, LONGEST_PAUSE = 0.002, 0.5  # seconds until a request is sent again
_NOT_YET = (
    ConcurrentTransactions,  # the end of the last transaction is being written
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    NodeNotReadyError,
)
_MOVING = (*_NOT_YET, KafkaConnectionError, NotCoordinatorError, RequestTimedOutError)  # ask another broker
_UNNAMED = {82: UnknownMemberIdError, 90: ProducerFenced}
"""Errors that aiokafka has no name for: another process has this member's name; another has the id."""
_Answer = TypeVar("_Answer")


def error_of(code: int) -> Any:
    """Return the class of an error that a broker answers with."""
    return _UNNAMED.get(code) or for_code(code)


def check_codes(codes: Iterable[int], problem: str) -> None:
    """Raise the first error that is worse than OperationNotAttempted, which only goes with others."""
    for code in sorted(filter(None, codes), key=lambda code: code == OperationNotAttempted.errno):
        raise error_of(code)(problem)


_wait = wait_exponential(multiplier=FIRST_PAUSE, max=LONGEST_PAUSE)


async def patiently(ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """Ask until there is an answer, ever less often: the caller sets a deadline."""
    try:
        return await ask()  # mostly: what asks again costs five times as much
    except _NOT_YET:
        await asyncio.sleep(FIRST_PAUSE)
        return await _ask_again(ask)


@retry(retry=retry_if_exception_type(_NOT_YET), wait=_wait)
async def _ask_again(ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
    return await ask()


@retry(retry=retry_if_exception_type(_MOVING), wait=_wait)
async def wherever(ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """Ask whichever broker is the one to ask, until there is an answer."""
    return await ask()
