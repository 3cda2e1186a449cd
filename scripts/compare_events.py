"""Compare two replays, events as JSON lines: the same words, and how far the numbers differ.

Partials are left out: they are guesses, and no two processors round alike.

    python scripts/compare_events.py ONE TWO
"""

import json
import sys
from pathlib import Path
from typing import Any

_WORDS = ("event", "word", "text", "reason", "language")


def _events(name: str) -> list[dict[str, Any]]:
    lines = Path(name).read_text("utf-8").splitlines()
    return [event for event in map(json.loads, lines) if event["event"] != "partial"]


def main(here: str, there: str) -> int:
    """Print what differs; return 1 when words do."""
    one, two = _events(here), _events(there)
    if not one or len(one) != len(two):
        print(f"{len(one)} events here, {len(two)} there")
        return 1
    differ, most = 0, {"at_s": 0.0, "score": 0.0, "confidence": 0.0}
    for first, second in zip(one, two, strict=True):
        for key in _WORDS:
            if first.get(key) != second.get(key):
                differ += 1
                print(f"{first['event']}.{key}: {first.get(key)!r} here, {second.get(key)!r} there")
        for key in most.keys() & first.keys() & second.keys():
            most[key] = max(most[key], abs(first[key] - second[key]))
    print(f"{len(one)} events; {differ} words or texts differ; at most "
          + ", ".join(f"{key} by {most[key]:.3f}" for key in most))  # fmt: skip
    return int(differ > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
