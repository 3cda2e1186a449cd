"""A trunk for words from text: `python -m training wake_phones --data ROOT`.

The trigger's network learns the phones of people's read speech (CTC, Graves et al. 2006) before it
learns a phrase from synthetic voices, which alone teach it too little of how people differ. No
clip that holds a word of the benchmark is heard.
"""

import argparse
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import ctc_loss

from training.loop import LoopConfig, load_weights, train
from training.manifest import read_manifest
from training.models.wake import STEP_FRAMES, WakeConfig, WakeNet
from training.pronunciation import Pronunciations, edit_distance
from training.recogniser_text import normalise
from training.wake_batches import GAP, RowMaker
from training.wake_corpus import negatives
from training.wake_data import load_pronunciations
from training.wake_export import save_trunk
from training.wake_frames import Array, lay, levelled, stretched, tract
from training.wake_packs import Pack, build_pack

__all__ = ["PhoneTask", "Said", "main", "transcribed"]

_NAMES = """
    AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y
    Z ZH
"""
_PHONES = tuple(_NAMES.split())
_ROW_FRAMES = 1200
_TRIES = 12  # to fill a row with whole clips
_DEV_CLIPS = 300
_RATE = 3e-3


@dataclass(frozen=True)
class Said:
    """A clip of the pack and its phones, counted from 1: 0 is the blank."""

    clip: int
    phones: tuple[int, ...]


@dataclass
class _Batch:
    frames: Array
    targets: list[list[int]]


class PhoneTask:
    """Rows of several clips each, CTC loss, phone error rate on held-out speakers."""

    def __init__(self, pack: Pack, said: list[Said], *, rows: int, seed: int) -> None:
        torch.manual_seed(seed)
        self.model = WakeNet(WakeConfig(("", *_PHONES), hidden=128))
        self._pack, self._count, self._seed = pack, rows, seed
        self._rows = RowMaker((), [pack], frames=_ROW_FRAMES)
        self._learned = [one for one in said if not pack.clips[one.clip].dev]
        held = [one for one in said if pack.clips[one.clip].dev]
        self._held = held[:: max(1, len(held) // _DEV_CLIPS)]

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return one group."""
        return [{"params": self.model.parameters(), "lr": _RATE, "weight_decay": 1e-3}]

    def batch(self, step: int, *, rank: int, world: int) -> _Batch:
        """Return this process's rows of batch `step`."""
        rng = np.random.default_rng((self._seed, step, rank))
        made = [self.row(rng) for _ in range(self._count // world)]
        return _Batch(np.stack([frames for frames, _ in made]), [phones for _, phones in made])

    def loss(self, batch: _Batch, *, step: int) -> tuple[Tensor, dict[str, float]]:
        """Return nats per phone."""
        del step
        scores = self.model(torch.from_numpy(batch.frames)).float().log_softmax(dim=2)
        lengths = torch.tensor([len(phones) for phones in batch.targets])
        targets = torch.tensor([phone for phones in batch.targets for phone in phones])
        steps = torch.full_like(lengths, scores.shape[1])
        total = ctc_loss(scores.transpose(0, 1), targets, steps, lengths, reduction="sum",
                         zero_infinity=True)  # fmt: skip
        return total / lengths.sum(), {}

    def evaluate(self) -> dict[str, float]:
        """Return the phone errors of greedy decoding, a share; similar phones count a half."""
        wrong = count = 0.0
        with torch.inference_mode():
            for one in self._held:
                frames = self._pack.frames(self._pack.clips[one.clip]).astype(np.float32)
                frames = np.pad(frames, ((100, 52 - len(frames) % 4), (0, 0)), constant_values=-10)
                best = self.model(torch.from_numpy(frames)[None])[0].argmax(dim=1)
                heard = torch.unique_consecutive(best)
                wrong += edit_distance(_named(heard[heard > 0].tolist()), _named(one.phones))
                count += len(one.phones)
        return {"phone_error": wrong / count, "score": wrong / count}

    def row(self, rng: np.random.Generator) -> tuple[Array, list[int]]:
        """Return frames [1200, 80] of clips one after another, and their phones."""
        row = np.full((_ROW_FRAMES, 80), GAP, np.float32)
        phones: list[int] = []
        at = int(rng.integers(0, 30))
        for _ in range(_TRIES):
            one = self._learned[rng.integers(len(self._learned))]
            clip, factor = self._pack.clips[one.clip], float(np.exp(rng.uniform(-0.16, 0.16)))
            if at + clip.frames * factor + STEP_FRAMES > _ROW_FRAMES:
                continue
            frames = stretched(tract(self._pack.frames(clip).astype(np.float32), rng), factor)
            lay(row, at, levelled(frames) + np.float32(rng.normal(0, 0.3)))
            phones += one.phones
            at += len(frames) + int(rng.integers(0, 20))
        return self._rows.colour(row, rng), phones


def main(argv: list[str]) -> int:
    """Train and write the trunk."""
    parser = argparse.ArgumentParser(prog="training wake_phones", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, default=Path("runs/wake-phones"))
    parser.add_argument("--cache", type=Path, help="folder of negatives shared with other recipes")
    parser.add_argument("--out", type=Path, help="folder that gets the trunk; default: of the run")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--rows", type=int, default=32, help="of twelve seconds in a batch")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    cache = options.cache or options.run / "cache"
    pack = build_pack(cache / "negatives", negatives(options.data))
    said = transcribed(pack, options.data, load_pronunciations(options.data))
    task = PhoneTask(pack, said, rows=options.rows, seed=options.seed)
    config = LoopConfig(
        run=options.run, steps=options.steps, warmup_steps=200, clip_norm=5.0, final_rate=0.02,
        evaluate_every=-(-options.steps // 6), average_decay=0.998, bf16=True,
        seed=options.seed, threads=options.threads,
    )  # fmt: skip
    task.model.load_state_dict(load_weights(train(task, config))["model"])
    save_trunk(task.model, options.out or options.run)
    return 0


def transcribed(pack: Pack, root: Path, pronunciations: Pronunciations) -> list[Said]:
    """Return the clips whose every word is in the dictionary and that fit into a row."""
    texts: dict[str, list[str]] = defaultdict(list)
    for path in sorted((root / "speech").glob("*/manifest.jsonl")):
        for utterance in read_manifest(path):
            text = normalise(utterance.text or "")
            if text:
                texts[f"{utterance.corpus}/{utterance.audio.name}"].append(text)
    said = []
    for number, clip in enumerate(pack.clips):
        words = " ".join(texts[clip.key]).split() if len(texts[clip.key]) == 1 else []
        if words and clip.frames < _ROW_FRAMES and all(word in pronunciations for word in words):
            phones = tuple(1 + _PHONES.index(phone) for phone in pronunciations.of(" ".join(words)))
            if len(phones) * STEP_FRAMES * 1.3 < clip.frames:
                said.append(Said(number, phones))
    return said


def _named(numbers: list[int] | tuple[int, ...]) -> tuple[str, ...]:
    return tuple(_PHONES[number - 1] for number in numbers)
