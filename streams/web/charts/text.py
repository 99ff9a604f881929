"""How wide a text is drawn, and how much of it fits: SVG has no ellipsis of its own."""

import unicodedata

_WIDE = dict.fromkeys("MW%@mw", 1.0) | dict.fromkeys("il.,:;|!'` jtfrI()[]/-", 0.46)
_CAPITAL, _OTHER, _FULL = 0.78, 0.66, 1.04
"""Parts of the font's size that letters take, as wide as those of the widest of our fonts, DejaVu Sans, in bold."""


def measure(text: str, size: float) -> float:
    """Return how many pixels wide a text is at most, in a font of this size."""
    return size * sum(map(_measure_letter, text))


def fit(text: str, width: float, size: float) -> str:
    """Return as much of a text as fits so many pixels, with an ellipsis where something is left out."""
    if measure(text, size) <= width:
        return text
    left = width - measure("…", size)
    for place, letter in enumerate(text):
        left -= size * _measure_letter(letter)
        if left < 0:
            return f"{text[:place].rstrip()}…"
    return text


def _measure_letter(letter: str) -> float:
    if (known := _WIDE.get(letter)) is not None:
        return known
    if unicodedata.east_asian_width(letter) in "WF":
        return _FULL
    if letter.isascii() and not letter.isupper():
        return _OTHER
    return _CAPITAL if unicodedata.category(letter) == "Lu" else _FULL
