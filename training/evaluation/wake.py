"""Misses and false accepts of a trigger bundle: `python -m training.evaluate wake --data ROOT`.

After Picovoice's wake-word benchmark, with its flaws repaired: a hit is the best score within a
recording and half a second behind it, counted once; negatives hold no trigger word; hours are
counted without silence. Everything runs through the shipped network as the daemon runs it. What is
told of default thresholds is also told of thresholds chosen on the other half of the speakers and
sources (two-fold cross-fitting), which no clip that is counted had a part in. "Cut close" is the
recording cut to where the word's energy begins and ends. Scores are kept in `--out`: a run that
was cut off goes on, and runs with `--hits-alone` beside each other save a later one their time.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeasr.audio import BLOCK_SAMPLES, SAMPLE_RATE, Pcm
from edgeasr.bundle import Bundle
from edgeasr.features import Frontend, LogMel
from edgeasr.loading import load_recogniser
from edgeasr.wake import WakeDetector, WakeModel
from training.evaluation.wake_audio import Noises, Said, recordings, streams
from training.evaluation.wake_kept import Kept
from training.evaluation.wake_plot import draw_curves
from training.wake_corpus import negatives
from training.wake_export import operating
from training.wake_looks import half_of, looks, smoothed
from training.wake_measure import Curve, accept_rate_interval, miss_interval, peaks
from training.wake_rooms import measured_rooms

__all__ = ["Accepts", "accepts_in", "main"]

_TAIL = np.zeros(SAMPLE_RATE // 2, np.int16)
_RATES = (0.1, 0.5, 1.0)
_APART = 25  # steps: accepts within a second are one
_CONDITIONS = ("clean", "cut close", "noise 10 dB", "noise 0 dB", "music 10 dB", "far field")
_CHOSEN_ON = ("clean", "noise 10 dB")  # default thresholds
_SILENT_RMS = 30.0  # of int16 in 0.5 s: below, the hour is not counted


def _best_score(model: WakeModel, word: str, pcm: Pcm) -> float:
    """Return the highest smoothed score of a word in a recording."""
    detector = WakeDetector(model, {word: model.thresholds[word]})
    detector.push(LogMel()(np.concatenate([pcm, _TAIL])))
    return detector.top_scores[word]


@dataclass(frozen=True)
class Accepts:
    """What a model fires on where no word is said."""

    found: dict[str, list[float]]
    """Scores of each word's accepts"""
    hours: float
    """Of sound, silence not counted"""
    total_hours: float


