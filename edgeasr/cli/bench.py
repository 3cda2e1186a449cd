"""`edgeasr bench`: what edgeasr costs on this machine, in processor time and memory."""

import argparse
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edgeasr.assistant import Assistant
from edgeasr.audio import BLOCK_SAMPLES, SAMPLE_RATE, Pcm
from edgeasr.cli.inputs import Commands, print_json
from edgeasr.errors import ConfigError
from edgeasr.events import Transcript
from edgeasr.features import Frontend, LogMel
from edgeasr.loading import Models, load_models
from edgeasr.recordings import bundled_recordings
from edgeasr.settings import Settings
from edgeasr.sources import read_audio
from edgeasr.wake import WakeDetector

__all__ = ["add_parser"]

_HOUR_S = 3600.0
_LEAST_MINUTES, _MOST_MINUTES = 0.1, 60.0
_SENTENCE = "please turn off the lights in the kitchen and the hall"
_READY = (
    "import sys; from edgeasr import Assistant, load_models; import numpy as np;"
    "Assistant(load_models()).push(np.zeros(1280, np.int16)); print('ready')"
)


def add_parser(commands: Commands) -> None:
    """Add the command's arguments."""
    parser = commands.add_parser("bench", help="measure processor time and memory here")
    parser.add_argument("--minutes", type=float, default=3.0, help="audio per figure (default: 3)")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure and print; every figure is of one thread."""
    if not _LEAST_MINUTES <= arguments.minutes <= _MOST_MINUTES:
        raise ConfigError(
            f"--minutes {arguments.minutes:g}: give {_LEAST_MINUTES:g} to {_MOST_MINUTES:g}"
        )
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", _READY], check=True, capture_output=True)  # noqa: S603
    ready_s = time.perf_counter() - started
    recordings = [read_audio(path) for path in bundled_recordings()]
    background = _background(arguments.minutes * 60)
    before_mb = _memory_mb()
    models = load_models()
    figures = {
        "machine": f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "start_to_listening_s": round(ready_s, 2),
        "frontend_cpu_s_per_hour": _per_hour(_frontend(), background),
        "trigger_cpu_s_per_hour": _per_hour(_trigger(models), background),
        "idle_pipeline_cpu_s_per_hour": _per_hour(_pipeline(models), background),
        **_utterances(models, recordings),
        "translate_11_words_ms": _translate_ms(models),
        "memory_mb": round(_memory_mb(), 1),
        "memory_without_models_mb": round(before_mb, 1),
    }
    if arguments.json:
        print_json(figures)
        return 0
    for name, value in figures.items():
        print(f"{name:34} {value}")
    return 0


def _background(seconds: float) -> Pcm:
    """Return faint noise, int16 [n], the same each time: a quiet room."""
    rng = np.random.default_rng(0)
    return (rng.standard_normal(int(seconds * SAMPLE_RATE)) * 20).astype(np.int16)


def _frontend() -> Callable[[Pcm], object]:
    return Frontend(LogMel()).push


def _trigger(models: Models) -> Callable[[Pcm], object]:
    frontend = Frontend(LogMel())
    detector = WakeDetector(models.wake, dict(models.wake.thresholds))
    return lambda block: detector.push(frontend.push(block))


def _pipeline(models: Models) -> Callable[[Pcm], object]:
    return Assistant(models).push


def _per_hour(push: Callable[[Pcm], object], pcm: Pcm) -> float:
    """Return CPU seconds per hour of audio, pushed as the microphone would."""
    started = time.process_time()
    for start in range(0, len(pcm), BLOCK_SAMPLES):
        push(pcm[start : start + BLOCK_SAMPLES])
    spent = time.process_time() - started
    return round(spent / (len(pcm) / SAMPLE_RATE) * _HOUR_S, 2)


def _utterances(models: Models, recordings: list[Pcm]) -> dict[str, float]:
    """Return the cost of speech, and how long the last block of an utterance takes."""
    assistant = Assistant(models, Settings(words=models.all_words(), targets=()))
    last_ms, seconds, started = [], 0.0, time.process_time()
    for pcm in recordings:
        padded = np.concatenate([pcm, np.zeros(2 * SAMPLE_RATE, np.int16)])
        for start in range(0, len(padded), BLOCK_SAMPLES):
            begun = time.perf_counter()
            events = assistant.push(padded[start : start + BLOCK_SAMPLES])
            if any(isinstance(event, Transcript) for event in events):
                last_ms.append((time.perf_counter() - begun) * 1000)
        seconds += len(padded) / SAMPLE_RATE
        assistant.finish()
    spent = time.process_time() - started
    return {
        "speech_pipeline_cpu_s_per_hour": round(spent / seconds * _HOUR_S, 1),
        "end_of_speech_to_transcript_ms": round(float(np.median(last_ms or [np.nan])), 1),
    }


def _translate_ms(models: Models) -> float:
    (translator,) = models.translators.values()
    translator.translate(_SENTENCE, beam=4)
    started = time.process_time()
    for _ in range(10):
        translator.translate(_SENTENCE, beam=4)
    return round((time.process_time() - started) * 100, 1)


def _memory_mb() -> float:
    """Return the peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _processor() -> str:
    for name in (Path("/proc/device-tree/model"), Path("/proc/cpuinfo")):
        if name.is_file():
            text = name.read_text(errors="replace")
            lines = [line for line in text.splitlines() if "model name" in line] or [text]
            return lines[0].split(":")[-1].strip(" \0\n")[:60]
    return platform.machine()
