"""What an exploding gradient does to a simple RNN, and what clipping saves (Pascanu et al. 2013).

Plain gradient descent: AdamW divides by the gradient's own scale, so that its steps stay short
whatever the gradient is, and hides the harm.
"""

import argparse
import math
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from training.analysis.agreement import OneClause
from training.analysis.cells_tasks import CellNet, CellTask
from training.analysis.command import command
from training.loop import LoopConfig, load_weights, train

__all__ = ["main"]

_DISTANCE, _PARAMETERS = 20, 4_000
_EMBEDDING = 0.3  # scale of the inputs


@dataclass(frozen=True)
class _Way:
    name: str
    rate: float
    clip: float


_WAYS = (
    _Way("clipped to 1", 0.3, 1.0),
    _Way("not clipped", 0.3, math.inf),
    _Way("not clipped, a tenth of the rate", 0.03, math.inf),
)


@dataclass(frozen=True)
class _Run:
    """Loss and gradient norm of each step, and percent of unseen verbs right after the last."""

    losses: list[float]
    norms: list[float]
    right: float


class _Recorded(CellTask):
    """Keeps each step's loss and the norm of its gradient."""

    def __init__(self, seed: int, rate: float) -> None:
        task = OneClause(_DISTANCE)
        super().__init__(task, _net(task, seed), seed=seed, rate=rate)
        self.losses: list[float] = []
        self.norms: list[float] = []

    def loss(self, batch: Any, *, step: int) -> tuple[Tensor, dict[str, float]]:  # noqa: ANN401
        """Note the loss and the norm, which the loop logs only where it evaluates."""
        loss, figures = super().loss(batch, step=step)
        gradients = torch.autograd.grad(loss, list(self.model.parameters()), retain_graph=True)
        self.norms.append(math.sqrt(sum(float((one**2).sum()) for one in gradients)))
        self.losses.append(float(loss.detach()))
        return loss, figures


def main(argv: list[str]) -> int:
    """Train with each seed in each way; write `clipping.md` and a plot."""
    parser = argparse.ArgumentParser(
        prog="python -m training.analysis clipping", description=__doc__
    )
    parser.add_argument("--out", type=Path, default=Path("docs/analysis"))
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="seconds that show it works")
    options = parser.parse_args(argv)
    if options.quick:
        options.steps, options.seeds = 8, 1
    torch.set_num_threads(1)
    began = time.process_time()
    runs = {
        way: [_train(way, seed, options.steps) for seed in range(1, options.seeds + 1)]
        for way in _WAYS
    }
    options.out.mkdir(parents=True, exist_ok=True)
    _draw(options.out / "clipping.png", runs)
    notes = (
        f"`{command('clipping', argv)}`, seeds 1 to {options.seeds}, "
        f"{time.process_time() - began:.0f} s of processor time, {options.steps} steps."
    )
    (options.out / "clipping.md").write_text(_page(notes, runs), "utf-8")
    return 0


def _net(task: OneClause, seed: int) -> CellNet:
    """Return a simple RNN whose recurrent weights neither shrink nor stretch what they keep."""
    torch.manual_seed(seed)
    net = CellNet(
        "rnn", inputs=task.inputs, classes=task.classes, parameters=_PARAMETERS, every=True
    )
    nn.init.orthogonal_(net.layer.weight_hh)  # type: ignore[arg-type]
    assert net.embedding is not None
    with torch.no_grad():
        net.embedding.weight.mul_(_EMBEDDING)
    return net


def _train(way: _Way, seed: int, steps: int) -> _Run:
    task = _Recorded(seed, way.rate)
    with tempfile.TemporaryDirectory() as scratch:
        config = LoopConfig(
            run=Path(scratch), steps=steps, warmup_steps=1, final_rate=1.0, clip_norm=way.clip,
            optimizer="sgd", evaluate_every=steps, seed=seed,
        )  # fmt: skip
        right = float(load_weights(train(task, config))["dev"]["verbs"])
    return _Run(task.losses, task.norms, right)


def _page(notes: str, runs: dict[_Way, list[_Run]]) -> str:
    lines = ["| way | rate | loss at the end | highest loss | highest norm | verbs right, % |",
             "| --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    for way, seen in runs.items():
        ends = _span([float(np.mean(run.losses[-20:])) for run in seen], ".2f")
        tops = _span([max(run.losses) for run in seen], ".1f")
        norms = _span([max(run.norms) for run in seen], ".0f")
        right = _span([run.right for run in seen], ".0f")
        lines.append(f"| {way.name} | {way.rate} | {ends} | {tops} | {norms} | {right} |")
    about = (
        f"A simple RNN of about {_PARAMETERS} parameters learns the number of a verb {_DISTANCE} "
        "words after its subject, a quarter of them bare nouns, by plain gradient descent at one "
        "rate. Its recurrent weights begin orthogonal, unscaled, and its inputs at "
        f"{_EMBEDDING} of their usual size. Distance, sizes and rate were sought so that training "
        "with clipping succeeds: this shows what clipping can save, not how often it must. Least "
        "and most of the seeds; the loss at the end is the mean of the last 20 steps. Chance is "
        "0.69 and 50 %."
    )
    return "\n\n".join(
        ("# Clipping", notes, about, "\n".join(lines), "![clipping](clipping.png)\n")
    )


def _span(values: list[float], form: str) -> str:
    least, most = format(min(values), form), format(max(values), form)
    return least if least == most else f"{least} to {most}"


def _draw(path: Path, runs: dict[_Way, list[_Run]]) -> None:
    figure = Figure(figsize=(10, 4), layout="constrained")
    losses, norms = figure.subplots(1, 2)
    for place, (way, seen) in enumerate(runs.items()):
        for index, run in enumerate(seen):
            label = way.name if index == 0 else None
            smooth = np.convolve(run.losses, np.ones(5) / 5, mode="valid")
            losses.plot(smooth, color=f"C{place}", label=label, linewidth=1, alpha=0.8)
            norms.semilogy(run.norms, color=f"C{place}", linewidth=0.6, alpha=0.8)
    losses.axhline(math.log(2), color="grey", linestyle=":", linewidth=1)
    losses.set(xlabel="step", ylabel="loss (mean of 5; dotted: chance)", title="a line a seed")
    norms.axhline(1.0, color="grey", linestyle=":", linewidth=1)
    norms.set(xlabel="step", ylabel="gradient norm before clipping", title="dotted: the limit")
    figure.legend(loc="outside lower center", ncols=len(runs))
    figure.savefig(path, dpi=110)
