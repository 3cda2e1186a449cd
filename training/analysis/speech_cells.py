"""One study of recurrent cells on real speech: the same clips, parameters and steps for all."""

import argparse
import itertools
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from training.analysis.cells_tasks import CellNet
from training.analysis.command import command
from training.analysis.speech_clips import WIDTH, Clip, batches, made_up, read_clips, split
from training.loop import LoopConfig, load_weights, train
from training.models.cells import CELLS

__all__ = ["Batch", "Study", "run_study"]

_BATCH = 32
_RATE = 4e-3


@dataclass(frozen=True)
class Batch:
    """Clips, their frames float32 [b, n, WIDTH] and lengths int64 [b]."""

    clips: Sequence[Clip]
    frames: Tensor
    lengths: Tensor


class Study(ABC):
    """What is learnt, and what is counted; the first figure is drawn."""

    name: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    folder: ClassVar[str]
    corpora: ClassVar[Sequence[str]]
    directions: ClassVar[Sequence[int]]
    cells: ClassVar[Sequence[str]] = tuple(CELLS)
    classes: int

    @abstractmethod
    def __init__(self, clips: Sequence[Clip]) -> None:
        """Learn the classes from all clips."""

    @abstractmethod
    def usable(self, clip: Clip) -> bool:
        """Return whether the clip can be learnt."""

    @abstractmethod
    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Return the mean loss of logits float32 [b, n, classes]."""

    @abstractmethod
    def figures(self, net: CellNet, clips: Sequence[Clip]) -> dict[str, float]:
        """Return percentages, less is better."""


class SpeechTask:
    """One cell in one study, as the training loop wants it."""

    def __init__(
        self, study: Study, model: CellNet, parts: tuple[list[Clip], list[Clip]], seed: int
    ) -> None:
        self.study, self.model, self._seed = study, model, seed
        self._batches = [Batch(*one) for one in batches(parts[0], _BATCH)]
        self._test = parts[1]

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return all parameters in one group."""
        return [{"params": list(self.model.parameters()), "lr": _RATE, "weight_decay": 0.0}]

    def batch(self, step: int, *, rank: int, world: int) -> Batch:
        """Return one of the batches, drawn from the seed."""
        random = np.random.default_rng([self._seed, step])
        one = self._batches[random.integers(len(self._batches))]
        return Batch(one.clips[rank::world], one.frames[rank::world], one.lengths[rank::world])

    def loss(self, batch: Batch, *, step: int) -> tuple[Tensor, dict[str, float]]:  # noqa: ARG002
        """Return the study's loss."""
        return self.study.loss(self.model(batch.frames), batch), {}

    def evaluate(self) -> dict[str, float]:
        """Return the study's figures of unseen speakers."""
        found = self.study.figures(self.model, self._test)
        return {**found, "score": next(iter(found.values()))}


def run_study(argv: list[str], kind: type[Study], told: str) -> int:
    """Train every cell; after each, write NAME-cells.md with a table and a plot."""
    options = _options(argv, kind, told)
    torch.set_num_threads(1)
    began = time.process_time()
    clips = made_up(80) if options.data is None else read_clips(
        options.data / kind.folder, kind.corpora, most=options.clips,
        cache=options.runs / f"{kind.name}-clips-{options.clips}.npz",
    )  # fmt: skip
    study = kind(clips)
    parts = split([one for one in clips if study.usable(one)])
    rows: list[dict[str, Any]] = []
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for form in itertools.product(kind.directions, kind.cells):
            rows.append(_train_one(study, parts, form, options, Path(scratch)))
            notes = (
                f"`{command(kind.name, argv)}`, {_seeds(options)}, "
                f"{time.process_time() - began:.0f} s of processor time, {options.steps} steps of "
                f"{_BATCH} clips, about {options.parameters} parameters a layer; {len(parts[0])} "
                f"clips to learn, {len(parts[1])} of other speakers to test. {kind.about}"
            )
            _draw(options.out / f"{kind.name}-cells.png", rows, kind)
            _write(options.out / f"{kind.name}-cells.md", notes, rows, kind)
    return 0


