"""Trigger engines behind one call: the shipped one, and its peers where they are installed.

Peers (extra `peers`): microWakeWord's models for "alexa" and "hey jarvis" (Apache-2.0),
openWakeWord 0.5.1's (models CC BY-NC-SA 4.0), six of Porcupine 1.9.5, the last that needs no key.
"""

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from edgeasr.audio import BLOCK_SAMPLES, SAMPLE_RATE, Pcm
from edgeasr.features import Frontend, LogMel
from edgeasr.wake import WakeDetector, WakeModel
from training.wake_data import REAL_WORDS
from training.wake_measure import Scores

__all__ = ["Engine", "Ours", "peers"]

_SHARED_WORDS = ("alexa", "hey jarvis")


class Engine(Protocol):
    """A trigger of some words."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def step_s(self) -> float:
        """Seconds between scores."""

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Default setting of each word."""

    def scores(self, pcm: Pcm) -> dict[str, Scores]:
        """Return float32 [steps] of each word for int16 [n], heard by a fresh detector."""
        ...


class Ours:
    """The shipped trigger, with front-end and second stage, in blocks of 80 ms."""

    name, step_s = "edgeasr", BLOCK_SAMPLES / SAMPLE_RATE

    def __init__(self, model: WakeModel) -> None:
        self._model = model
        self.thresholds = model.thresholds

    def scores(self, pcm: Pcm) -> dict[str, Scores]:
        """Return the scores after the second stage, the highest of each block."""
        frontend, detector = Frontend(LogMel()), WakeDetector(self._model, self.thresholds)
        rows = []
        for first in range(0, len(pcm), BLOCK_SAMPLES):
            detector.push(frontend.push(pcm[first : first + BLOCK_SAMPLES]))
            rows.append(detector.latest_scores)
        return _columns(rows)


class MicroWakeWord:
    """microWakeWord through pymicro-wakeword: a mixed convolution network on 40 bands."""

    name, step_s = "microWakeWord", 0.03

    def __init__(self) -> None:
        from pymicro_wakeword import MicroWakeWord as Detector  # noqa: PLC0415 - optional
        from pymicro_wakeword import Model  # noqa: PLC0415

        models = {word: Detector.from_builtin(Model(word.replace(" ", "_")))
                  for word in _SHARED_WORDS}  # fmt: skip
        self._models: dict[str, Any] = models
        self.thresholds = {word: float(one.probability_cutoff) for word, one in models.items()}

    def scores(self, pcm: Pcm) -> dict[str, Scores]:
        from pymicro_wakeword import MicroWakeWordFeatures  # noqa: PLC0415 - optional

        for model in self._models.values():
            model.reset()
        rows, features = [], MicroWakeWordFeatures()
        for first in range(0, len(pcm), BLOCK_SAMPLES):
            block = pcm[first : first + BLOCK_SAMPLES].tobytes()
            for row in features.process_streaming(block):
                answers = {word: one.process_streaming_prob(row)
                           for word, one in self._models.items()}  # fmt: skip
                rows.append(answers)
        return _columns(rows[2::3])  # an answer every third frame


class OpenWakeWord:
    """openWakeWord: a network for each word on Google's speech embedding."""

    name, step_s = "openWakeWord", 0.08
    thresholds = dict.fromkeys(_SHARED_WORDS, 0.5)

    def __init__(self) -> None:
        import openwakeword  # noqa: PLC0415 - optional
        from openwakeword.model import Model  # noqa: PLC0415

        folder = Path(openwakeword.__file__).parent / "resources" / "models"
        paths = [str(folder / f"{word.replace(' ', '_')}_v0.1.onnx") for word in _SHARED_WORDS]
        self._model = Model(wakeword_models=paths, inference_framework="onnx")

    def scores(self, pcm: Pcm) -> dict[str, Scores]:
        self._model.reset()
        self._model.preprocessor.__init__(inference_framework="onnx")
        blocks = range(0, len(pcm) - 1279, 1280)
        answers = [self._model.predict(pcm[first : first + 1280]) for first in blocks]
        return _columns([
            {word: row[f"{word.replace(' ', '_')}_v0.1"] for word in _SHARED_WORDS}
            for row in answers
        ])  # fmt: skip


class Porcupine:
    """Porcupine 1.9.5 at sensitivity 0.5: it tells what it heard, but no score."""

    name, step_s = "Porcupine", 512 / SAMPLE_RATE
    thresholds = dict.fromkeys(REAL_WORDS, 0.5)

    def __init__(self) -> None:
        self._open()

    def _open(self) -> None:
        import pvporcupine  # noqa: PLC0415 - optional

        self._engine = pvporcupine.create(keywords=list(REAL_WORDS))

    def scores(self, pcm: Pcm) -> dict[str, Scores]:
        self._engine.delete()
        self._open()
        blocks = range(0, len(pcm) - 511, 512)
        heard = [self._engine.process(pcm[first : first + 512]) for first in blocks]
        return {
            word: (np.array(heard) == number).astype(np.float32)
            for number, word in enumerate(REAL_WORDS)
        }


_PEERS: dict[str, Callable[[], Engine]] = {
    "pymicro_wakeword": MicroWakeWord, "pvporcupine": Porcupine, "openwakeword": OpenWakeWord,
}  # fmt: skip


def peers() -> list[Engine]:
    """Return the peers that are installed here."""
    return [make() for package, make in _PEERS.items() if importlib.util.find_spec(package)]


def _columns(rows: list[dict[str, Any]]) -> dict[str, Scores]:
    return {word: np.array([row[word] for row in rows], np.float32) for word in rows[0]}
