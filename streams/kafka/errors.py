"""How a partition's owner learns that it can't go on: the task opens the partition anew, or leaves it.

Names only: tests/partition/test_task.py holds what the task makes of them.
"""


class MigratedError(Exception):
    """The partition was taken over, or the outcome of a commit is unknown: open it anew or leave it."""


class FencedError(MigratedError):
    """Another worker took the partition over, so it is that worker's, unless the group says otherwise."""


class TooLargeError(MigratedError):
    """The broker refused a batch: the topic takes less than was thought."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"'{topic}' takes less at once than was thought")
        self.topic = topic


class UnreadError(FencedError):
    """The partition is this worker's, but the group does not read this topic of it any more, or not yet."""
