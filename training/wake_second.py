"""Fit the trigger's second stage: `python -m training wake_second --data ROOT`.

For each word: how much the recogniser's log ratio weighs beside the trigger's own score, and the
operating points of both together, on held-out speakers. Kept only where it misses less. Run again
whenever the recogniser or the trigger changes (minutes; then `training.evaluate wake` and
`training wake_card`); until then the runtime leaves the stage out.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeasr.bundle import BUNDLE_FILE, Bundle, seal_bundle
from edgeasr.features import Frames
from edgeasr.loading import SHIPPED, load_recogniser
from edgeasr.recogniser import Recogniser
from edgeasr.wake import WakeModel
from edgeasr.wake_verify import VERIFY_STEPS, PhraseVerifier, VerifyRule
from training.wake_data import held_out_packs
from training.wake_export import operating
from training.wake_frames import stretched
from training.wake_measure import Curve
from training.wake_packs import Pack
from training.wake_task import dev_recordings

__all__ = ["fit", "main", "verdicts"]

_CANDIDATE = 0.05
_WEIGHTS = (0.25, 0.5, 1.0, 1.5, 2.0)
_TEMPOS = (1.0, 0.93, 1.07)  # the held-out negatives are played at these speeds
_SPELLINGS = {"snowboy": ("snowboy", "snow boy")}
_REST_STEPS = 15
_WINDOW = 260  # frames before a verdict that are kept
_PAD = np.full((80, 80), -10.0, np.float32)
_RATES = (0.1, 0.2, 0.5, 1.0)  # whose mean miss decides


Row = dict[str, Any]


@dataclass(frozen=True)
class _Verdict:
    top: float
    ratio: float
    step: int


def main(argv: list[str]) -> int:
    """Fit and write the bundle's settings."""
    parser = argparse.ArgumentParser(prog="training wake_second", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of corpora")
    parser.add_argument("--cache", type=Path, default=Path("runs/wake/cache"))
    parser.add_argument("--bundle", type=Path, default=SHIPPED[0] / "wake")
    options = parser.parse_args(argv)
    model = WakeModel(Bundle(options.bundle, kind="wake"))
    recogniser = load_recogniser()
    packs, negatives = held_out_packs(options.data, options.cache, model.words)
    alone, both = fit(model, recogniser, packs, negatives)
    content = json.loads((options.bundle / BUNDLE_FILE).read_text(encoding="utf-8"))
    settings = {
        **content["settings"], "words_alone": {**content["settings"]["words_alone"], **alone},
        "words_verified": both, "verified_with": recogniser.digest,
    }  # fmt: skip
    seal_bundle(options.bundle, kind="wake", files=list(content["files"]), settings=settings,
                features=content["features"])  # fmt: skip
    return 0


def fit(
    model: WakeModel, recogniser: Recogniser, packs: list[Pack], negatives: Pack
) -> tuple[dict[str, Row], dict[str, Row]]:
    """Return the operating points of each word alone, and of those that verifying helps.

    A word without recordings has none: it keeps what it had, and decides alone.
    """
    rules = {
        word: VerifyRule(_SPELLINGS.get(word, (word,)), _CANDIDATE, 1.0) for word in model.words
    }
    verifier = PhraseVerifier(recogniser, rules)
    hits = dev_recordings(model.words, packs, negatives)
    found, alone, hours = _on_negatives(model, verifier, negatives)
    rows: dict[str, Row] = {}
    rows_alone: dict[str, Row] = {}
    for number, word in enumerate(model.words):
        if not hits["clean"][word]:
            print(f"{word:13} no recordings: left as it was, without the second stage")
            continue
        heard = {
            condition: [verdicts(_smoothed(model, clip)[:, number], clip, verifier, word)
                        for clip in map(_padded, of_words[word])]
            for condition, of_words in hits.items()
        }  # fmt: skip
        before = {
            condition: Curve(
                np.array([_smoothed(model, _padded(c))[:, number].max() for c in of_words[word]]),
                np.array(alone[word], np.float32), hours)
            for condition, of_words in hits.items()
        }  # fmt: skip
        weight, curves = _best_weight(rules[word], heard, found[word], hours)
        print(f"{word:13} weight {weight}  alone {_line(before)}   with {_line(curves)}")
        rows_alone[word] = operating(before["clean"], model.delays[word], heard=before.values())
        if _cost(curves) < _cost(before):
            rows[word] = {
                **operating(curves["clean"], _delay(model, packs, word), heard=curves.values()),
                "spellings": list(rules[word].spellings),
                "candidate": _CANDIDATE,
                "weight": weight,
            }
    return rows_alone, rows


def _best_weight(
    rule: VerifyRule, heard: dict[str, list[list[_Verdict]]], false: list[_Verdict], hours: float
) -> tuple[float, dict[str, Curve]]:
    def curves(weight: float) -> dict[str, Curve]:
        weighed = replace(rule, weight=weight)

        def final(verdicts: list[_Verdict]) -> list[float]:
            return [weighed.combined(verdict.top, verdict.ratio) for verdict in verdicts]

        accepts = np.array(final(false), np.float32)
        return {
            condition: Curve(
                np.array([max(final(one), default=0.0) for one in clips], np.float32),
                accepts,
                hours,
            )
            for condition, clips in heard.items()
        }

    weight = min(_WEIGHTS, key=lambda value: _cost(curves(value)))
    return weight, curves(weight)


def _cost(curves: dict[str, Curve]) -> float:
    return float(np.mean([curve.miss_at(rate) for curve in curves.values() for rate in _RATES]))


def _line(curves: dict[str, Curve]) -> str:
    return " ".join(
        f"{name} " + "/".join(f"{100 * curve.miss_at(rate):.1f}" for rate in _RATES)
        for name, curve in curves.items()
    )


def _padded(frames: Frames) -> Frames:
    joined = np.concatenate([frames, _PAD])
    return joined[: len(joined) // 4 * 4]


def _smoothed(model: WakeModel, frames: Frames) -> NDArray[np.float32]:
    scores, _ = model.step(frames, model.fresh())
    smoothed: Frames = (scores + np.concatenate([np.zeros_like(scores[:1]), scores[:-1]])) / 2
    return smoothed


def verdicts(
    track: NDArray[np.float32], frames: Frames, verifier: PhraseVerifier, word: str
) -> list[_Verdict]:
    """Return what `Candidates` would judge on smoothed scores [steps] of a stream."""
    found, step = [], 0
    least = verifier.rules[word].candidate
    for crossing in np.flatnonzero(track >= least).tolist():
        if crossing < step or crossing + VERIFY_STEPS >= len(track):
            continue
        at = crossing + VERIFY_STEPS
        end = (at + 1) * 4
        ratio = verifier.score(word, frames[max(0, end - _WINDOW) : end])
        found.append(_Verdict(float(track[crossing : at + 1].max()), ratio, at))
        quiet = np.flatnonzero(track[at + 1 : at + 1 + _REST_STEPS] < least / 2)
        step = at + 1 + (int(quiet[0]) + 1 if len(quiet) else _REST_STEPS)
    return found


def _on_negatives(
    model: WakeModel, verifier: PhraseVerifier, negatives: Pack
) -> tuple[dict[str, list[_Verdict]], dict[str, list[float]], float]:
    """Return verdicts and first-stage accepts of each word on held-out audio, and the hours."""
    found: dict[str, list[_Verdict]] = {word: [] for word in model.words}
    alone: dict[str, list[float]] = {word: [] for word in model.words}
    hours = 0.0
    for frames in _streams(negatives):
        smoothed = _smoothed(model, frames)
        hours += len(frames) / 360_000
        for number, word in enumerate(model.words):
            track = smoothed[:, number].copy()
            found[word] += verdicts(track, frames, verifier, word)
            while (top := float(track.max())) > 0.05:
                alone[word].append(top)
                step = int(track.argmax())
                track[max(0, step - 25) : step + 26] = 0.0
    print(f"{hours:.1f} h; candidates { ({word: len(one) for word, one in found.items()}) }")
    return found, alone, hours


def _streams(negatives: Pack) -> Iterator[Frames]:
    """Yield the held-out clips end to end at each tempo, ten minutes at a time."""
    held = [clip for clip in negatives.clips if clip.dev and not clip.words]
    for tempo in _TEMPOS:
        parts: list[Frames] = []
        for clip in held:
            frames = negatives.frames(clip).astype(np.float32)
            parts.append(frames if tempo == 1.0 else stretched(frames, tempo))
            if sum(map(len, parts)) > 60_000:
                yield _padded(np.concatenate(parts))
                parts = []
        if parts:
            yield _padded(np.concatenate(parts))


def _delay(model: WakeModel, packs: list[Pack], word: str) -> int:
    """Return the median frames from a word's end to its verdict."""
    clips = [(pack, clip) for pack in packs for clip in pack.clips
             if clip.words and max(clip.words, key=len) == word]  # fmt: skip
    column, late = model.words.index(word), []
    for pack, clip in clips:
        track = _smoothed(model, _padded(pack.frames(clip).astype(np.float32)))[:, column]
        above = np.flatnonzero(track >= _CANDIDATE)
        if len(above):
            late.append((int(above[0]) + VERIFY_STEPS + 1) * 4 - clip.word_end)
    return int(np.median(late)) if late else 0
