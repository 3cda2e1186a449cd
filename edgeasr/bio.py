"""BIO labels: the best allowed path through scores, and the spans it marks.

A span of kind x is labelled B-x on its first word and I-x on the others (Ramshaw and Marcus 1995),
so I-x may follow only B-x or I-x. The path is found by dynamic programming (Viterbi 1967); since
only I- labels are bound to what stands before, a step costs O(labels), not O(labels squared).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgeasr.session import Array

__all__ = ["Span", "best_path", "label_names", "spans"]


@dataclass(frozen=True)
class Span:
    """Words `start` to `end` (exclusive) form a slot of kind `name`."""

    name: str
    start: int
    end: int


def label_names(kinds: Sequence[str]) -> tuple[str, ...]:
    """Return the label of every score column: O, then B- and I- of each kind in turn."""
    return ("O", *(f"{mark}-{kind}" for kind in kinds for mark in "BI"))


def best_path(scores: Array) -> Array:
    """Return the highest-scoring allowed labels: float32 [words, labels] -> int64 [words].

    Columns stand as in `label_names`. Scores are log probabilities; ties go to the lower index.
    """
    words, labels = scores.shape
    back = np.zeros((words, labels), np.int64)
    inside = np.arange(2, labels, 2)
    total = scores[0].astype(np.float64)
    total[inside] = -np.inf
    for word in range(1, words):
        before = np.full(labels, total.argmax())
        stays = total[inside] >= total[inside - 1]
        before[inside] = np.where(stays, inside, inside - 1)
        total = total[before] + scores[word]
        back[word] = before
    path = np.zeros(words, np.int64)
    path[-1] = total.argmax()
    for word in range(words - 1, 0, -1):
        path[word - 1] = back[word, path[word]]
    return path


def spans(labels: Sequence[str]) -> tuple[Span, ...]:
    """Return the marked spans in order; an I- that continues nothing starts a span."""
    found: list[Span] = []
    for position, label in enumerate(labels):
        if label == "O":
            continue
        mark, name = label[0], label[2:]
        last = found[-1] if found else None
        if mark == "I" and last is not None and last.end == position and last.name == name:
            found[-1] = Span(name, last.start, position + 1)
        else:
            found.append(Span(name, position, position + 1))
    return tuple(found)
