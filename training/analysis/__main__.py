"""`python -m training.analysis NAME ...` runs one study; each writes a table and a plot."""

import importlib
import sys

_STUDIES = {
    "length": "translation by source length, with and without attention",
    "beam": "translation by beam width and length normalisation",
    "errors": "which translation errors are the search's, which the model's",
    "cells": "gated, plain and long short-term memory cells compared",
    "clipping": "what an exploding gradient does to a simple RNN, and what clipping saves",
    "directions": "the tagger one way and both ways, and pairs where a later word decides",
    "wake_gate": "the trigger with and without an energy or speech gate before it",
    "wake": "a trigger with each of those cells, on real wake words",
    "gru": "the GRU recogniser from scratch by step, beside the one that ships",
    "asr": "a recogniser with each of those cells, on digits and short commands",
    "language_model": "letters and words: GRU and LSTM against an n-gram",
}


def main(argv: list[str]) -> int:
    """Dispatch to the study's module, loaded only when asked for; returns the exit status."""
    name = argv[0].replace("-", "_") if argv else ""
    if name not in _STUDIES:
        lines = [f"  {name:15} {meaning}" for name, meaning in _STUDIES.items()]
        print("usage: python -m training.analysis STUDY ...", *lines, sep="\n", file=sys.stderr)
        return 2
    study = importlib.import_module(f"training.analysis.{name}")
    status: int = study.main(argv[1:])
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
