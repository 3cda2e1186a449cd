"""A known name in the place of an unknown word, put back in the translation.

A network that spells a name it never met piece by piece garbles it; one that it has met a thousand
times it copies (the rare word problem; Luong et al. 2015 put words back by their alignment).
"""

import re
from collections.abc import Callable

__all__ = ["LEAST_GAIN", "STAND_IN", "put_back", "stand_in", "unknown_words"]

STAND_IN = "Tom"
LEAST_GAIN = 1.0
"""Nats by which the score must be better with the stand-in, chosen on dev sentences"""
_LEAST_PIECES = 3
_MOST_WORDS = 2  # that are tried in a sentence
_WORD = re.compile(r"[^\W\d_]{3,}")


def unknown_words(text: str, translation: str, pieces: Callable[[str], int]) -> list[str]:
    """Return words of `text` that are many `pieces` and were not copied, at most two."""
    if STAND_IN.lower() in text.lower():
        return []
    copied = translation.lower()
    words = dict.fromkeys(word for word in _WORD.findall(text) if word.lower() not in copied)
    return [word for word in words if pieces(word) >= _LEAST_PIECES][:_MOST_WORDS]


def stand_in(text: str, word: str) -> str:
    """Return `text` with the stand-in for `word`."""
    return re.sub(rf"\b{re.escape(word)}\b", STAND_IN, text)


def put_back(translation: str, text: str, word: str) -> str | None:
    """Return the translation with `word` of `text` for the stand-in; None unless it is there once.

    A text without any capital is a recogniser's: there the word gets the capital of a name.
    """
    if len(re.findall(rf"\b{STAND_IN}\b", translation)) != 1:
        return None
    name = word.capitalize() if text == text.lower() else word
    return re.sub(rf"\b{STAND_IN}\b", name, translation)