def _options(argv: list[str], kind: type[Study], told: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"python -m training.analysis {kind.name}", description=told
    )
    parser.add_argument("--data", type=Path, help="folder with speech/ and wake/; else made up")
    parser.add_argument("--out", type=Path, default=Path("docs/analysis"))
    parser.add_argument("--runs", type=Path, default=Path("runs/analysis"), help="of the cache")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--parameters", type=int, default=40_000)
    parser.add_argument("--clips", type=int, default=800, help="at most, of each corpus")
    parser.add_argument("--seed", type=int, default=1, help="the first")
    parser.add_argument("--seeds", type=int, default=1, help="so many of them; all are shown")
    parser.add_argument("--quick", action="store_true", help="a few seconds, shows that it works")
    options = parser.parse_args(argv)
    if options.quick:
        options.steps, options.parameters, options.clips = 12, 3_000, 30
    return options


def _train_one(
    study: Study, parts: tuple[list[Clip], list[Clip]], form: tuple[int, str],
    options: argparse.Namespace, scratch: Path,
) -> dict[str, Any]:  # fmt: skip
    directions, cell = form
    began = time.process_time()
    found: dict[str, list[float]] = {}
    for seed in range(options.seed, options.seed + options.seeds):
        torch.manual_seed(seed)
        net = CellNet(
            cell, inputs=WIDTH, classes=study.classes, parameters=options.parameters,
            both=directions == 2, embed=False, every=True,
        )  # fmt: skip
        config = LoopConfig(
            run=scratch / f"{cell}-{directions}-{seed}", steps=options.steps, warmup_steps=20,
            evaluate_every=options.steps, seed=seed,
        )  # fmt: skip
        dev = load_weights(train(SpeechTask(study, net, parts, seed), config))["dev"]
        del dev["score"]
        for key, value in dev.items():
            found.setdefault(key, []).append(value)
    spent = round(time.process_time() - began)
    name = f"{cell} both ways" if directions == 2 else cell
    return {"cell": name, "units": net.layer.hidden, **found, "CPU s": spent}


def _seeds(options: argparse.Namespace) -> str:
    last = options.seed + options.seeds - 1
    return f"seed {options.seed}" if options.seeds == 1 else f"seeds {options.seed} to {last}"


def _draw(path: Path, rows: list[dict[str, Any]], kind: type[Study]) -> None:
    figure = Figure(figsize=(7, 0.34 * len(rows) + 1.2), layout="constrained")
    axes = figure.subplots()
    names = [row["cell"] for row in rows]
    values = np.array([list(row.values())[2] for row in rows])  # [cells, seeds]
    bars = axes.barh(names, values.mean(axis=1), color="tab:blue")
    if values.shape[1] == 1:
        axes.bar_label(bars, fmt="%.1f", padding=3)
    else:
        axes.plot(values, names, "o", color="black", markersize=4)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.set_xlabel(kind.title)
    figure.savefig(path, dpi=110)


def _write(path: Path, notes: str, rows: list[dict[str, Any]], kind: type[Study]) -> None:
    lines = [" | ".join(rows[0]), " | ".join("---" for _ in rows[0])]
    lines += [" | ".join(map(_cell, row.values())) for row in rows]
    table = "".join(f"| {line} |\n" for line in lines)
    page = (
        f"# Recurrent cells: {kind.name}\n\n{notes}\n\n{table}\n![{kind.title}]({path.stem}.png)\n"
    )
    path.write_text(page, "utf-8")
    print(lines[-1])


def _cell(value: object) -> str:
    """Return a table's cell: of several seeds the mean, the least and the most."""
    if not isinstance(value, list):
        return str(value)
    mean = f"{np.mean(value):.1f}"
    return mean if len(value) == 1 else f"{mean} ({min(value):.1f} to {max(value):.1f})"
