"""The trigger: frames in, detections of wake words out.

`WakeModel` holds the network and its thresholds, `WakeDetector` what one stream must remember.
The network answers every 40 ms with a probability per word; the mean of two steps is compared
with the word's threshold. A word fires once, then not again before its score has fallen to half
the threshold and the refractory time is over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeasr.bundle import Bundle
from edgeasr.errors import BundleError, ConfigError
from edgeasr.features import FRAME_S, FeatureSpec, Frames
from edgeasr.session import Tensors
from edgeasr.wake_verify import Candidates, PhraseVerifier, Reader, VerifyRule

__all__ = ["Detection", "OperatingPoint", "WakeDetector", "WakeModel"]

Scores = NDArray[np.float32]

_REARM_SHARE = 0.5  # of the threshold, below which a word may fire again
_OTHERS_S = 0.5  # after a detection, for every other word
_HOLD_STEPS = 5  # how long "jarvis" waits for a rising "hey jarvis"
_RISING_SHARE = 0.1  # of the network's threshold, above which the longer word counts as rising
_SILENCE_S = 1.0  # that a fresh stream has heard: a word may be cut close to a file's beginning


@dataclass(frozen=True)
class Detection:
    """A wake word was heard."""

    word: str
    score: float
    """Smoothed, 0 to 1, when it fired"""
    at_frame: int
    """Frames since the reset when it fired"""
    end_frame: int
    """Estimated end of the word, frames since the reset"""


@dataclass(frozen=True)
class OperatingPoint:
    """A row of a word's table, measured on recordings that were not trained on."""

    accepts_per_hour: float
    """False accepts per hour of speech, noise and music"""
    threshold: float
    miss: float
    """Share of clean recordings that are missed, 0 to 1"""


class WakeModel:
    """The network of a bundle, its words and thresholds. Holds no stream state."""

    def __init__(self, bundle: Bundle, recogniser: Reader | None = None) -> None:
        """Load `wake.onnx`. Raises BundleError.

        With the recogniser that the bundle's second stage was fitted to, words that have one are
        verified before they are announced; scores and thresholds are then those of both stages.
        """
        settings = bundle.settings
        self._session = bundle.session("wake.onnx")
        try:
            self.words: tuple[str, ...] = tuple(settings["words"])
            """The words, in the order of the scores"""
            self.step_frames: int = settings["step_frames"]
            """Frames for each answer"""
            self.verifier = _verifier(settings, recogniser)
            """The second stage, None without"""
            rows = {word: settings["words_alone"][word] for word in self.words}
            self.rising = {word: rows[word]["threshold"] * _RISING_SHARE for word in self.words}
            """Score of the network above which a word may be coming"""
            if self.verifier is not None:
                rows |= {word: settings["words_verified"][word] for word in self.verifier.rules}
            self.thresholds: dict[str, float] = {w: float(rows[w]["threshold"]) for w in rows}
            """Default threshold of each word"""
            self.delays: dict[str, int] = {w: int(rows[w]["delay_frames"]) for w in rows}
            """Frames between a word's end and its detection, median"""
            self.tables: dict[str, tuple[OperatingPoint, ...]] = {
                word: tuple(OperatingPoint(**point) for point in row["operating_points"])
                for word, row in rows.items()
            }
            """Operating points of each word, strictest first"""
        except (KeyError, TypeError) as error:
            raise BundleError(f"{bundle.folder}: bad setting {error}; export again") from error
        self._states = [name for name in self._session.input_names if name != "frames"]
        self._quiet = self._after_silence()

    def _after_silence(self) -> Tensors:
        spec = FeatureSpec()
        count = round(_SILENCE_S / FRAME_S) // self.step_frames * self.step_frames
        silence = np.full((count, spec.mels), np.log10(spec.floor), np.float32)
        return self.step(silence, {name: self._session.zeros(name) for name in self._states})[1]

    def fresh(self) -> Tensors:
        """Return the state of a stream that has heard a second of silence."""
        return dict(self._quiet)

    def step(self, frames: Frames, state: Tensors) -> tuple[Scores, Tensors]:
        """Return scores float32 [k / step_frames, words] of frames [k, 80], and the state after.

        `k` is a multiple of `step_frames`.
        """
        outputs = self._session.run({"frames": frames, **state})
        return outputs["scores"], {name: outputs[f"{name}_after"] for name in self._states}

    def threshold_for(self, word: str, sensitivity: float) -> float:
        """Return the threshold for a sensitivity from 0, strictest, to 1; 0.5 is the default.

        In between, the word's operating points are interpolated. Raises ConfigError outside.
        """
        if not 0 <= sensitivity <= 1:
            raise ConfigError(f"a sensitivity of {sensitivity}; give 0 to 1")
        table = [point.threshold for point in self.tables[word]]
        default = self.thresholds[word]
        half = (default, *(value for value in table if value < default))
        if sensitivity < 0.5:
            half = (*(value for value in table if value > default), default)
        share = sensitivity * 2 if sensitivity < 0.5 else sensitivity * 2 - 1
        return float(np.interp(share, np.linspace(0, 1, len(half)), half))


def _verifier(settings: dict[str, Any], recogniser: Reader | None) -> PhraseVerifier | None:
    rows = settings.get("words_verified", {})
    if recogniser is None or not rows or recogniser.digest != settings["verified_with"]:
        return None
    rules = {
        word: VerifyRule(tuple(row["spellings"]), row["candidate"], row["weight"])
        for word, row in rows.items()
    }
    return PhraseVerifier(recogniser, rules)


