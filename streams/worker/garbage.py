"""When Python looks for cyclic garbage: seldom, for what journeys make holds none, and never while modules load.

What modules make stays. To look through it again and again while more of it is made was a fifth of the processor
time of a worker's start.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_SELDOM = (50_000, 20, 100)


def settle() -> None:
    """Look for it seldom from now on, and not among what is there: that was loaded, and stays."""
    gc.freeze()
    gc.set_threshold(*_SELDOM)


@contextmanager
def loading() -> Iterator[None]:
    """Look for none while modules load, nor among what they made later."""
    gc.disable()
    try:
        yield
    finally:
        settle()
        gc.enable()
