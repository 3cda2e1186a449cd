"""Sub-word pieces as they are shown: with another word where the network had a stand-in."""

import re
from collections.abc import Callable, Sequence

import numpy as np

from edgeasr.session import Array

__all__ = ["exchanged", "joined_columns", "joined_rows"]

_BEGIN = "▁"
"""Marks the beginning of a word in a piece of sentencepiece"""


def exchanged(
    pieces: Sequence[str], pattern: re.Pattern[str], put: Callable[[re.Match[str]], str]
) -> tuple[tuple[str, ...], list[int]]:
    """Return the pieces with one piece for each match, and which old piece begins each new one.

    The new piece holds what `put` makes of the match, and the rest of the pieces that it lay in.
    """
    text = "".join(pieces).replace(_BEGIN, " ")
    ends = np.cumsum([len(piece) for piece in pieces])
    shown, starts = list(pieces), list(range(len(pieces)))
    for match in reversed(list(pattern.finditer(text))):
        first = int(np.searchsorted(ends, match.start(), side="right"))
        last = int(np.searchsorted(ends, match.end(), side="left"))
        begin = int(ends[first - 1]) if first else 0
        whole = text[begin : match.start()] + put(match) + text[match.end() : int(ends[last])]
        shown[first : last + 1] = [whole.replace(" ", _BEGIN)]
        del starts[first + 1 : last + 1]
    return tuple(shown), starts


def joined_columns(attention: Array, starts: list[int]) -> Array:
    """Return attention [target, source] with columns summed from each of `starts` to the next."""
    sums: Array = np.add.reduceat(attention, starts, axis=1)
    return sums


def joined_rows(attention: Array, starts: list[int]) -> Array:
    """Return the same with rows averaged, so that they still sum to 1."""
    counts = np.diff([*starts, len(attention)])[:, None]
    means: Array = (np.add.reduceat(attention, starts, axis=0) / counts).astype(np.float32)
    return means