class WakeDetector:
    """One stream: frames in, detections out. The same frames in any pieces give the same."""

    def __init__(
        self,
        model: WakeModel,
        thresholds: Mapping[str, float],
        *,
        refractory_s: float = 2.0,
        own_refractory_s: Mapping[str, float] | None = None,
    ) -> None:
        """Listen for the words in `thresholds`; some may have refractory times of their own.

        Raises ConfigError for a word the model lacks.
        """
        for word, threshold in thresholds.items():
            if word not in model.words:
                known = ", ".join(model.words)
                raise ConfigError(f"no wake word {word!r} in the model; there are: {known}")
            if not 0 < threshold <= 1:
                raise ConfigError(f"a threshold of {threshold} for {word!r}; give 0 to 1")
        self._model = model
        self._words = {word: model.words.index(word) for word in thresholds}
        self._thresholds = dict(thresholds)
        self._longer = {
            word: [other for other in thresholds if other.endswith(" " + word)]
            for word in thresholds
        }
        self._candidates = None if model.verifier is None else Candidates(model.verifier)
        own_s = own_refractory_s or {}
        self._refractory = {w: round(own_s.get(w, refractory_s) / FRAME_S) for w in thresholds}
        self._others = round(_OTHERS_S / FRAME_S)
        self.reset()

    def reset(self) -> None:
        """Forget the stream: the next frame is frame 0."""
        self._state = self._model.fresh()
        self._waiting: Frames = np.zeros((0, 0), np.float32)
        self._heard: Frames = np.zeros((0, 0), np.float32)
        if self._candidates is not None:
            self._candidates.reset()
        self._before = np.zeros(len(self._model.words), np.float32)
        self._frame = 0
        self._armed = dict.fromkeys(self._words, True)
        self._silent_until = dict.fromkeys(self._words, 0)
        self._held: dict[str, int] = {}
        self.top_scores: dict[str, float] = dict.fromkeys(self._words, 0.0)
        """The highest smoothed score of each word since the reset"""
        self.latest_scores: dict[str, float] = dict(self.top_scores)
        """The highest smoothed score of each word in the latest push"""

    def push(self, frames: Frames) -> list[Detection]:
        """Take float32 [k, 80] more frames, any k; return what was detected."""
        joined = np.concatenate([self._waiting, frames]) if len(self._waiting) else frames
        whole = len(joined) // self._model.step_frames * self._model.step_frames
        self._waiting = joined[whole:]
        if whole == 0:
            return []
        scores, self._state = self._model.step(joined[:whole], self._state)
        smoothed = (scores + np.concatenate([self._before[None], scores[:-1]])) / 2
        self._before = scores[-1]
        raw = [{word: float(step[i]) for word, i in self._words.items()} for step in smoothed]
        final = self._judge(raw, joined[:whole])
        self.latest_scores = {word: max(step[word] for step in final) for word in self._words}
        return [found for steps in zip(final, raw, strict=True) for found in self._decide(*steps)]

    def _judge(self, raw: list[dict[str, float]], frames: Frames) -> list[dict[str, float]]:
        """Return the scores of each step after the second stage."""
        if self._candidates is None:
            return raw
        heard = np.concatenate([self._heard, frames]) if len(self._heard) else frames
        first = len(self._heard)
        size = self._model.step_frames
        self._heard = heard[-PhraseVerifier.window_frames :]
        return [
            self._candidates.judge(scores, heard[: first + (step + 1) * size])
            for step, scores in enumerate(raw)
        ]

    def _decide(self, now: dict[str, float], raw: Mapping[str, float]) -> list[Detection]:
        """Take the final and the network's own scores of one step."""
        self._frame += self._model.step_frames
        fired = []
        for word, score in now.items():
            self.top_scores[word] = max(self.top_scores[word], score)
            threshold = self._thresholds[word]
            if score < threshold * _REARM_SHARE:
                self._armed[word] = True
            if word in self._held or (score >= threshold and self._may_fire(word)):
                fired.append(word)
        fired = [word for word in fired if not self._waits(word, raw)]
        if not fired:
            return []
        best = max(fired, key=lambda word: (len(word.split()), now[word]))
        return [self._fire(best, now[best])]

    def _may_fire(self, word: str) -> bool:
        return self._armed[word] and self._frame >= self._silent_until[word]

    def _waits(self, word: str, raw: Mapping[str, float]) -> bool:
        """Hold a word back for a few steps while a longer one that ends with it is rising."""
        rising = any(
            raw[other] > self._model.rising[other] and self._may_fire(other)
            for other in self._longer[word]
        )
        steps = self._held.get(word, 0)
        if not rising or steps >= _HOLD_STEPS:
            return False
        self._held[word] = steps + 1
        return True

    def _fire(self, word: str, score: float) -> Detection:
        late = self._model.step_frames * self._held.get(word, 0)
        self._held.clear()
        self._armed[word] = False
        for other in self._words:
            same = other == word or word.endswith(" " + other) or other.endswith(" " + word)
            quiet = self._refractory[word] if same else self._others
            self._silent_until[other] = max(self._silent_until[other], self._frame + quiet)
        return Detection(
            word=word,
            score=max(score, self._thresholds[word]),
            at_frame=self._frame,
            end_frame=max(0, self._frame - late - self._model.delays[word]),
        )
