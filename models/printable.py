"""Text that came from outside, made fit for one line of a terminal."""

import re

# Control characters, ends of lines, marks that turn the direction of writing, and what is no character at all.
_find_unprintable = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]").sub


def printable(text: str) -> str:
    """Return a text in which what would end the line or steer the terminal is written as an escape."""
    return text if text.isprintable() else _find_unprintable(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
