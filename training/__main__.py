"""`python -m training RECIPE ...`: run one recipe; each tells its arguments with `--help`."""

import sys
from importlib import import_module

__all__ = ["RECIPES", "main"]

RECIPES = (
    "recogniser",
    "recogniser_finish",
    "recogniser_lm",
    "recogniser_reexport",
    "recogniser_synthetic",
    "recordings",
    "synthesis",
    "tagger",
    "translator",
    "wake",
    "wake_card",
    "wake_phones",
    "wake_second",
)


def main(argv: list[str]) -> int:
    """Hand the arguments to the recipe that the first one names."""
    if not argv or argv[0] not in RECIPES:
        print(f"usage: python -m training {{{','.join(RECIPES)}}} ...", file=sys.stderr)
        return 2
    status: int = import_module(f"training.{argv[0]}").main(argv[1:])
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
