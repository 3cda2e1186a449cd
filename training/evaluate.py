"""`python -m training.evaluate MEASURE --data ROOT`: measure a shipped bundle."""

import sys
from importlib import import_module

__all__ = ["main"]

MEASURES = (
    "asr",
    "hints",
    "homophones",
    "pipeline",
    "spoken",
    "translate",
    "wake",
    "wake_hours",
    "wake_peers",
)


def main(argv: list[str]) -> int:
    """Hand the arguments to the measure that the first one names."""
    if not argv or argv[0] not in MEASURES:
        print(f"usage: python -m training.evaluate {{{','.join(MEASURES)}}} ...", file=sys.stderr)
        return 2
    status: int = import_module(f"training.evaluation.{argv[0]}").main(argv[1:])
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