def accepts_in(model: WakeModel, streams: Iterator[Pcm]) -> Accepts:
    """Run the model over streams without trigger words."""
    found: dict[str, list[float]] = {word: [] for word in model.words}
    loud_s = total_s = 0.0
    for pcm in streams:
        frames = LogMel()(pcm)
        scores = smoothed(model, frames)
        for number, word in enumerate(model.words):
            if model.verifier is not None and word in model.verifier.rules:
                rule = model.verifier.rules[word]
                found[word] += [
                    rule.combined(look.top, model.verifier.score(word, look.frames))
                    for look in looks(scores[:, number], frames, least=rule.candidate)
                ]
            else:
                found[word] += [score for _, score in peaks(scores[:, number], apart=_APART)]
        total_s += len(pcm) / SAMPLE_RATE
        halves = pcm[: len(pcm) // 8000 * 8000].reshape(-1, 8000).astype(np.float32)
        loud_s += 0.5 * float((np.sqrt(np.square(halves).mean(axis=1)) > _SILENT_RMS).sum())
    return Accepts(found, loud_s / 3600, total_s / 3600)


def _cpu_s_per_hour(model: WakeModel, pcm: Pcm) -> float:
    """Return processor seconds of front-end and trigger per hour, 80 ms at a time."""
    frontend, detector = Frontend(LogMel()), WakeDetector(model, model.thresholds)
    started = time.process_time()
    for first in range(0, len(pcm), BLOCK_SAMPLES):
        detector.push(frontend.push(pcm[first : first + BLOCK_SAMPLES]))
    return (time.process_time() - started) * 3600 * SAMPLE_RATE / len(pcm)


def _hits(
    model: WakeModel, said: dict[str, list[Said]], noises: Noises, condition: str, kept: Kept
) -> dict[str, list[float]]:
    """Return the best score of every recording of each word under a condition."""

    def score(word: str) -> list[float]:
        rng = np.random.default_rng([5, _CONDITIONS.index(condition)])
        heard = (noises.apply(pcm, condition, rng) for _, pcm in said[word])
        return [_best_score(model, word, pcm) for pcm in heard]

    return {word: kept.get(f"{word} {condition}", partial(score, word)) for word in said}


def _joined(halves: list[Accepts]) -> Accepts:
    found = {word: [s for half in halves for s in half.found[word]] for word in halves[0].found}
    hours = sum(half.hours for half in halves), sum(half.total_hours for half in halves)
    return Accepts(found, *hours)


def _crossed(
    curves: dict[str, Curve], of_half: NDArray[np.int64], halves: list[Accepts], word: str
) -> dict[str, int]:
    """Return misses by condition, and false accepts, of thresholds chosen on the other half."""
    counts = dict.fromkeys((*curves, "false_accepts"), 0)
    for half, accepts in enumerate(halves):
        other = np.array(halves[1 - half].found[word], np.float32)
        seen = [
            Curve(curves[condition].hits[of_half != half], other, halves[1 - half].hours)
            for condition in _CHOSEN_ON
        ]
        threshold = operating(seen[0], 0, heard=seen)["threshold"]
        counts["false_accepts"] += int((np.array(accepts.found[word]) >= threshold).sum())
        for condition, curve in curves.items():
            counts[condition] += int((curve.hits[of_half == half] < threshold).sum())
    return counts


def _report(
    word: str, threshold: float, curves: dict[str, Curve], crossed: dict[str, int]
) -> dict[str, Any]:
    """Print and return one word's figures."""
    first = curves[_CONDITIONS[0]]
    accepted = int((first.accepts >= threshold).sum())
    low, high = accept_rate_interval(accepted, first.hours)
    print(f"\n{word}: {accepted} false accepts at the default threshold {threshold:.3f}, "
          f"{accepted / first.hours:.2f} per hour (95 %: {low:.2f}-{high:.2f}); "
          f"chosen on the other half {crossed['false_accepts']}")  # fmt: skip
    figures: dict[str, Any] = {
        "threshold": threshold, "false_accepts": accepted, "per_hour": [low, high],
        "false_accepts_crossed": crossed["false_accepts"],
    }  # fmt: skip
    for condition, curve in curves.items():
        missed = int((curve.hits < threshold).sum())
        count = len(curve.hits)
        interval = miss_interval(crossed[condition], count)
        at = {str(rate): round(curve.miss_at(rate), 4) for rate in _RATES}
        figures[condition] = {
            "missed": missed, "crossed": crossed[condition], "of": count, "miss_95": interval,
            "miss_at": at,
        }  # fmt: skip
        rates = "  ".join(f"{100 * miss:5.1f} % at {rate}/h" for rate, miss in at.items())
        print(f"  {condition:12}  missed {missed:3} of {count}, crossed {crossed[condition]:3}"
              f" ({100 * interval[0]:.1f}-{100 * interval[1]:.1f} %)   {rates}")  # fmt: skip
    return figures


def _noises(root: Path) -> Noises:
    """Return what is laid behind recordings."""
    kinds: dict[str, list[Pcm]] = {"noise": [], "music": []}
    for clip, pcm in negatives(root, held_out_alone=True, wanted=lambda clip: clip.kind in kinds):
        kinds[clip.kind].append(pcm)
    return Noises(kinds["noise"], kinds["music"], measured_rooms(root / "rir"))


def _streams_of(options: argparse.Namespace, half: int) -> Iterator[Pcm]:
    """Yield the held-out negatives of half of the speakers and sources."""
    held = negatives(
        options.data, held_out_alone=True, share=options.share,
        wanted=lambda clip: half_of(clip.speaker) == half,
    )  # fmt: skip
    return streams(pcm for _, pcm in held)


def _negatives(model: WakeModel, options: argparse.Namespace, kept: Kept, half: int) -> Accepts:
    name = f"accepts {half} of {options.share}"
    made = kept.get(name, lambda: asdict(accepts_in(model, _streams_of(options, half))))
    return Accepts(**made)


def main(argv: list[str]) -> int:
    """Measure, print, and write `wake.json` and the curves' pictures."""
    parser = argparse.ArgumentParser(prog="training.evaluate wake", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of corpora")
    parser.add_argument("--bundle", type=Path, default=Path("edgeasr/models/wake"))
    parser.add_argument("--alone", action="store_true", help="without the second stage")
    parser.add_argument("--share", type=float, default=1.0, help="of the held-out negatives")
    parser.add_argument("--out", type=Path, default=Path("runs/evaluation/wake"))
    parser.add_argument("--conditions", default=",".join(_CONDITIONS), help="separated by commas")
    parser.add_argument("--hits-alone", action="store_true", help="score, report nothing")
    options = parser.parse_args(argv)
    recogniser = None if options.alone else load_recogniser()
    model = WakeModel(Bundle(options.bundle, kind="wake"), recogniser)
    kept = Kept(options.out, options.bundle, recogniser.digest if recogniser else "")
    said = recordings(options.data, model.words)
    noises = _noises(options.data)
    hits = {name: _hits(model, said, noises, name, kept) for name in options.conditions.split(",")}
    if options.hits_alone:
        return 0
    halves = [_negatives(model, options, kept, half) for half in (0, 1)]
    accepts = _joined(halves)
    print(f"negatives: {accepts.hours:.2f} h of sound of held-out speakers and sources "
          f"({accepts.total_hours:.2f} h with pauses)")  # fmt: skip
    curves = {
        word: {
            condition: Curve(
                np.array(of_words[word], np.float32), np.array(found, np.float32), accepts.hours
            )
            for condition, of_words in hits.items()
        }
        for word, found in accepts.found.items()
    }
    verified = [] if model.verifier is None else sorted(model.verifier.rules)
    report: dict[str, Any] = {"hours": accepts.hours, "verified": verified, "words": {}}
    for word, conditions in curves.items():
        of_half = np.array([half_of(speaker) for speaker, _ in said[word]])
        crossed = _crossed(conditions, of_half, halves, word)
        report["words"][word] = _report(word, model.thresholds[word], conditions, crossed)
        draw_curves(conditions, title=word, path=options.out / f"{word.replace(' ', '-')}.png")
    cost = _cpu_s_per_hour(model, next(_streams_of(options, 0))[: 120 * SAMPLE_RATE])
    report["cpu_s_per_hour"] = round(cost, 2)
    print(f"front-end and trigger: {cost:.2f} CPU s per hour of audio, 80 ms at a time")
    (options.out / "wake.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0
