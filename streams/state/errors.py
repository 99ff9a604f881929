"""Why a partition's store can't be used, or not for now.

Names only: tests/state/test_rocksdb.py and tests/partition/test_task.py hold when they are raised and met.
"""


class StoreError(Exception):
    """The store can't answer."""


class CorruptedError(StoreError):
    """The store is damaged: it has to be set aside, and restored from the changelog."""


class ForeignError(CorruptedError):
    """The store holds rows of another changelog than the partition's."""


class FullError(StoreError):
    """The disk is full; the changelog has what is missing: close the store, and open it once there is room."""
