"""What a check finds: ok, a warning or a problem, in a sentence, and what to do about it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import msgspec

State = Literal["ok", "warning", "problem"]


class Finding(msgspec.Struct, frozen=True):
    """One check's outcome; `todo` is empty where nothing is to be done."""

    check: str
    state: State
    text: str
    todo: str = ""


class Findings:
    """What has been found so far, in order."""

    def __init__(self) -> None:
        self.all: list[Finding] = []

    def ok(self, check: str, text: str) -> None:
        """Note that all is well."""
        self.all.append(Finding(check, "ok", text))

    def warn(self, check: str, text: str, todo: str) -> None:
        """Note what may become a problem, or costs something."""
        self.all.append(Finding(check, "warning", text, todo))

    def fail(self, check: str, text: str, todo: str) -> None:
        """Note a problem."""
        self.all.append(Finding(check, "problem", text, todo))

    @contextmanager
    def checking(self, check: str, *errors: type[BaseException]) -> Iterator[None]:
        """Let a check that can't be made be a problem of its own, and the others go on."""
        try:
            yield
        except errors as error:
            self.fail(
                check,
                f"It can't be looked at: {str(error).rstrip('.') or type(error).__name__}.",
                "See why, and try again.",
            )


def name_some(items: Sequence[object], most: int = 5) -> str:
    """Return the first few of many, and how many more there are."""
    shown = ", ".join(f"'{item}'" for item in items[:most])
    return shown + (f" and {len(items) - most} more" if len(items) > most else "")
