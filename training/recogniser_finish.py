"""`python -m training recogniser_finish`: from a checkpoint to the bundle.

Exports the networks, then tunes what is not trained on held-out speech: the weight of CTC in the
choice of the final words, and the calibration of the confidence.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgeasr.audio import SAMPLE_RATE, Pcm, to_int16
from edgeasr.bundle import Bundle, seal_bundle
from edgeasr.confidence import confidence_features
from edgeasr.ctc import label_score
from edgeasr.features import LogMel
from edgeasr.recogniser import Recogniser as Runtime
from training.augment import Noises
from training.loop import load_weights
from training.models.recogniser import Dims, Recogniser
from training.recogniser_data import DEV_CORPUS, load_clips
from training.recogniser_export import export_bundle
from training.recogniser_shipped import read_shipped
from training.recogniser_units import Units
from training.scoring import edit_distance, is_usable
from training.whisper_weights import read_weights, weights_folder

__all__ = ["main"]

Weights = Mapping[str, Tensor]
SETTINGS: dict[str, Any] = {
    "chunk_frames": 32, "ahead_frames": 8, "left_frames": 500, "beam": 4, "ctc_weight": 0.0,
    "hint_bonus": 1.2, "language_model": [0.05, 0.3], "confidence": [2.5, 3.0, 0.3, 0.5],
}  # fmt: skip
CTC_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.8)
_TAIL = np.zeros(SAMPLE_RATE // 2, np.int16)
_NOISE_CLIPS = 80


@dataclass(frozen=True)
class Scored:
    """One hypothesis of one clip."""

    wrong: int
    """Words"""
    usable: bool
    """At most a third of the words is wrong"""
    attention: float
    ctc: float
    features: tuple[float, ...]


def main(argv: list[str]) -> int:
    """Export, tune, calibrate, seal."""
    parser = argparse.ArgumentParser(prog="python -m training recogniser_finish")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, default=Path("runs/recogniser/best.pt"))
    parser.add_argument("--out", type=Path, default=Path("edgeasr/models/recogniser-en"))
    parser.add_argument("--weights", type=Path, help="folder of Whisper tiny.en weights")
    parser.add_argument("--go-on-from", type=Path, help="bundle whose weights training began with")
    parser.add_argument(
        "--trained-share", type=float, default=0.65, help="the rest is the weights from before"
    )
    parser.add_argument("--every", type=int, default=6, help="take one dev clip in so many")
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    runs = options.checkpoint.parent.parent
    saved = load_weights(options.checkpoint)
    units = Units(runs / "recogniser-units")
    model = Recogniser(Dims(units=len(units.bpe.units), ctc_units=units.ctc_units))
    model.load_whisper(read_weights(options.weights or weights_folder()), units.whisper_ids)
    if options.go_on_from:
        model.load_state_dict(read_shipped(options.go_on_from), strict=False)
    trained = saved.get("average") or saved["model"]
    model.load_state_dict(_mixed(trained, model.state_dict(), options.trained_share))
    print("parity", export_bundle(model.eval(), runs / "recogniser-units", options.out, SETTINGS))
    settings = _tune(options.data, runs / "cache", options.out, options.every)
    bundle = Bundle(options.out, kind="recogniser").manifest
    seal_bundle(options.out, kind="recogniser", files=list(bundle.files), settings=settings,
                features=bundle.features)  # fmt: skip
    print(f"step {saved['step']}: {json.dumps(settings)}")
    return 0


def _mixed(trained: Weights, before: Weights, share: float) -> Weights:
    """Return weights between those before and after fine-tuning (Wortsman et al. 2022).

    They keep more of what Whisper knew and the recipe's few hours do not show. The CTC branch has
    nothing of Whisper's.
    """
    return {
        name: value if name.startswith("ctc.") else share * value + (1 - share) * before[name]
        for name, value in trained.items()
    }


def _tune(data: Path, cache: Path, folder: Path, every: int) -> dict[str, Any]:
    runtime = Runtime(Bundle(folder, kind="recogniser"))
    store = load_clips([(data / "speech", [DEV_CORPUS])], cache, name="speech")
    dev = [clip for clip in store.clips if clip.dev][::every]
    scored = [_score(runtime, store.read(clip), clip.text) for clip in dev]
    scored = [hypotheses for hypotheses in scored if hypotheses]
    wrong = {w: sum(_pick(some, w).wrong for some in scored) for w in CTC_WEIGHTS}
    words = sum(len(clip.text.split()) for clip in dev)
    print({weight: round(100 * count / words, 2) for weight, count in wrong.items()})
    bound = 1.01 * min(wrong.values())  # less than that is chance; then the CTC branch is silent
    best = next(weight for weight in CTC_WEIGHTS if wrong[weight] <= bound)
    rows = [(pick.features, pick.usable) for some in scored for pick in [_pick(some, best)]]
    rows += [(features, False) for features in _noise(runtime, data / "noise")]
    weights = _logistic(np.array([x for x, _ in rows]), np.array([y for _, y in rows]))
    return {**SETTINGS, "ctc_weight": best, "confidence": [round(float(w), 4) for w in weights]}


def _pick(hypotheses: Sequence[Scored], weight: float) -> Scored:
    return max(hypotheses, key=lambda one: one.attention + weight * one.ctc)


def _score(runtime: Runtime, pcm: Pcm, text: str) -> list[Scored]:
    """Return what each hypothesis of a clip would score; none when nothing is heard."""
    stream = runtime.stream()
    encoder = stream.encoder
    outputs = encoder.push(LogMel()(np.concatenate([pcm, _TAIL])))
    ended, rest = encoder.rest()
    log_probs = np.concatenate([*outputs, *rest])
    if not log_probs.argmax(axis=1).any():
        return []
    found = []
    for candidate in runtime.search(ended.x, None, ""):
        if not candidate.units:
            continue
        said = runtime.text(candidate.units)
        labels = [unit + 1 for unit in runtime.pieces.encode(said)]
        wrong = edit_distance(text.split(), said.split())
        found.append(
            Scored(
                wrong=wrong,
                usable=is_usable(wrong, len(text.split())),
                attention=candidate.score,
                ctc=label_score(log_probs, labels),
                features=confidence_features(candidate.log_probs, log_probs, labels),
            )
        )
    return found


def _noise(runtime: Runtime, folder: Path) -> list[tuple[float, ...]]:
    """Return the features of words heard in noise and music, where there are none."""
    noises, rng = Noises.read(folder, most_s=60.0), np.random.default_rng(5)
    features = []
    for _ in range(_NOISE_CLIPS):
        clip = noises.draw(rng, 4 * SAMPLE_RATE)
        found = _score(runtime, to_int16(clip / 32768), "")
        features += [_pick(found, SETTINGS["ctc_weight"]).features] if found else []
    print(f"noise: {len(features)} of {_NOISE_CLIPS} clips give words before calibration")
    return features


def _logistic(x: NDArray[np.float64], y: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the weights of a logistic regression, lightly regularised (Newton's method)."""
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ weights))
        gradient = x.T @ (y - p) - 0.1 * weights
        hessian = (x * (p * (1 - p))[:, None]).T @ x + 0.1 * np.eye(len(weights))
        weights = weights + np.linalg.solve(hessian, gradient)
    return weights
