"""Which slots a tagger misses on a dev set: `python -m training.tagger_errors --data ROOT`."""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from edgeasr.bio import Span, best_path, spans
from edgeasr.bundle import Bundle
from edgeasr.tagger import Tagger
from training.tagger_data import load_corpus

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Print misses by kind of slot, what they were taken for, and the wrong sentences."""
    parser = argparse.ArgumentParser(prog="python -m training.tagger_errors", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--bundle", type=Path, default=Path("edgeasr/models/tagger-en"))
    parser.add_argument("--set", choices=("snips", "massive", "nlu"), default="snips")
    parser.add_argument("--sentences", type=int, default=20, help="to print")
    given = parser.parse_args(argv)
    tagger = Tagger(Bundle(given.bundle, kind="tagger"))
    schemes = {scheme.name: scheme for scheme in tagger.schemes}
    missed: Counter[str] = Counter()
    present: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    for one in load_corpus(given.data).dev[given.set]:
        scheme = schemes[one.scheme]
        _, labels = tagger.scores(one.words)
        own = labels[:, scheme.first_label : scheme.first_label + len(scheme.labels)]
        path = best_path(own, tagger.moves[scheme.name])
        found = spans([scheme.labels[label] for label in path])
        true = spans(one.labels or ())
        present.update(span.name for span in true)
        for span in set(true) - set(found):
            missed[span.name] += 1
            taken[f"{span.name} -> {_taken_for(span, found)}"] += 1
        if set(true) != set(found) and sum(missed.values()) <= given.sentences:
            shown = [f"{s.name}={' '.join(one.words[s.start : s.end])}" for s in found]
            print(f"{' '.join(one.words)}: {', '.join(shown)}")
    for name, count in missed.most_common():
        print(f"{name}: {count} of {present[name]} missed")
    print(*(f"{name}: {count}" for name, count in taken.most_common(15)), sep="\n")
    return 0


def _taken_for(span: Span, found: Sequence[Span]) -> str:
    over = [one for one in found if one.start < span.end and span.start < one.end]
    same = [one.name for one in over if (one.start, one.end) == (span.start, span.end)]
    kinds = same or [f"{one.name} elsewhere" for one in over] or ["nothing"]
    return " + ".join(kinds)


if __name__ == "__main__":
    raise SystemExit(main())
