"""The second look at a candidate: whether the recogniser reads the phrase there.

The trigger may fire early and often; the recogniser that is loaded anyway compares the best path
through the phrase with the best free path over the last seconds (a keyword against fillers, as in
Rohlicek et al. 1989, on CTC outputs). Nothing is trained for a phrase: its text is enough.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeasr.encoder import EncoderNets, EncoderStream
from edgeasr.features import FRAME_S, Frames

__all__ = [
    "VERIFY_STEPS", "Candidates", "PhraseVerifier", "Reader", "VerifyRule", "phrase_log_ratio",
]  # fmt: skip

LogProbs = NDArray[np.float32]
_WINDOW_FRAMES = round(2.2 / FRAME_S)  # how far back the second look goes
_NEVER = -1e30
_LEAST_RATIO = -8.0  # below, one phrase is as absent as another
VERIFY_STEPS = 6
"""Steps of the trigger from a candidate to its verdict: the recogniser hears the word's end"""
_REST_STEPS = 15  # after a verdict, unless the score falls before


class Reader(Protocol):
    """What is needed of a recogniser."""

    nets: EncoderNets
    pieces: Any
    """The units of the CTC branch: `encode(text)` gives their numbers"""
    digest: str
    """Changes with the networks"""


@dataclass(frozen=True)
class VerifyRule:
    """How candidates of one word are judged; fitted on recordings not trained on."""

    spellings: tuple[str, ...]
    """What the recogniser may read"""
    candidate: float
    """Score of the first stage that makes a candidate"""
    weight: float
    """Of the phrase's log ratio beside the logit of the first stage's score"""

    def combined(self, score: float, log_ratio: float) -> float:
        """Return the final score, 0 to 1, of a first-stage score and a log ratio."""
        return _sigmoid(_logit(score) + self.weight * max(log_ratio, _LEAST_RATIO))

    def unseen(self, score: float) -> float:
        """Return what a score that was not looked at counts."""
        return self.combined(min(score, self.candidate), _LEAST_RATIO)


class PhraseVerifier:
    """Scores phrases in the last frames of a stream. Holds no stream state."""

    window_frames = _WINDOW_FRAMES
    """Frames that `score` looks at"""

    def __init__(self, recogniser: Reader, rules: Mapping[str, VerifyRule]) -> None:
        """Judge the words of `rules` with the recogniser's encoder."""
        self.rules = dict(rules)
        self._nets = replace(recogniser.nets, ahead=0)  # as the rules were fitted
        self._units = {
            word: [[p + 1 for p in recogniser.pieces.encode(text)] for text in rule.spellings]
            for word, rule in rules.items()
        }

    def score(self, word: str, frames: Frames) -> float:
        """Return the log ratio per unit, at most 0, of a word in frames float32 [k, 80].

        The last `window_frames` count. Raises KeyError for a word without a rule.
        """
        stream = EncoderStream(self._nets)
        outputs = stream.push(frames[-_WINDOW_FRAMES:])
        _, rest = stream.rest()
        parts = [*outputs, *rest]
        if not parts:
            return _LEAST_RATIO
        log_probs = np.concatenate(parts)
        return max(phrase_log_ratio(log_probs, units) for units in self._units[word])


class Candidates:
    """The candidates of one stream, from the rise of a score to the verdict."""

    def __init__(self, verifier: PhraseVerifier) -> None:
        self._verifier = verifier
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._waiting: dict[str, _Waiting] = {}
        self._resting: dict[str, int] = {}

    def judge(self, scores: Mapping[str, float], heard: Frames) -> dict[str, float]:
        """Return the final scores of one step, given those of the first stage.

        `heard` are the frames up to this step, float32 [k, 80]. A word without a rule keeps its
        score; another one has its own only in the step of a verdict.
        """
        final = dict(scores)
        for word, rule in self._verifier.rules.items():
            if word in scores:
                final[word] = self._one(word, rule, scores[word], heard)
        return final

    def _one(self, word: str, rule: VerifyRule, score: float, heard: Frames) -> float:
        resting = self._resting.get(word, 0)
        if resting:
            self._resting[word] = 0 if score < rule.candidate / 2 else resting - 1
        elif word not in self._waiting and score >= rule.candidate:
            self._waiting[word] = _Waiting(score)
        waiting = self._waiting.get(word)
        if waiting is None:
            return rule.unseen(score)
        waiting.top = max(waiting.top, score)
        waiting.steps += 1
        if waiting.steps <= VERIFY_STEPS:
            return rule.unseen(score)
        del self._waiting[word]
        self._resting[word] = _REST_STEPS
        return rule.combined(waiting.top, self._verifier.score(word, heard))


@dataclass
class _Waiting:
    top: float
    steps: int = 0


def _logit(score: float) -> float:
    kept = min(max(score, 1e-6), 1 - 1e-6)
    return float(np.log(kept / (1 - kept)))


def _sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


def phrase_log_ratio(log_probs: LogProbs, units: list[int]) -> float:
    """Return log P(best path through `units` somewhere) - log P(best free path), per unit.

    `log_probs` are CTC outputs float32 [steps, units], unit 0 the blank. The path is free before
    the phrase begins and after it has ended.
    """
    extended = np.zeros(2 * len(units) + 1, np.int64)
    extended[1::2] = units
    skips = np.zeros(len(extended), bool)
    skips[3::2] = extended[3::2] != extended[1:-2:2]
    best = log_probs.max(axis=1).astype(np.float64)
    relative = log_probs[:, extended] - best[:, None]  # the free path costs nothing
    score = np.full(len(extended), _NEVER)
    found = _NEVER
    for row in relative:
        move = np.concatenate([[0.0], score[:-1]])  # the phrase may begin at any step
        skip = np.where(skips, np.concatenate([[_NEVER, _NEVER], score[:-2]]), _NEVER)
        skip[1] = 0.0
        score = np.maximum(np.maximum(score, move), skip) + row
        found = max(found, float(score[-1]), float(score[-2]))
    return found / len(units)
