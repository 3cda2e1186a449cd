"""The one training loop: step, evaluate, average, save, resume, CSV curve.

A recipe is a `Task`: it owns the model and makes batch number `step` from the seed alone, so that
a resumed run sees what an unbroken one would have seen. Under `torchrun` each process takes its
share of the batch (`rank` of `world`) and gradients are averaged by what each share's mean was
taken over (the figure `weight`), which equals one process on the whole batch.
"""

import csv
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from tqdm import tqdm

from training.averaging import WeightAverage

__all__ = ["LoopConfig", "Task", "fast_autocast", "load_weights", "train"]


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """Hyper-parameters that every recipe has."""

    run: Path
    """Folder of checkpoints and curve; outside of version control"""
    steps: int
    warmup_steps: int = 100
    final_rate: float = 0.0
    """Share of the learning rate left at the last step (linear decay)"""
    clip_norm: float = 1.0
    """Gradient norm above which gradients are scaled down (Pascanu et al. 2013)"""
    optimizer: Literal["adamw", "sgd"] = "adamw"
    """AdamW, or plain gradient descent, whose steps are as long as the gradient"""
    evaluate_every: int = 500
    save_every_s: float = 120.0
    average_decay: float = 0.0
    """Decay of the exponential weight average that is evaluated and kept; 0 turns it off"""
    bf16: bool = False
    """Run matrix products in bfloat16"""
    seed: int = 1
    threads: int = 1


class Task(Protocol):
    """What a recipe gives to the loop."""

    @property
    def model(self) -> nn.Module:
        """The network that is trained."""
        ...

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the optimiser's groups: `params`, `lr`, `weight_decay`."""
        ...

    def batch(self, step: int, *, rank: int, world: int) -> Any:  # noqa: ANN401 - the recipe's own
        """Return this process's share of batch number `step`; a function of its arguments."""
        ...

    def loss(self, batch: Any, *, step: int) -> tuple[Tensor, dict[str, float]]:  # noqa: ANN401
        """Return the mean loss of the batch and figures for the log.

        The figure `weight` tells how many things the mean was taken over, if shares may differ.
        """
        ...

    def evaluate(self) -> dict[str, float]:
        """Return dev figures of `model` as it is; `score` decides which weights are kept."""
        ...


def fast_autocast(*, wanted: bool) -> AbstractContextManager[object]:
    """Return bfloat16 autocast if wanted and not emulated, which is tens of times slower."""
    if wanted and torch.ops.mkldnn._is_mkldnn_bf16_supported():  # noqa: SLF001 - no public name
        return torch.autocast("cpu", torch.bfloat16)
    return nullcontext()


def load_weights(path: Path) -> dict[str, Any]:
    """Return the content of a checkpoint; only tensors and plain values are accepted."""
    content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return content


def train(task: Task, config: LoopConfig) -> Path:
    """Train to `config.steps`, resuming what lies in `config.run`; return the best checkpoint.

    The best checkpoint, `best.pt`, holds `model` (averaged weights where asked), `step` and the
    dev figures; `last.pt` holds everything that resuming needs.
    """
    rank, world = _join_processes()
    torch.set_num_threads(config.threads)
    random.seed(config.seed)
    np.random.seed(config.seed)  # noqa: NPY002 - guards libraries that use the global one
    torch.manual_seed(config.seed)
    loop = _Loop(task, config, rank, world)
    loop.resume()
    loop.run()
    if world > 1:
        dist.destroy_process_group()
    return config.run / "best.pt"


def _join_processes() -> tuple[int, int]:
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world > 1:
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        return dist.get_rank(), world
    return 0, 1


def _optimizer(name: str, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    if name == "sgd":
        return torch.optim.SGD(groups, fused=True)
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-8, fused=True)


