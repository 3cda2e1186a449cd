"""When each word was said and how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import sentencepiece

from edgeasr.attention_search import Candidate
from edgeasr.ctc import LogProbs, align

__all__ = ["SpokenWord", "word_confidences", "word_spans"]


@dataclass(frozen=True)
class SpokenWord:
    """One recognised word; times in seconds since the first frame."""

    word: str
    start_s: float
    end_s: float
    confidence: float
    """0 to 1"""


def word_spans(
    text: str, log_probs: LogProbs, pieces: sentencepiece.SentencePieceProcessor
) -> list[tuple[int, int]]:
    """Return the first and last CTC step of each word; spread evenly when they do not fit."""
    per_word = [[unit + 1 for unit in pieces.encode(word)] for word in text.split()]
    labels = [label for word in per_word for label in word]
    try:
        spans = align(log_probs, labels)
    except ValueError:
        edges = np.linspace(0, len(log_probs), len(per_word) + 1).astype(int)
        return [(int(a), int(b)) for a, b in pairwise(edges)]
    words, at = [], 0
    for own in per_word:
        words.append((spans[at][0], spans[at + len(own) - 1][1]))
        at += len(own)
    return words


def word_confidences(candidate: Candidate, units: Sequence[str]) -> list[float]:
    """Return the product of each word's unit probabilities; `units` are the unit names by id."""
    sure: list[float] = []
    inside = False
    for unit, log_prob in zip(candidate.units, candidate.log_probs, strict=False):
        name = units[unit]
        letters = name.removeprefix("Ġ")
        if letters and (letters != name or not inside):
            sure.append(0.0)
        inside = bool(letters)
        if sure:
            sure[-1] += log_prob
    return [float(np.exp(value)) for value in sure]
