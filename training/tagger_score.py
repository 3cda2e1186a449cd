"""Slot F1 as conlleval counts it, and intent accuracy, from any source of scores."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edgeasr.bio import best_path, spans
from edgeasr.tagger import Scheme
from training.models.tagger import TaggerNet
from training.tagger_data import Sentence

__all__ = ["moves_of", "score_sentences"]

Scores = Callable[[Sequence[str]], tuple[Any, Any]]


def moves_of(net: TaggerNet, schemes: Mapping[str, Scheme]) -> dict[str, Any]:
    """Return each scheme's own transitions: float32 [labels, labels]."""
    ranges = {
        name: slice(scheme.first_label, scheme.first_label + len(scheme.labels))
        for name, scheme in schemes.items() if scheme.slots
    }  # fmt: skip
    return {name: net.moves.detach().numpy()[own, own] for name, own in ranges.items()}


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
