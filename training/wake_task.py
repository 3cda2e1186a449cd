"""The trigger as a task of `training.loop`: batches, loss, dev figures, hard-negative mining."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.models.wake import WakeConfig, WakeNet
from training.wake_batches import Batch, Mined, RowMaker
from training.wake_dev import Scorer, with_noise
from training.wake_loss import wake_loss
from training.wake_packs import Clip, Pack

__all__ = ["Recipe", "WakeTask", "dev_clips", "dev_recordings"]

Frames = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What is varied between runs."""

    rows: int = 64
    rate: float = 3e-3
    negative_weight: float = 0.5
    ramp_steps: int = 1500
    """Steps in which negatives gain their weight; 0 for a network that knows the words"""
    mine_above: float = 0.05
    mine_most: int = 4000
    dev_accepts_per_hour: tuple[float, ...] = (0.2, 0.5)
    """Operating points whose mean miss decides which weights are kept"""
    channels: tuple[int, int] = (64, 96)
    hidden: int = 96
    layers: int = 2
    seed: int = 1


@dataclass
class WakeTask:
    """Batches, loss and dev figures for `training.loop`."""

    words: tuple[str, ...]
    packs: list[Pack]
    negatives: Pack
    recipe: Recipe
    run: Path
    hits: dict[str, dict[str, list[Frames]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        recipe = self.recipe
        config = WakeConfig(
            self.words, channels=recipe.channels, hidden=recipe.hidden, layers=recipe.layers
        )
        torch.manual_seed(recipe.seed)
        self.model = WakeNet(config)
        self._rows = RowMaker(self.words, [self.negatives, *self.packs])
        self.hits = dev_recordings(self.words, self.packs, self.negatives)
        self._read_mined()

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return one group: the network is small."""
        return [{"params": self.model.parameters(), "lr": self.recipe.rate, "weight_decay": 1e-3}]

    def batch(self, step: int, *, rank: int, world: int) -> Batch:
        """Return this process's rows of batch `step`."""
        rng = np.random.default_rng((self.recipe.seed, step, rank))
        return self._rows.batch(self.recipe.rows // world, rng)

    def loss(self, batch: Batch, *, step: int) -> tuple[Tensor, dict[str, float]]:
        """Return the loss and its parts; negatives gain weight as training goes on."""
        ramp = min(1.0, 0.2 + step / self.recipe.ramp_steps) if self.recipe.ramp_steps else 1.0
        logits = self.model(torch.from_numpy(batch.frames)).float()
        weight = self.recipe.negative_weight * ramp
        return wake_loss(logits, batch.events, negative_weight=weight)

    def evaluate(self) -> dict[str, float]:
        """Return misses on held-out speakers, and mine the training negatives anew."""
        scorer = Scorer(self.model)
        self._rows.mined = scorer.mine(
            self._rows.packs, above=self.recipe.mine_above, most=self.recipe.mine_most
        )
        self._write_mined()
        figures: dict[str, float] = {"mined": float(len(self._rows.mined))}
        rates = self.recipe.dev_accepts_per_hour
        curves = scorer.curves(self.negatives, self.hits)
        for condition, of_words in curves.items():
            misses = {
                word: float(np.mean([curve.miss_at(rate) for rate in rates]))
                for word, curve in of_words.items()
            }
            if condition == "clean":
                figures |= {word.replace(" ", "_"): miss for word, miss in misses.items()}
            figures[f"miss_{condition}"] = float(np.mean(list(misses.values())))
        figures["score"] = figures["miss_clean"] + figures["miss_noise10"]
        return figures

    def _mined_path(self) -> Path:
        return self.run / "mined.npy"

    def _write_mined(self) -> None:
        rows = [(mined.pack, mined.clip, mined.frame) for mined in self._rows.mined]
        np.save(self._mined_path(), np.array(rows, np.int64).reshape(-1, 3))

    def _read_mined(self) -> None:
        if self._mined_path().is_file():
            self._rows.mined = [Mined(*map(int, row)) for row in np.load(self._mined_path())]


def dev_clips(words: tuple[str, ...], packs: list[Pack]) -> dict[str, list[tuple[Pack, Clip]]]:
    """Return held-out clips of each word: real ones where there are any, else synthetic ones."""
    found = {}
    for word in words:
        said = [(pack, clip) for pack in packs for clip in pack.clips
                if clip.dev and clip.words and max(clip.words, key=len) == word]  # fmt: skip
        found[word] = [pair for pair in said if not pair[1].synthetic] or said
    return found


def dev_recordings(
    words: tuple[str, ...], packs: list[Pack], negatives: Pack
) -> dict[str, dict[str, list[Frames]]]:
    """Return the frames of `dev_clips`, clean and with noise at 10 dB."""
    rng = np.random.default_rng(7)
    held = [clip for clip in negatives.clips if clip.dev]
    noises = [clip for clip in held if clip.kind in ("noise", "music")] or held
    clean = {
        word: [pack.frames(clip).astype(np.float32) for pack, clip in some]
        for word, some in dev_clips(words, packs).items()
    }
    noisy = {
        word: [
            with_noise(
                frames,
                negatives.frames(noises[rng.integers(len(noises))]).astype(np.float32),
                10.0,
            )
            for frames in recordings
        ]
        for word, recordings in clean.items()
    }
    return {"clean": clean, "noise10": noisy}
