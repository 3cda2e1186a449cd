"""Recognisers under test: the bundle as the daemon runs it, and peers on the same samples."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from edgeasr.audio import SAMPLE_RATE, Pcm
from edgeasr.bundle import Bundle
from edgeasr.features import Frontend, LogMel
from edgeasr.recogniser import Hints, Recogniser
from training.recogniser_text import normalise

__all__ = ["Edgeasr", "Engine", "Outcome", "peers"]

_BLOCK = SAMPLE_RATE * 8 // 100  # the microphone's, 80 ms
_TAIL = np.zeros(SAMPLE_RATE // 2, np.int16)  # less than what the endpointer waits for
_ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = [
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
    "eighteen", "nineteen",
]  # fmt: skip
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


@dataclass(frozen=True)
class Outcome:
    """What an engine made of one clip; processor seconds."""

    text: str
    cpu_s: float
    final_s: float = 0.0
    """After the end of the audio"""
    partial: str | None = None
    """The last hypothesis before the end"""
    confidence: float = 1.0
    steps_s: Sequence[float] = field(default_factory=tuple)
    """Of each block that gave a new hypothesis"""


class Engine(Protocol):
    """Anything that writes down what a clip says."""

    name: str

    def transcribe(self, pcm: Pcm) -> Outcome:
        """Return the words of a clip, int16 [n] at 16 kHz."""
        ...


class Edgeasr:
    """A bundle, fed block by block."""

    name = "edgeasr"

    def __init__(self, folder: Path, *, hints: Hints | None = None) -> None:
        self._recogniser = Recogniser(Bundle(folder, kind="recogniser"))
        self._hints = hints
        self._log_mel = LogMel()

    def transcribe(self, pcm: Pcm) -> Outcome:
        """Return the words of a clip, streamed."""
        started = time.process_time()
        frontend, stream = Frontend(self._log_mel), self._recogniser.stream(hints=self._hints)
        heard = np.concatenate([pcm, _TAIL])
        partial, steps = "", []
        for start in range(0, len(heard), _BLOCK):
            before = time.process_time()
            hypothesis = stream.push(frontend.push(heard[start : start + _BLOCK]))
            if hypothesis is not None:
                partial = hypothesis.text
                steps.append(time.process_time() - before)
        ended = time.process_time()
        result = stream.finish()
        now = time.process_time()
        return Outcome(
            result.text, now - started, now - ended, partial, result.confidence, tuple(steps)
        )


class FasterWhisper:
    """Whisper tiny.en, int8, its 30 s window, greedy (CTranslate2)."""

    name = "Whisper tiny.en (faster-whisper)"

    def __init__(self, folder: Path) -> None:
        whisper: Any = import_module("faster_whisper")
        self._model: Any = whisper.WhisperModel(str(folder), compute_type="int8", cpu_threads=1)

    def transcribe(self, pcm: Pcm) -> Outcome:
        """Return the words of a clip."""
        started = time.process_time()
        samples = np.concatenate([pcm, _TAIL]).astype(np.float32) / 32768
        segments, _ = self._model.transcribe(
            samples, language="en", beam_size=1, without_timestamps=True
        )
        text = " ".join(segment.text for segment in segments)
        spent = time.process_time() - started
        return Outcome(_as_spoken(text), spent, spent)


class PocketSphinx:
    """PocketSphinx 5 with its own US English model."""

    name = "PocketSphinx 5"

    def __init__(self) -> None:
        sphinx: Any = import_module("pocketsphinx")
        self._decoder: Any = sphinx.Decoder(samprate=SAMPLE_RATE, loglevel="FATAL")

    def transcribe(self, pcm: Pcm) -> Outcome:
        """Return the words of a clip, streamed."""
        started = time.process_time()
        heard = np.concatenate([pcm, _TAIL])
        self._decoder.start_utt()
        for start in range(0, len(heard), _BLOCK):
            self._decoder.process_raw(heard[start : start + _BLOCK].tobytes())
        ended = time.process_time()
        self._decoder.end_utt()
        best = self._decoder.hyp()
        now = time.process_time()
        return Outcome(_as_spoken(best.hypstr if best else ""), now - started, now - ended)


def peers(whisper: Path) -> list[Engine]:
    """Return the peers that are installed."""
    found: list[Engine] = []
    for make in (lambda: FasterWhisper(whisper), PocketSphinx):
        try:
            found.append(make())
        except ImportError as error:
            print(f"left out: {error}")
    return found


def _as_spoken(text: str) -> str:
    """Write digits as words as well as one can from outside; peers shall lose nothing by them."""
    text = re.sub(r"(\d):(\d\d)\b", r"\1 \2", text)
    text = re.sub(r"(?<=\d)[,.](?=\d{3})", "", text)
    return normalise(re.sub(r"\d+", lambda found: f" {_read(found[0])} ", text)) or ""


def _read(digits: str) -> str:
    value = int(digits)
    if len(digits) > 4 or (len(digits) > 1 and digits[0] == "0"):
        return " ".join(_ONES[int(digit)] for digit in digits)
    if value >= 1000 and value % 1000:
        return f"{_read(digits[:2])} {_read(digits[2:])}"
    if value >= 1000:
        return f"{_read(digits[0])} thousand"
    if value >= 100:
        rest = f" {_read(str(value % 100))}" if value % 100 else ""
        return f"{_ONES[value // 100]} hundred{rest}"
    if value >= 20:
        return _TENS[value // 10 - 2] + (f" {_ONES[value % 10]}" if value % 10 else "")
    return _TEENS[value - 10] if value >= 10 else _ONES[value]
