"""BIO labels: the best allowed path through scores, how sure it is, and the spans it marks.

A span of kind x is labelled B-x on its first word and I-x on the others (Ramshaw and Marcus 1995),
so I-x may follow only B-x or I-x. The path is found by dynamic programming (Viterbi 1967); with
`moves`, what a label says about the next one counts too: a linear-chain conditional random field
(Lafferty, McCallum and Pereira 2001).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgeasr.session import Array

__all__ = ["Span", "allowed_moves", "best_path", "certainty", "label_names", "spans"]


@dataclass(frozen=True)
class Span:
    """Words `start` to `end` (exclusive) form a slot of kind `name`."""

    name: str
    start: int
    end: int


def label_names(kinds: Sequence[str]) -> tuple[str, ...]:
    """Return the label of every score column: O, then B- and I- of each kind in turn."""
    return ("O", *(f"{mark}-{kind}" for kind in kinds for mark in "BI"))


def allowed_moves(labels: int) -> Array:
    """Return bool [labels, labels]: whether the column's label may follow the row's.

    Labels stand as in `label_names`. What may follow O may also begin a sentence.
    """
    allowed = np.ones((labels, labels), bool)
    inside = np.arange(2, labels, 2)
    allowed[:, inside] = False
    allowed[inside, inside] = allowed[inside - 1, inside] = True
    return allowed


def best_path(scores: Array, moves: Array | None = None) -> Array:
    """Return the highest-scoring allowed labels: float32 [words, labels] -> int64 [words].

    `moves` float32 [labels, labels] is added for each pair of labels that follow each other.
    Ties go to the lower index.
    """
    steps = _steps(scores, moves)
    total = scores[0] + np.where(allowed_moves(scores.shape[1])[0], 0.0, -np.inf)
    back = []
    for row in scores[1:]:
        ways = total[:, None] + steps
        back.append(ways.argmax(axis=0))
        total = ways.max(axis=0) + row
    path = [int(total.argmax())]
    for before in reversed(back):
        path.append(int(before[path[-1]]))
    return np.array(path[::-1], np.int64)


def certainty(scores: Array, moves: Array | None, path: Array) -> Array:
    """Return each word's probability of its label on `path`, float64 [words], over all paths.

    By the forward and backward sums (Rabiner 1989), of allowed paths alone.
    """
    powers = np.exp(_steps(scores, moves))
    ahead = [scores[0] + np.where(allowed_moves(scores.shape[1])[0], 0.0, -np.inf)]
    for row in scores[1:]:
        ahead.append(_sums(ahead[-1], powers) + row)
    behind = [np.zeros(scores.shape[1])]
    for row in scores[:0:-1]:
        behind.append(_sums(row + behind[-1], powers.T))
    both = np.stack(ahead) + np.stack(behind[::-1])
    log_shares = both[np.arange(len(path)), path] - np.logaddexp.reduce(both, axis=1)
    shares: Array = np.exp(log_shares)
    return shares


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


def _steps(scores: Array, moves: Array | None) -> Array:
    allowed = allowed_moves(scores.shape[1])
    steps: Array = np.where(allowed, 0.0 if moves is None else moves, -np.inf)
    return steps


def _sums(total: Array, powers: Array) -> Array:
    """Return the logarithm of exp(total) @ powers, the largest term taken out first."""
    top = total.max()
    with np.errstate(divide="ignore"):  # what no path reaches is -inf
        sums: Array = np.log(np.exp(total - top) @ powers) + top
    return sums
