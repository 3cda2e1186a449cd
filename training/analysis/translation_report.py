"""What the translator's studies share: dev sentences, the options, tables and plots."""

import argparse
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sacrebleu
from matplotlib.figure import Figure

from edgeasr.bundle import MODELS_FOLDER, Bundle
from edgeasr.translator import Translator
from training.translator_data import read_tatoeba, split_of
from training.translator_forms import spoken_form

__all__ = ["Curve", "bleu", "dev_sentences", "draw", "open_translator", "parser", "write_table"]


@dataclass(frozen=True)
class Curve:
    """One line of a plot."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


def parser(name: str, *, sentences: int) -> argparse.ArgumentParser:
    """Return a parser with the options of every study."""
    options = argparse.ArgumentParser(prog=f"python -m training.analysis {name}")
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--pair", default="en-fr", help="en-fr, en-de or en-es")
    options.add_argument("--bundle", type=Path, help="default: the shipped one of the pair")
    options.add_argument("--sentences", type=int, default=sentences)
    options.add_argument("--out", type=Path, default=Path("docs/analysis"))
    return options


def open_translator(options: argparse.Namespace) -> Translator:
    """Return the translator that the options name."""
    folder = options.bundle or MODELS_FOLDER / f"translator-{options.pair}"
    return Translator(Bundle(folder, kind="translator"))


def dev_sentences(root: Path, language: str, count: int) -> list[tuple[str, str]]:
    """Return sources as recognised and their references, of Tatoeba's dev split."""
    rows = {
        pair.english: pair.other
        for pair in read_tatoeba(root, language)
        if split_of(pair.english) == "dev"
    }
    chosen = random.Random(1).sample(sorted(rows.items()), min(count, len(rows)))
    return [(spoken_form(english), other) for english, other in chosen]


def bleu(found: Sequence[str], references: Sequence[str]) -> float:
    """Return corpus BLEU with sacreBLEU's defaults."""
    return float(sacrebleu.corpus_bleu(list(found), [list(references)]).score)


def write_table(path: Path, title: str, notes: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Write a Markdown page of one table and print it."""
    names = list(rows[0])
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(_cell(row[name]) for name in names) for row in rows]
    text = f"# {title}\n\n{notes}\n\n" + "".join(f"| {line} |\n" for line in lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(text)


def _cell(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) and value < 1 else (
        f"{value:.1f}" if isinstance(value, float) else str(value)
    )  # fmt: skip


def draw(path: Path, curves: Sequence[Curve], *, x: str, y: str, log_x: bool = False) -> None:
    """Write a line plot as PNG."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for curve in curves:
        axes.plot(curve.x, curve.y, marker="o", label=curve.name)
    if log_x:
        axes.set_xscale("log")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
