"""The trigger beside its peers, on the same audio: `python -m training.evaluate wake_peers`.

Default settings of each engine; a detection within a recording or half a second behind it is a hit,
accepts closer than a second are one. Recordings are of people, for "hey jarvis" of synthetic
voices. Every recording has a second of faint noise before it, which some peers need to settle. An
engine that gives scores is also read at 0.5 accepts per hour.
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeasr.audio import SAMPLE_RATE, Pcm
from edgeasr.loading import SHIPPED, load_recogniser, load_wake
from training.evaluation.wake_audio import Noises, Said, recordings, streams
from training.evaluation.wake_engines import Engine, Ours, peers
from training.wake_corpus import WORDS, negatives
from training.wake_measure import Curve, accept_rate_interval, miss_interval, peaks

__all__ = ["main"]

_CONDITIONS = ("clean", "noise 10 dB")
_RATE = 0.5


@dataclass(frozen=True)
class _Accepts:
    found: dict[str, list[float]]
    hours: float
    cpu_s_per_hour: float


def main(argv: list[str]) -> int:
    """Measure every engine that is installed; print, and write `peers.json`."""
    parser = argparse.ArgumentParser(prog="training.evaluate wake_peers", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of corpora")
    parser.add_argument("--share", type=float, default=0.3, help="of the held-out negatives")
    parser.add_argument("--model", default="wake", help="name of the shipped bundle")
    parser.add_argument("--out", type=Path, default=Path("runs/evaluation/wake"))
    options = parser.parse_args(argv)
    held = list(negatives(options.data, held_out_alone=True, share=options.share))
    noises = Noises([pcm for clip, pcm in held if clip.kind == "noise"], [], [])
    said = _under_conditions(recordings(options.data, WORDS), noises)
    ours = Ours(load_wake(options.model, SHIPPED, recogniser=load_recogniser()))
    report: dict[str, Any] = {}
    engines: list[Engine] = [ours, *peers()]
    for engine in engines:
        report[engine.name] = _measured(engine, said, [pcm for _, pcm in held])
        ratio = report[engine.name]["cpu_s_per_hour"] / report[ours.name]["cpu_s_per_hour"]
        print(f"{engine.name}: {report[engine.name]['cpu_s_per_hour']:.1f} CPU s per hour, "
              f"{ratio:.1f} times ours", flush=True)  # fmt: skip
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "peers.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


def _under_conditions(
    clips: dict[str, list[Said]], noises: Noises
) -> dict[str, dict[str, list[Pcm]]]:
    """Return the recordings by word and condition, with a second before and half a one behind."""
    rng = np.random.default_rng(5)
    before = rng.integers(-3, 4, SAMPLE_RATE).astype(np.int16)
    behind = before[: SAMPLE_RATE // 2]
    return {
        word: {
            condition: [
                np.concatenate([before, noises.apply(pcm, condition, rng), behind])
                for _, pcm in some
            ]
            for condition in _CONDITIONS
        }
        for word, some in clips.items()
    }


def _measured(
    engine: Engine, said: dict[str, dict[str, list[Pcm]]], negative: list[Pcm]
) -> dict[str, Any]:
    accepts = _accepts(engine, negative)
    figures: dict[str, Any] = {
        "hours": accepts.hours, "cpu_s_per_hour": accepts.cpu_s_per_hour, "words": {},
    }  # fmt: skip
    for word, clips in said.items():
        if word not in engine.thresholds:
            continue
        threshold = engine.thresholds[word]
        false = np.array(accepts.found[word], np.float32)
        count = int((false >= threshold).sum())
        low, high = accept_rate_interval(count, accepts.hours)
        row: dict[str, Any] = {"false_accepts": count, "per_hour_95": [low, high]}
        for condition, some in clips.items():
            hits = np.array([engine.scores(pcm)[word].max() for pcm in some], np.float32)
            curve = Curve(hits, false, accepts.hours)
            missed = int((hits < threshold).sum())
            row[condition] = {
                "missed": missed, "of": len(hits), "miss_95": miss_interval(missed, len(hits)),
                "miss_at": {str(_RATE): curve.miss_at(_RATE)},
            }  # fmt: skip
        figures["words"][word] = row
        misses = ", ".join(f"{name} {row[name]['missed']} of {row[name]['of']} "
                           f"({100 * row[name]['miss_at'][str(_RATE)]:.1f} % at {_RATE}/h)"
                           for name in _CONDITIONS)  # fmt: skip
        print(f"{engine.name:14} {word:13} missed {misses}; {count} false accepts in "
              f"{accepts.hours:.2f} h ({low:.2f}-{high:.2f} per hour)", flush=True)  # fmt: skip
    return figures


def _accepts(engine: Engine, negative: list[Pcm]) -> _Accepts:
    found: dict[str, list[float]] = {word: [] for word in engine.thresholds}
    started, total_s = time.process_time(), 0.0
    for pcm in streams(iter(negative)):
        total_s += len(pcm) / SAMPLE_RATE
        for word, track in engine.scores(pcm).items():
            found[word] += [score for _, score in peaks(track, apart=round(1 / engine.step_s))]
    hours = total_s / 3600
    return _Accepts(found, hours, (time.process_time() - started) / hours)
