"""From a checkpoint to a bundle: network, operating points, card."""

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from edgeasr.bundle import seal_bundle
from edgeasr.features import FeatureSpec
from training.export import check_parity, export_onnx
from training.models.wake import STEP_FRAMES, WakeNet, WakeState
from training.wake_measure import Curve, threshold_at

__all__ = [
    "DEFAULT_RATE", "RATES", "TRUNK_FILE", "export_wake", "load_trunk",
    "operating", "save_trunk",
]  # fmt: skip

RATES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""False accepts per hour of the operating points"""
DEFAULT_RATE = 0.2
"""At which the default threshold lies"""
TRUNK_FILE = "trunk.npz"
"""Every weight but the words', for training further words"""


def operating(
    curve: Curve, delay_frames: int, *, heard: Iterable[Curve] = (), synthetic: bool = False
) -> dict[str, Any]:
    """Return what a bundle says of a word: default threshold, delay, operating points.

    The default lies at DEFAULT_RATE, or halfway (in ratio) up to the weakest twentieth of the
    words found there, clean or in the conditions `heard`: held-out hours are few. Not so where all
    words are `synthetic`: people are heard less well, and there is nothing to spare.
    """
    least = threshold_at(curve.accepts, curve.hours, DEFAULT_RATE)
    scores = np.concatenate([one.hits for one in (curve, *heard)])
    found = scores[scores >= least]
    weakest = float(np.percentile(found, 5)) if len(found) and not synthetic else least
    return {
        "threshold": round(float(np.sqrt(least * max(least, weakest))), 4),
        "delay_frames": delay_frames,
        "operating_points": curve.table(RATES),
    }


def load_trunk(net: WakeNet, path: Path) -> None:
    """Give `net` the weights of a bundle's trunk, as far as the sizes are the same."""
    state = net.state_dict()
    with np.load(path, allow_pickle=False) as trunk:
        for name in trunk.files:
            if name in state and state[name].shape == trunk[name].shape:
                state[name].copy_(torch.from_numpy(trunk[name].astype(np.float32)))
    net.load_state_dict(state)


def save_trunk(net: WakeNet, folder: Path) -> None:
    """Write every weight but the words' into `folder`, as float16."""
    trunk = {
        name: value.numpy().astype(np.float16)
        for name, value in net.state_dict().items()
        if not name.startswith("head.") and value.dtype.is_floating_point
    }
    np.savez(folder / TRUNK_FILE, **trunk)


class _Step(nn.Module):
    """One stream without a batch axis, its states and the probabilities named."""

    def __init__(self, net: WakeNet) -> None:
        super().__init__()
        self.net = net

    def forward(
        self, frames: Tensor, first: Tensor, second: Tensor, hidden: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return scores (T / 4, words) and the states after frames (T, 80)."""
        state = WakeState(first[None], second[None], hidden[:, None])
        logits, after = self.net.step(frames[None], state)
        return (
            torch.sigmoid(logits[0]), after.first[0], after.second[0], after.hidden[:, 0]
        )  # fmt: skip


def export_wake(
    net: WakeNet, folder: Path, *, curves: dict[str, Curve], delays: dict[str, int], card: str
) -> None:
    """Write `wake.onnx`, `card.md` and `bundle.json` into `folder`.

    Raises AssertionError when onnxruntime and torch differ, in one piece or in several.
    """
    net = copy.deepcopy(net).eval()
    step = _Step(net).eval()
    fresh = net.fresh(1)
    frames = torch.empty(40, 80).uniform_(-6, 1)
    inputs = {
        "frames": frames, "first": fresh.first[0], "second": fresh.second[0],
        "hidden": fresh.hidden[:, 0],
    }  # fmt: skip
    outputs = ["scores", "first_after", "second_after", "hidden_after"]
    path = folder / "wake.onnx"
    digest = FeatureSpec().digest()
    export_onnx(step, inputs, path, outputs=outputs,
                dynamic={"frames": {0: "frames"}, "scores": {0: "steps"}},
                metadata={"features": digest})  # fmt: skip
    for count in (4, 8, 40):
        check_parity(step, {**inputs, "frames": frames[:count]}, path, atol=1e-5)
    (folder / "card.md").write_text(card, encoding="utf-8")
    words = net.config.words
    settings = {
        "words": list(words),
        "step_frames": STEP_FRAMES,
        "words_alone": {word: operating(curves[word], delays[word]) for word in words},
    }
    save_trunk(net, folder)
    files = ["wake.onnx", "card.md", TRUNK_FILE]
    seal_bundle(folder, kind="wake", files=files, settings=settings, features=digest)
