"""The GRU recogniser from scratch, step by step, beside the bundle that ships on the same clips."""

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

import torch
from matplotlib.figure import Figure

from edgeasr.bundle import MODELS_FOLDER
from training.analysis.command import command
from training.evaluation.asr_engines import Edgeasr
from training.loop import load_weights
from training.recogniser import from_nothing
from training.recogniser_batches import Batch
from training.recogniser_data import Clip, ClipStore, dev_sample, load_clips
from training.recogniser_decode import DevSet, greedy_attention, greedy_ctc
from training.recogniser_units import PieceUnits
from training.scoring import interval, word_errors

__all__ = ["main"]

_SETS = {"clean": "LibriSpeech dev-clean", "other": "other held-out clips"}


def main(argv: list[str]) -> int:
    """Write `gru.md` and a plot of the errors by step."""
    parser = argparse.ArgumentParser(prog="python -m training.analysis gru", description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("runs/gru"), help="of --encoder gru")
    parser.add_argument("--bundle", type=Path, default=MODELS_FOLDER / "recogniser-en")
    parser.add_argument("--batch-s", type=float, default=48.0, help="as in training")
    parser.add_argument("--examples", type=int, default=4)
    parser.add_argument("--out", type=Path, default=Path("docs/analysis"))
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    with (options.run / "curve.csv").open(encoding="utf-8") as lines:
        curve = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(lines)]
    store = load_clips([], options.run.parent / "cache", name="speech")
    options.out.mkdir(parents=True, exist_ok=True)
    _draw(options.out / "gru.png", curve)
    steps = "".join(_step(row, options.batch_s) for row in curve)
    shipped = _shipped(store, options.bundle)
    said = _said(store, options.run, options.examples)
    page = (
        "# A GRU recogniser from scratch\n\n"
        f"`{command('gru', argv)}` after `python -m training recogniser --encoder "
        "gru`, seed 1. Words wrong in percent, greedy, the whole clip at once; losses in nats (of "
        "a unit for attention, of a label for CTC).\n\n"
        "| step | hours heard | attention loss | CTC loss | clean, attention | clean, CTC | other, "
        f"attention | other, CTC |\n|{' --- |' * 8}\n{steps}\n"
        f"The bundle that ships, streamed over the same clips:\n\n{shipped}\n"
        f"![words wrong by step](gru.png)\n\nWhat both branches say in the end:\n\n{said}"
    )
    (options.out / "gru.md").write_text(page, "utf-8")
    print(page)
    return 0


def _step(row: dict[str, float], batch_s: float) -> str:
    shown = [f"{row['step']:.0f}", f"{row['step'] * batch_s / 3600:.1f}",
             f"{row['attention']:.2f}", f"{row['ctc']:.2f}"]  # fmt: skip
    shown += [f"{row[name + mode]:.1f}" for name in _SETS for mode in ("", "_ctc")]
    return f"| {' | '.join(shown)} |\n"


def _shipped(store: ClipStore, bundle: Path) -> str:
    """Return the errors of the bundle on both sets, with 95 % intervals."""
    engine, lines = Edgeasr(bundle), ""
    for clips, about in zip(dev_sample(store), _SETS.values(), strict=True):
        said = [engine.transcribe(store.read(clip)) for clip in clips]
        errors = word_errors([clip.text for clip in clips], [one.text for one in said])
        low, high = (100 * bound for bound in interval(errors))
        seconds = sum(clip.samples for clip in clips) / 16_000
        lines += (
            f"- {about}: {100 * errors.rate:.1f} % ({low:.1f} to {high:.1f}) of "
            f"{sum(errors.total)} words, {len(clips)} clips, "
            f"{sum(one.cpu_s for one in said) / seconds * 3600:.0f} CPU s an hour\n"
        )
    return lines


def _said(store: ClipStore, run: Path, count: int) -> str:
    """Return some clips' words and what attention and CTC make of them."""
    clean, other = dev_sample(store)
    clips: Sequence[Clip] = [*clean[:count], *other[:count]]
    model, units = from_nothing(run.parent / "gru-units", [], seed=1)
    model.load_state_dict(load_weights(run / "last.pt")["average"])
    batches = DevSet(store, list(clips), [], units, chunk=None).batches["clean"]
    model.eval()
    with torch.inference_mode():
        return "".join(line for batch in batches for line in _lines(model, batch, units))


def _lines(model: torch.nn.Module, batch: Batch, units: PieceUnits) -> list[str]:
    heard = [decode(model, batch, units, None) for decode in (greedy_attention, greedy_ctc)]
    return [
        f'- "{text}": attention "{one}", CTC "{two}"\n'
        for text, one, two in zip(batch.texts, *heard, strict=True)
    ]


def _draw(path: Path, curve: list[dict[str, float]]) -> None:
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    steps = [row["step"] for row in curve]
    for name, about in _SETS.items():
        for mode, branch in (("", "attention"), ("_ctc", "CTC")):
            wrong = [row[name + mode] for row in curve]
            axes.plot(steps, wrong, marker="o", label=f"{about}, {branch}")
    axes.set(xlabel="step", ylabel="words wrong, %", title="GRU recogniser from scratch")
    axes.legend()
    figure.savefig(path, dpi=110)
