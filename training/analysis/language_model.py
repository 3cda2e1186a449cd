"""Letters and words: GRU and LSTM language models against an n-gram, by perplexity."""

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from training.loop import LoopConfig, train
from training.manifest import in_held_out_share
from training.models.language_model import (
    END,
    LanguageNet,
    LanguageSize,
    Units,
    load_language_model,
    save_tables,
)
from training.ngram import NGram
from training.sample import sample

__all__ = ["LanguageTask", "main"]

_ORDERS = {"char": (3, 6), "word": (2, 3)}
_IGNORED = -100


def main(argv: list[str]) -> int:
    """Train all models; write `language-model.md` and a plot of their learning."""
    options = _options(argv)
    torch.set_num_threads(1)
    began = time.process_time()
    rows: list[dict[str, object]] = []
    curves: dict[str, list[tuple[float, float]]] = {}
    samples: list[str] = []
    known, held = _sentences(options)
    for level in ("char", "word"):
        units = Units.of(level, known)
        for order in _ORDERS[level]:
            model = NGram(map(units.encode, known), order=order, units=len(units.names))
            chances = [p for one in held for p in model.probabilities(units.encode(one))]
            perplexity = math.exp(-float(np.mean(np.log(chances))))
            rows.append(_row(level, f"{order}-gram", len(units.names), perplexity, 0.0))
        for cell in ("gru", "lstm"):
            started = time.process_time()
            run = options.runs / f"{level}-{cell}"
            task = LanguageTask(known, held, units, cell=cell, seed=options.seed)
            save_tables(run, units, task.model.size)
            train(task, _config(run, options))
            net, _ = load_language_model(run)
            spent = time.process_time() - started
            perplexity = _perplexity(net, [units.encode(one) for one in held])
            rows.append(_row(level, cell, len(units.names), perplexity, spent))
            curves[f"{level} {cell}"] = task.curve
        samples += [f"- {level}: {text}" for text in _novel(net, units, known, options.seed)]
    options.out.mkdir(parents=True, exist_ok=True)
    _draw(options.out / "language-model.png", curves)
    notes = (
        f"`python -m training.analysis language-model {_shown(argv)}`, seed {options.seed}, "
        f"{time.process_time() - began:.0f} s of processor time, {options.steps} steps a network, "
        f"{len(known)} sentences, perplexity on {len(held)} others, ends of sentences counted."
    )
    _write(options.out / "language-model.md", notes, rows, samples)
    return 0


def _shown(argv: Sequence[str]) -> str:
    """Return the arguments as typed, paths without the folders of one machine."""
    return " ".join(Path(one).name if "/" in one else one for one in argv)


class LanguageTask:
    """Sentences of one text, in batches of similar length; `score` is the held-out loss."""

    def __init__(
        self, known: Sequence[str], held: Sequence[str], units: Units, *, cell: str, seed: int
    ) -> None:
        torch.manual_seed(seed)
        self.model = LanguageNet(LanguageSize(units=len(units.names), cell=cell))
        self._seed = seed
        self._known = sorted((units.encode(one) for one in known), key=len)
        self._held = [units.encode(one) for one in held][:200]
        self.curve: list[tuple[float, float]] = []

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return all parameters in one group."""
        return [{"params": list(self.model.parameters()), "lr": 4e-3, "weight_decay": 0.0}]

    def batch(self, step: int, *, rank: int, world: int) -> Tensor:
        """Return padded ids int64 [64, n + 2] of neighbours in length, END at both ends."""
        start = int(np.random.default_rng([self._seed, step]).integers(len(self._known) - 64))
        rows = self._known[start : start + 64][rank::world]
        longest = len(rows[-1])
        padded = [[END, *one, END, *[_IGNORED] * (longest - len(one))] for one in rows]
        return torch.tensor(padded)

    def loss(self, batch: Tensor, *, step: int) -> tuple[Tensor, dict[str, float]]:
        """Return the cross-entropy of the next unit."""
        logits = self.model(batch[:, :-1].clamp(min=0))[0]
        loss = nn.functional.cross_entropy(
            logits.flatten(0, 1).float(), batch[:, 1:].flatten(), ignore_index=_IGNORED
        )
        if step % 10 == 0:
            self.curve.append((step, float(loss.detach())))
        return loss, {}

    def evaluate(self) -> dict[str, float]:
        """Return the perplexity of some held-out sentences."""
        perplexity = _perplexity(self.model, self._held)
        return {"perplexity": perplexity, "score": perplexity}


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.analysis language-model")
    parser.add_argument("--text", type=Path, required=True, help="one sentence per line")
    parser.add_argument("--runs", type=Path, default=Path("runs/language-model"))
    parser.add_argument("--out", type=Path, default=Path("docs/analysis"))
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--sentences", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a few steps that show it works")
    options = parser.parse_args(argv)
    if options.quick:
        options.steps, options.sentences = 6, 400
    return options


def _sentences(options: argparse.Namespace) -> tuple[list[str], list[str]]:
    lines = dict.fromkeys(options.text.read_text("utf-8").lower().splitlines())
    kept = [line.strip() for line in lines if 0 < len(line) <= 80]
    order = np.random.default_rng(options.seed).permutation(len(kept))[: options.sentences]
    parts: tuple[list[str], list[str]] = ([], [])
    for index in order:
        parts[in_held_out_share(kept[index], 0.1, salt="language-model")].append(kept[index])
    return parts[0], parts[1][:1_000]


def _config(run: Path, options: argparse.Namespace) -> LoopConfig:
    return LoopConfig(
        run=run, steps=options.steps, warmup_steps=min(30, options.steps), final_rate=0.05,
        evaluate_every=options.steps, bf16=True, seed=options.seed,
    )  # fmt: skip


@torch.inference_mode()
def _perplexity(net: LanguageNet, sentences: Sequence[Sequence[int]]) -> float:
    return math.exp(-float(np.mean([p for ids in sentences for p in net.log_p(ids)])))


def _novel(net: LanguageNet, units: Units, known: Sequence[str], seed: int) -> list[str]:
    """Return three sampled sentences, told apart from those of the text."""
    own = set(known)
    texts = [sample(net, units, temperature=0.7, seed=seed + i) for i in range(3)]
    return [f"{text} ({'in the text' if text in own else 'new'})" for text in texts]


def _row(
    level: str, model: str, units: int, perplexity: float, seconds: float
) -> dict[str, object]:
    return {
        "units": f"{level}s ({units})",
        "model": model,
        "perplexity": f"{perplexity:.2f}",
        "bits a unit": f"{math.log2(perplexity):.2f}",
        "training s": f"{seconds:.0f}",
    }


def _draw(path: Path, curves: dict[str, list[tuple[float, float]]]) -> None:
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, level in zip(figure.subplots(1, 2), ("char", "word"), strict=True):
        for name, points in curves.items():
            if name.startswith(level):
                axes.plot(*zip(*points, strict=True), label=name)
        axes.set(xlabel="step", ylabel="training loss, nats a unit", title=level)
        axes.legend()
    figure.savefig(path, dpi=110)


def _write(path: Path, notes: str, rows: list[dict[str, object]], samples: list[str]) -> None:
    names = list(rows[0])
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(str(row[name]) for name in names) for row in rows]
    table = "".join(f"| {line} |\n" for line in lines)
    drawn = "Sampled from the LSTMs at temperature 0.7:\n\n" + "\n".join(samples)
    plot = "![learning](language-model.png)"
    path.write_text(f"# Language models\n\n{notes}\n\n{table}\n{plot}\n\n{drawn}\n", "utf-8")
    print(table, drawn, sep="\n")
