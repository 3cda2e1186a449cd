"""Score Home Assistant's English test sentences: `python -m training.evaluation.understand`.

A sentence counts when its intent and every slot of the file are found. The templates name the
`domain` that a sentence implies also where the file leaves it out; nothing else may be added.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

from edgeasr.templates import Match, Templates
from training.evaluation.home import HOME

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures and every sentence that is told apart from the file."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluation.understand")
    parser.add_argument("--data", type=Path, required=True)
    given = parser.parse_args(argv)
    templates = Templates(HOME)
    path = given.data / "text" / "ha-intents" / "tests.en.tsv"
    sentences = intents = slots = 0
    began = time.process_time()
    for line in path.read_text("utf-8").splitlines():
        intent, _, expected, text = line.split("\t")[:4]
        match = templates.match(text)
        sentences += 1
        intents += match is not None and match.intent == intent
        if match is not None and match.intent == intent and _same(match, json.loads(expected)):
            slots += 1
        else:
            print(f"{text!r}: {intent} {expected}, not {match}")
    per = (time.process_time() - began) / sentences * 1e3
    print(f"{sentences} sentences: intents {intents}, with all slots {slots}, {per:.1f} ms each")
    return 0


def _same(match: Match, expected: dict[str, object]) -> bool:
    found = {slot.name: slot.value for slot in match.slots}
    equal = all(
        str(found.get(name)).lower() == str(value).lower() for name, value in expected.items()
    )
    return equal and set(found) - set(expected) <= {"domain"}


if __name__ == "__main__":
    raise SystemExit(main())