class _Loop:
    def __init__(self, task: Task, config: LoopConfig, rank: int, world: int) -> None:
        self.task, self.config, self.rank, self.world = task, config, rank, world
        groups = task.parameter_groups()
        self.rates = [float(group["lr"]) for group in groups]
        self.optimizer = _optimizer(config.optimizer, groups)
        decay = config.average_decay
        self.average = WeightAverage(task.model, decay) if decay else None
        self.step, self.best, self.seconds = 0, float("inf"), 0.0
        config.run.mkdir(parents=True, exist_ok=True)

    def resume(self) -> None:
        path = self.config.run / "last.pt"
        if not path.is_file():
            return
        saved = load_weights(path)
        self.task.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step, self.best, self.seconds = saved["step"], saved["best"], saved["seconds"]
        if self.average is not None and saved["average"] is not None:
            self.average.weights, self.average.updates = saved["average"], saved["updates"]
        print(f"resumed at step {self.step}", file=sys.stderr)

    def run(self) -> None:
        started = saved = time.monotonic()
        for step in self._progress():
            figures = self._one(step)
            self.step = step + 1
            last = self.step == self.config.steps
            if last or self.step % self.config.evaluate_every == 0:
                self._evaluate(figures, self.seconds + time.monotonic() - started)
            if self.rank == 0 and (last or time.monotonic() - saved > self.config.save_every_s):
                saved = time.monotonic()
                self._save(self.seconds + saved - started)
        self.seconds += time.monotonic() - started

    def _progress(self) -> Iterator[int]:
        steps = range(self.step, self.config.steps)
        bar = tqdm(steps, initial=self.step, total=self.config.steps, disable=self.rank != 0,
                   mininterval=5.0, desc=self.config.run.name)  # fmt: skip
        yield from bar

    def _one(self, step: int) -> dict[str, float]:
        self.task.model.train()
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * self._schedule(step)
        torch.manual_seed(self.config.seed * 1_000_003 + step)  # dropout repeats after a resume
        batch = self.task.batch(step, rank=self.rank, world=self.world)
        with fast_autocast(wanted=self.config.bf16):
            loss, figures = self.task.loss(batch, step=step)
        loss = loss * self._share(figures.pop("weight", 1.0))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._average_gradients()
        norm = nn.utils.clip_grad_norm_(self.task.model.parameters(), self.config.clip_norm)
        if torch.isfinite(norm):
            self.optimizer.step()
            if self.average is not None:
                self.average.update(self.task.model)
        return {"loss": self._mean(loss.detach()), "gradient_norm": float(norm), **figures}

    def _share(self, weight: float) -> float:
        """Return the factor that makes the mean over processes the mean over the whole batch."""
        return weight / self._mean(torch.tensor(weight))

    def _mean(self, value: Tensor) -> float:
        """Return the mean of a value over all processes."""
        if self.world > 1:
            dist.all_reduce(value)
        return float(value) / self.world

    def _schedule(self, step: int) -> float:
        if step < self.config.warmup_steps:
            return (step + 1) / self.config.warmup_steps
        left = (self.config.steps - step) / max(1, self.config.steps - self.config.warmup_steps)
        return self.config.final_rate + (1 - self.config.final_rate) * left

    def _average_gradients(self) -> None:
        if self.world == 1:
            return
        for parameter in self.task.model.parameters():
            if parameter.grad is not None:
                dist.all_reduce(parameter.grad)
                parameter.grad /= self.world

    def _evaluate(self, figures: dict[str, float], seconds: float) -> None:
        if self.rank != 0:
            return
        model = self.task.model
        trained = {k: v.detach().clone() for k, v in model.state_dict().items()}
        if self.average is not None:
            model.load_state_dict(self.average.weights)
        model.eval()
        with torch.inference_mode():
            dev = self.task.evaluate()
        if dev["score"] < self.best:
            self.best = dev["score"]
            content = {"model": model.state_dict(), "step": self.step, "dev": dev}
            _write(content, self.config.run / "best.pt")
        model.load_state_dict(trained)
        self._log({"step": self.step, "seconds": round(seconds), **figures, **dev})

    def _log(self, row: dict[str, float]) -> None:
        path = self.config.run / "curve.csv"
        columns = _columns(path) or list(row)
        with path.open("a", newline="", encoding="utf-8") as stream:
            # A batch may lack a figure that others have, such as the labels of one scheme.
            writer = csv.DictWriter(stream, columns, restval="", extrasaction="ignore")
            if not stream.tell():
                writer.writeheader()
            writer.writerow({name: f"{value:.6g}" for name, value in row.items()})
        tqdm.write("  ".join(f"{name} {value:.4g}" for name, value in row.items()))

    def _save(self, seconds: float) -> None:
        average = self.average
        content = {
            "model": self.task.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": average.weights if average else None,
            "updates": average.updates if average else 0,
            "step": self.step, "best": self.best, "seconds": seconds,
        }  # fmt: skip
        _write(content, self.config.run / "last.pt")


def _columns(curve: Path) -> list[str]:
    """Return the columns of a curve that was begun before; none if it was not."""
    if not curve.is_file():
        return []
    with curve.open(newline="", encoding="utf-8") as stream:
        return next(csv.reader(stream), [])


def _write(content: dict[str, Any], path: Path) -> None:
    """Replace the checkpoint in one move, so that a crash leaves the old one."""
    fresh = path.with_suffix(".tmp")
    torch.save(content, fresh)
    fresh.replace(path)
