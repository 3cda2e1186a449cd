"""What each recurrent cell buys, at equal parameters: accuracy, speed, gradients."""

import argparse
import itertools
import time
from pathlib import Path
from typing import Any

import torch

from training.analysis.agreement import Agreement
from training.analysis.cells_plots import draw_agreement, draw_gradients
from training.analysis.cells_tasks import CellNet, CellTask, Letters, Names, Triggers
from training.analysis.command import command
from training.loop import LoopConfig, load_weights, train
from training.models.cells import CELLS, hidden_for

__all__ = ["main"]


def main(argv: list[str]) -> int:
    """Train every cell on every task; write `cells.md` and two plots, anew after each training.

    What lies in the runs' folder with the same settings is not trained again.
    """
    options = _options(argv)
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    options.runs.mkdir(parents=True, exist_ok=True)
    rows: dict[tuple[bool, str], dict[str, Any]] = {
        (both, cell): {
            "cell": f"{cell} both ways" if both else cell,
            "us a step": round(_speed_us(cell, options.parameters, both=both)),
        }
        for both, cell in itertools.product((False, True), CELLS)
    }
    norms = {cell: _gradient_norms(cell, options, 10 if options.quick else 60) for cell in CELLS}
    draw_gradients(options.out / "cells-gradients.png", norms)
    for name, task in _tasks(options).items():
        for (both, cell), row in rows.items():
            if name == "letters" and both:
                continue  # the next letter must not be seen
            row.update(_train_one(cell, name, task, options, both=both))
            _write(options, argv, list(rows.values()))
    return 0


def _notes(options: argparse.Namespace, argv: list[str]) -> str:
    return (
        f"`{command('cells', argv)}`, seed {options.seed}, "
        f"{_spent(options.runs):.0f} s of processor time, {options.steps} steps a task "
        f"({options.agreement_steps} for agreement), about {options.parameters} parameters a "
        "layer. A step is one input of a batch of one, forward, in this eager Python form. Names: "
        "percent of words right in unseen pairs. Trigger: six real wake words, percent of clips of "
        "unseen speakers. Letters: bits a letter on held-out commands. Columns of numbers: "
        "agreement across so many words with three more subjects, their verbs and bare nouns "
        "between, percent of 400 last verbs each; 50 is chance, 69 what the majority of the four "
        "subjects gives; no training sentence was longer than 60."
    )


def _spent(runs: Path, more_s: float = 0.0) -> float:
    """Return the processor seconds of all trainings in a folder, after adding some."""
    path = runs / "spent-s.txt"
    total = more_s + (float(path.read_text("utf-8")) if path.is_file() else 0.0)
    path.write_text(f"{total:.1f}", "utf-8")
    return total


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.analysis cells", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with wake/ and text/; without, two tasks")
    parser.add_argument("--out", type=Path, default=Path("docs/analysis"))
    parser.add_argument("--runs", type=Path, default=Path("runs/analysis"))
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--agreement-steps", type=int, default=1_500)
    parser.add_argument("--parameters", type=int, default=4_000)
    parser.add_argument("--clips", type=int, default=700)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a minute's run that shows it works")
    options = parser.parse_args(argv)
    if options.quick:
        options.steps = options.agreement_steps = 8
        options.parameters, options.clips = 600, 60
    options.runs /= (
        f"cells-{options.steps}-{options.agreement_steps}-{options.parameters}-{options.clips}-"
        f"{options.seed}"
    )
    return options


def _tasks(options: argparse.Namespace) -> dict[str, Any]:
    tasks: dict[str, Any] = {"names": Names()}
    if options.data is not None:
        tasks["trigger"] = Triggers(options.data, clips=options.clips)
        tasks["letters"] = Letters(options.data)
    return {**tasks, "agreement": Agreement()}


