"""Compare two replays, events as JSON lines: texts must be equal, numbers nearly so.

python scripts/compare_events.py ONE TWO
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

_MOST = 0.05  # of a score; times are multiples of 10 ms and must be equal within one


def _numbers(one: object, two: object, where: str) -> Iterator[tuple[float, str]]:
    """Yield differences of numbers; raise ValueError where anything else differs."""
    if isinstance(one, dict) and isinstance(two, dict) and one.keys() == two.keys():
        for key in one.keys() - {"file", "path"}:
            yield from _numbers(one[key], two[key], f"{where}.{key}")
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for number, (first, second) in enumerate(zip(one, two, strict=True)):
            yield from _numbers(first, second, f"{where}[{number}]")
    elif isinstance(one, float) and isinstance(two, float):
        yield abs(one - two), where
    elif one != two:
        raise ValueError(f"{where}: {one!r} here, {two!r} there")


def main(here: str, there: str) -> int:
    """Print the largest difference; return 1 when the replays do not agree."""
    one, two = ([json.loads(line) for line in Path(name).read_text("utf-8").splitlines()]
                for name in (here, there))  # fmt: skip
    try:
        differences = sorted(_numbers(one, two, "event"), reverse=True)
    except ValueError as error:
        print(f"the events differ: {error}")
        return 1
    texts = sum("text" in event for event in one)
    largest, where = differences[0] if differences else (0.0, "nothing")
    print(f"{len(one)} events, {texts} texts equal; largest difference of a number {largest:.4f} "
          f"({where})")  # fmt: skip
    return int(largest > _MOST or not texts)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
