"""New sentences from labelled ones: other values in the same slots, figures in words.

Swapping values of one kind teaches where a title ends whatever its words are; recognisers write
"seven" where the published sentences have "7".
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgeasr.bio import spans
from training.tagger_data import Sentence
from training.translator_forms import number_words

__all__ = ["Augmenter", "Values", "read_values"]

Values = Mapping[tuple[str, str], Sequence[tuple[str, ...]]]
"""Words by scheme and kind of slot"""

_SPELLED = {str(value): tuple(number_words(value).split()) for value in range(100)}


class Augmenter:
    """Draws variants; values come from the training sentences of the same scheme, or further ones.

    Of kinds with further values, every second value drawn is one of these.
    """

    def __init__(
        self, sentences: Sequence[Sentence], *, swap: float = 0.4, spell: float = 0.3,
        further: Values | None = None,
    ) -> None:  # fmt: skip
        """Vary a share `swap` of the sentences, half their slots each; spell a share `spell`."""
        self._swap, self._spell = swap, spell
        self._further = further or {}
        self._values: dict[tuple[str, str], list[tuple[str, ...]]] = defaultdict(list)
        for one in sentences:
            for span in spans(one.labels or ()):
                self._values[one.scheme, span.name].append(one.words[span.start : span.end])

    def vary(self, sentence: Sentence, random: Any) -> Sentence:  # noqa: ANN401 - numpy's Generator
        """Return the sentence or a variant of it."""
        if sentence.labels is not None and random.random() < self._swap:
            sentence = self._swapped(sentence, random)
        return _spelled(sentence) if random.random() < self._spell else sentence

    def _swapped(self, sentence: Sentence, random: Any) -> Sentence:  # noqa: ANN401
        assert sentence.labels is not None
        words: list[str] = []
        labels: list[str] = []
        position = 0
        for span in spans(sentence.labels):
            words += sentence.words[position : span.start]
            labels += sentence.labels[position : span.start]
            value = sentence.words[span.start : span.end]
            if random.random() < 0.5:
                kind = sentence.scheme, span.name
                others: Sequence[tuple[str, ...]] = self._values[kind]
                if kind in self._further and random.random() < 0.5:
                    others = self._further[kind]
                value = others[random.integers(len(others))]
            words += value
            labels += [f"B-{span.name}", *[f"I-{span.name}"] * (len(value) - 1)]
            position = span.end
        words += sentence.words[position:]
        labels += sentence.labels[position:]
        return Sentence(tuple(words), sentence.scheme, sentence.intent, tuple(labels))


def read_values(path: Path) -> Values:
    """Return the values in a file of lines scheme, kind and value, parted by tabs."""
    found: dict[tuple[str, str], list[tuple[str, ...]]] = defaultdict(list)
    for line in path.read_text("utf-8").splitlines():
        scheme, kind, value = line.split("\t")
        found[scheme, kind].append(tuple(value.split()))
    return dict(found)


def _spelled(sentence: Sentence) -> Sentence:
    """Return the sentence with all figures below 100 in words."""
    words: list[str] = []
    labels: list[str] = []
    for word, label in zip(sentence.words, sentence.labels or sentence.words, strict=True):
        spelled = _SPELLED.get(word, (word,))
        words += spelled
        labels += [label, *[label.replace("B-", "I-", 1)] * (len(spelled) - 1)]
    own = None if sentence.labels is None else tuple(labels)
    return Sentence(tuple(words), sentence.scheme, sentence.intent, own)
