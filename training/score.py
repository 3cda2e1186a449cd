"""Log probabilities of sentences: `python -m training.score "eat a pear" "eat a pair"`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from training.models.language_model import load_language_model

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Print ln P of each sentence and, per unit, of its parts."""
    parser = argparse.ArgumentParser(prog="python -m training.score", description=__doc__)
    parser.add_argument("sentence", nargs="+")
    parser.add_argument("--level", choices=("char", "word"), default="word")
    parser.add_argument("--cell", choices=("gru", "lstm"), default="lstm")
    parser.add_argument("--runs", type=Path, default=Path("runs/language-model"))
    given = parser.parse_args(argv)
    try:
        net, units = load_language_model(given.runs / f"{given.level}-{given.cell}")
    except FileNotFoundError as error:
        parser.error(str(error))
    for sentence in given.sentence:
        ids = units.encode(sentence)
        with torch.inference_mode():
            parts = net.log_p(ids)
        names = [*(units.names[i] for i in ids), units.names[0]]
        shown = " ".join(f"{name} {part:.2f}" for name, part in zip(names, parts, strict=True))
        print(f"{sum(parts):.3f}\t{sentence}\t{shown}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