def _net(cell: str, task: Any, options: argparse.Namespace, *, both: bool) -> CellNet:  # noqa: ANN401
    torch.manual_seed(options.seed)
    return CellNet(
        cell, inputs=task.inputs, classes=task.classes, parameters=options.parameters, both=both,
        embed=not isinstance(task, Triggers), every=task.every,
    )  # fmt: skip


def _train_one(
    cell: str,
    name: str,
    task: Any,  # noqa: ANN401
    options: argparse.Namespace,
    *,
    both: bool,
) -> dict[str, str]:
    began = time.process_time()
    run = CellTask(task, _net(cell, task, options, both=both), seed=options.seed)
    steps = options.agreement_steps if name == "agreement" else options.steps
    config = LoopConfig(
        run=options.runs / f"{cell}-{name}-{both}", steps=steps, warmup_steps=20,
        evaluate_every=steps, seed=options.seed,
    )  # fmt: skip
    dev = load_weights(train(run, config))["dev"]
    _spent(options.runs, time.process_time() - began)
    if name == "letters":
        return {"letters": f"{dev['letters bits']:.2f}"}
    shown = {key: f"{value:.0f}" for key, value in dev.items() if not key.endswith("bits")}
    del shown["score"]
    return shown if name == "agreement" else {name: next(iter(shown.values()))}


def _pairs(options: argparse.Namespace) -> list[str]:
    """Return what the trained GRUs make of a first word that only later words explain."""
    task, lines = Names(), []
    if not (options.runs / "gru-names-True" / "best.pt").is_file():
        return ["- not trained yet"]
    for text in ("teddy roosevelt was a great president", "teddy bears are on sale"):
        chances = []
        for both in (False, True):
            net = _net("gru", task, options, both=both)
            weights = load_weights(options.runs / f"gru-names-{both}" / "best.pt")["model"]
            net.load_state_dict(weights)
            with torch.inference_mode():
                chances.append(float(net.eval()(task.encode(text)[None]).softmax(2)[0, 0, 1]))
        one, two = chances
        lines.append(f'- "{text}": P(the first word is a name) {one:.2f} one way, {two:.2f} both')
    return lines


def _speed_us(cell: str, parameters: int, *, both: bool) -> float:
    net = CellNet(cell, inputs=40, classes=2, parameters=parameters, both=both).eval()
    words = torch.zeros(1, 50, dtype=torch.int64)
    with torch.inference_mode():
        net(words)
        took = []
        for _ in range(5):
            began = time.process_time()
            net(words)
            took.append(time.process_time() - began)
    return min(took) / 50 * 1e6


def _gradient_norms(cell: str, options: argparse.Namespace, length: int) -> list[float]:
    """Return the mean norm of d(sum of the last output) / d(input k steps before), k from 0."""
    torch.manual_seed(options.seed)
    layer = CELLS[cell](24, hidden_for(cell, 24, options.parameters))
    inputs = torch.randn(32, length, 24, requires_grad=True)
    layer(inputs)[0][:, -1].sum().backward()
    assert inputs.grad is not None
    return [float(norm) for norm in inputs.grad.norm(dim=2).mean(dim=0).flip(0)]


def _write(options: argparse.Namespace, argv: list[str], rows: list[dict[str, Any]]) -> None:
    """Write the page and the plot of agreement with what is known by now."""
    draw_agreement(options.out / "cells-agreement.png", rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(str(row.get(name, "-")) for name in names) for row in rows]
    plots = "\n\n".join(f"![{name}](cells-{name}.png)" for name in ("agreement", "gradients"))
    about = "What an exploding gradient does, and what clipping saves: [clipping.md](clipping.md)."
    table = "".join(f"| {line} |\n" for line in lines)
    told = "When a later word decides (GRU):\n\n" + "\n".join(_pairs(options))
    parts = ("# Recurrent cells compared", _notes(options, argv), table, told, plots, about)
    page = "\n\n".join(part.strip() for part in parts) + "\n"
    (options.out / "cells.md").write_text(page, "utf-8")
