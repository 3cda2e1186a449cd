"""Train the trigger: `python -m training wake --words computer,jarvis --data ROOT`.

The run's folder gets packs of frames, checkpoints and the curve; the result is a bundle.
"""

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.loop import LoopConfig, load_weights, train
from training.models.wake import WakeConfig, WakeNet
from training.pronunciation import Pronunciations
from training.wake_batches import Batch, Mined, RowMaker
from training.wake_corpus import WORDS, negatives, positives
from training.wake_dev import Scorer, with_noise
from training.wake_loss import wake_loss
from training.wake_packs import Pack, build_pack
from training.wake_rooms import measured_rooms
from training.wake_speech import SpeechPlan, near_miss_clips, phrase_clips

__all__ = ["WakeTask", "main"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What is varied between runs."""

    rows: int = 64
    rate: float = 3e-3
    negative_weight: float = 0.5
    mine_above: float = 0.05
    mine_most: int = 4000
    dev_accepts_per_hour: float = 0.5
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
    hits: dict[str, dict[str, list[NDArray[np.float32]]]] = field(default_factory=dict)

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
        weight = self.recipe.negative_weight * min(1.0, 0.2 + step / 1500)
        logits = self.model(torch.from_numpy(batch.frames)).float()
        return wake_loss(logits, batch.events, negative_weight=weight)

    def evaluate(self) -> dict[str, float]:
        """Return misses on held-out speakers, and mine the training negatives anew."""
        scorer = Scorer(self.model)
        self._rows.mined = scorer.mine(
            self._rows.packs, above=self.recipe.mine_above, most=self.recipe.mine_most
        )
        self._write_mined()
        figures: dict[str, float] = {"mined": float(len(self._rows.mined))}
        rate = self.recipe.dev_accepts_per_hour
        accepts: dict[str, Any] = scorer.curves(self.negatives, self.hits["clean"])
        for condition, hits in self.hits.items():
            misses = []
            for number, word in enumerate(self.words):
                curve = accepts[word]
                curve = type(curve)(
                    scorer.recordings(hits[word])[:, number], curve.accepts, curve.hours
                )
                misses.append(curve.miss_at(rate))
                if condition == "clean":
                    figures[word.replace(" ", "_")] = misses[-1]
            figures[f"miss_{condition}"] = float(np.mean(misses))
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


def dev_recordings(
    words: tuple[str, ...], packs: list[Pack], negatives: Pack
) -> dict[str, dict[str, list[NDArray[np.float32]]]]:
    """Return held-out recordings of each word, clean and with noise at 10 dB.

    Real ones where there are any, else synthetic ones of held-out voices.
    """
    rng = np.random.default_rng(7)
    noises = [clip for clip in negatives.clips if clip.dev and clip.kind in ("noise", "music")]
    clean: dict[str, list[NDArray[np.float32]]] = {}
    for word in words:
        held = [(pack, clip) for pack in packs for clip in pack.clips
                if clip.dev and clip.words and max(clip.words, key=len) == word]  # fmt: skip
        real = [pair for pair in held if not pair[1].synthetic]
        clean[word] = [pack.frames(clip).astype(np.float32) for pack, clip in real or held]
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


def build_packs(root: Path, cache: Path, words: tuple[str, ...], seed: int) -> list[Pack]:
    """Return the packs of negatives, real words, synthetic words and near misses."""
    rooms = measured_rooms(root / "rir")
    text = root / "text"
    pronunciations = Pronunciations(
        text / "cmudict" / "cmudict.dict",
        [text / "lm" / "tatoeba.en.txt", text / "lm" / "commands.en.txt"],
    )
    pronunciations.add("snowboy", "snow boy")
    real = set(WORDS) - {"hey jarvis"}
    few = [word for word in words if word in real]
    many = [word for word in words if word not in real]
    return [
        build_pack(cache / "negatives", negatives(root)),
        build_pack(cache / "words", positives(root, rooms, seed=seed)),
        build_pack(
            cache / "synthetic-hey",
            phrase_clips(many, SpeechPlan(mixed=110, native_rounds=2), rooms),
        ),
        build_pack(
            cache / "synthetic", phrase_clips(few, SpeechPlan(mixed=25, seed=seed + 1), rooms)
        ),
        build_pack(cache / "near", near_miss_clips(list(words), SpeechPlan(), pronunciations)),
    ]


def main(argv: list[str]) -> int:
    """Run the recipe."""
    parser = argparse.ArgumentParser(prog="training wake", description=__doc__)
    parser.add_argument("--words", default=",".join(WORDS), help="separated by commas")
    parser.add_argument("--data", type=Path, required=True, help="folder of corpora")
    parser.add_argument("--run", type=Path, default=Path("runs/wake"))
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--evaluate-every", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    words = tuple(word.strip() for word in options.words.split(","))
    first, *packs = build_packs(options.data, options.run / "cache", words, options.seed)
    recipe = Recipe(seed=options.seed)
    task = WakeTask(words, packs, first, recipe, options.run)
    config = LoopConfig(
        run=options.run, steps=options.steps, warmup_steps=200, clip_norm=5.0, final_rate=0.02,
        evaluate_every=options.evaluate_every, average_decay=0.998, bf16=True, seed=options.seed,
    )  # fmt: skip
    best = load_weights(train(task, config))
    print(best["dev"])
    return 0
