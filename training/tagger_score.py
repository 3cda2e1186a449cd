"""Slot F1 as conlleval counts it, and intent accuracy, from any source of scores.

`python -m training.tagger_score --data ROOT` prints those of a bundle.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from edgeasr.bio import best_path, spans
from edgeasr.bundle import Bundle
from edgeasr.tagger import Scheme, Tagger
from training.models.tagger import TaggerNet
from training.tagger_data import Corpus, Sentence, load_corpus

__all__ = ["main", "moves_of", "print_scores", "score_sentences"]

Scores = Callable[[Sequence[str]], tuple[Any, Any]]


def moves_of(net: TaggerNet, schemes: Mapping[str, Scheme]) -> dict[str, Any]:
    """Return each scheme's own transitions: float32 [labels, labels]."""
    ranges = {
        name: slice(scheme.first_label, scheme.first_label + len(scheme.labels))
        for name, scheme in schemes.items() if scheme.slots
    }  # fmt: skip
    return {name: net.moves.detach().numpy()[own, own] for name, own in ranges.items()}


def print_scores(tagger: Tagger, corpus: Corpus, *, test: bool) -> None:
    """Print the figures of a bundle on the dev sets, and on the test sets if asked."""
    schemes = {scheme.name: scheme for scheme in tagger.schemes}
    parts = {"dev": corpus.dev, **({"test": corpus.test} if test else {})}
    for part, sets in parts.items():
        for name, sentences in sets.items():
            began = time.process_time()
            figures = score_sentences(sentences, tagger.scores, schemes, tagger.moves)
            per = (time.process_time() - began) / len(sentences) * 1e3
            shown = "  ".join(f"{key} {value:.2f}" for key, value in figures.items())
            print(f"{part} {name} ({len(sentences)}): {shown}  {per:.2f} ms a sentence")


def score_sentences(
    sentences: Sequence[Sentence], scores: Scores, schemes: Mapping[str, Scheme],
    moves: Mapping[str, Any],
) -> dict[str, float]:  # fmt: skip
    """Return percentages: `f1` of exact spans, `intent` and whole-`sentence` accuracy.

    The scheme is taken as known, as the published figures on these sets do.
    """
    right = found = true = intents_right = intents = whole = 0
    for one in sentences:
        scheme = schemes[one.scheme]
        intent_logits, label_logits = scores(one.words)
        guess = _intent(intent_logits, one, schemes)
        good = one.intent in (None, guess)
        if one.intent is not None:
            intents += 1
            intents_right += good
        if one.labels is None:
            continue
        own = label_logits[:, scheme.first_label : scheme.first_label + len(scheme.labels)]
        path = best_path(own, moves[scheme.name])
        hypothesis = set(spans([scheme.labels[label] for label in path]))
        reference = set(spans(one.labels))
        right += len(hypothesis & reference)
        found += len(hypothesis)
        true += len(reference)
        whole += good and hypothesis == reference
    result = {}
    if true:
        result["f1"] = 200 * right / max(1, found + true)
        result["sentence"] = 100 * whole / len(sentences)
    if intents:
        result["intent"] = 100 * intents_right / intents
    return result


def _intent(logits: Any, sentence: Sentence, schemes: Mapping[str, Scheme]) -> str:  # noqa: ANN401
    """Return the best intent: of the own scheme, or of all for sentences that are no command."""
    names = [name for scheme in schemes.values() for name in scheme.intents]
    scheme = schemes[sentence.scheme]
    if not scheme.slots:
        return names[int(logits.argmax())]
    first, last = scheme.first_intent, scheme.first_intent + len(scheme.intents)
    return names[first + int(logits[first:last].argmax())]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures of a bundle."""
    parser = argparse.ArgumentParser(prog="python -m training.tagger_score", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--bundle", type=Path, default=Path("edgeasr/models/tagger-en"))
    parser.add_argument("--test", action="store_true", help="score the test sets as well")
    given = parser.parse_args(argv)
    tagger = Tagger(Bundle(given.bundle, kind="tagger"))
    print_scores(tagger, load_corpus(given.data), test=given.test)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
