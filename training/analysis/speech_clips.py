"""Short recordings as frames for the studies of cells, cached; and made-up ones for a quick run."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from edgeasr.features import LogMel
from training.manifest import in_held_out_share, read_manifests, read_pcm

__all__ = ["WIDTH", "Clip", "batches", "made_up", "read_clips", "split"]

WIDTH = 80
"""Numbers a frame: 40 bands of two stretches of 20 ms"""
_MOST_S = 2.8
_LETTERS = "abcdefghijklmnopqrstuvwxyz'"


@dataclass(frozen=True)
class Clip:
    """Frames float32 [n, WIDTH] every 40 ms, what is said, which wake word it is or empty."""

    frames: Any
    text: str
    speaker: str
    label: str = ""


def read_clips(folder: Path, names: Sequence[str], *, most: int, cache: Path) -> list[Clip]:
    """Return up to `most` clips of each manifest `folder`/name, of at most 2.8 s.

    `cache` (npz) is read if it is there, else written.
    """
    if not cache.is_file():
        clips = [one for name in names for one in _decoded(folder, name, most)]
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            cache, frames=np.concatenate([one.frames for one in clips]).astype(np.float16),
            lengths=[len(one.frames) for one in clips],
            words=[(one.text, one.speaker, one.label) for one in clips],
        )  # fmt: skip
    with np.load(cache, allow_pickle=False) as stored:
        borders = np.cumsum(stored["lengths"])[:-1]
        parts = np.split(stored["frames"].astype(np.float32), borders)
        return [Clip(part, *map(str, w)) for part, w in zip(parts, stored["words"], strict=True)]


def made_up(count: int, *, seed: int = 1) -> list[Clip]:
    """Return clips whose letters are bumps in the spectrum, of made-up speakers."""
    random = np.random.default_rng(seed)
    clips = []
    for number in range(count):
        word = ("abba", "cab", "dab")[number % 3]
        frames = random.normal(0, 0.3, (3 * len(word) + 4, WIDTH)).astype(np.float32)
        for place, letter in enumerate(word):
            frames[3 * place + 2 : 3 * place + 4, 20 * "abcd".index(letter) :][:, :20] += 2
        clips.append(Clip(frames, word, f"speaker {number % 10}", word if word == "cab" else ""))
    return clips


def split(clips: Sequence[Clip]) -> tuple[list[Clip], list[Clip]]:
    """Return the clips of three quarters of the speakers, and of the others."""
    held = [in_held_out_share(one.speaker, 0.25, salt="cells") for one in clips]
    parts = zip(clips, held, strict=True)
    first: list[Clip] = []
    second: list[Clip] = []
    for one, is_held in parts:
        (second if is_held else first).append(one)
    return first, second


def batches(clips: Sequence[Clip], size: int) -> Iterator[tuple[Sequence[Clip], Tensor, Tensor]]:
    """Yield clips of similar length, float32 [b, n, WIDTH] (zeros behind) and lengths int64 [b]."""
    ordered = sorted(clips, key=lambda one: len(one.frames))
    for start in range(0, len(ordered), size):
        part = ordered[start : start + size]
        lengths = torch.tensor([len(one.frames) for one in part])
        rows = [torch.from_numpy(one.frames) for one in part]
        yield part, torch.nn.utils.rnn.pad_sequence(rows, batch_first=True), lengths


def _decoded(folder: Path, name: str, most: int) -> Iterator[Clip]:
    log_mel = LogMel()
    rows = [one for one in read_manifests(folder, [name]) if 0.2 < one.seconds <= _MOST_S]
    order = np.random.default_rng(5).permutation(len(rows))
    for index in order[:most]:
        one = rows[index]
        text = "".join(c for c in (one.text or "").lower() if c in _LETTERS + " ")
        frames = log_mel(read_pcm(one))
        frames = frames[: len(frames) // 4 * 4].reshape(-1, 2, 2, 40, 2).mean(axis=(2, 4))
        frames = (frames.reshape(len(frames), WIDTH) - frames.mean()) / frames.std()
        label = one.label or ""
        yield Clip(frames, re.sub(" +", " ", text).strip(), str(one.speaker), label)
