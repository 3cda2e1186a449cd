"""Batches of the tagger: sentences of one scheme and one length, varied anew in each epoch.

So no padding is computed, none must be masked, and one scheme's transitions serve a batch.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from edgeasr.tagger import Encoder, Scheme
from training.tagger_data import Sentence

__all__ = ["IGNORED", "Batch", "Epochs", "Varies"]

IGNORED = -100
"""Target of an intent that is not annotated"""


@dataclass(frozen=True)
class Batch:
    """Inputs as of TaggerNet; targets int64 [b] and [b, n] within the scheme, or none."""

    scheme: Scheme
    words: Tensor
    letters: Tensor
    intents: Tensor
    labels: Tensor | None
    taught_intents: Tensor | None = None
    """A teacher's logits of the scheme's intents, float32 [b, k]"""
    taught_labels: Tensor | None = None
    """A teacher's probabilities of the scheme's labels, float32 [b, n, k]"""


class Varies(Protocol):
    """What gives a variant of a sentence, or the sentence itself."""

    def vary(self, sentence: Sentence, random: Any) -> Sentence:  # noqa: ANN401 - a Generator
        """Return a variant drawn with numpy's Generator `random`."""
        ...


class Epochs:
    """Every epoch holds all sentences of the first scheme, and `share` of the others."""

    def __init__(
        self, sentences: Sequence[Sentence], encoder: Encoder, schemes: Mapping[str, Scheme],
        *, batch: int, seed: int, share: float = 1.0, augmenter: Varies | None = None,
    ) -> None:  # fmt: skip
        self._sentences, self._encoder, self._schemes = sentences, encoder, schemes
        self._batch, self._seed, self._share = batch, seed, share
        self._augmenter = augmenter

    def epoch(self, number: int) -> list[Batch]:
        """Return the batches of one epoch in the order to train; a function of the seed."""
        random = np.random.default_rng([self._seed, number])
        groups: dict[tuple[str, bool, bool, int], list[Sentence]] = defaultdict(list)
        first = next(iter(self._schemes))
        for index in random.permutation(len(self._sentences)):
            one = self._sentences[index]
            if one.scheme != first and random.random() >= self._share:
                continue
            if self._augmenter is not None:
                one = self._augmenter.vary(one, random)
            kind = one.scheme, one.labels is None, one.said is None, len(one.words)
            groups[kind].append(one)
        batches = [
            self._encode(rows[i : i + self._batch])
            for rows in groups.values() for i in range(0, len(rows), self._batch)
        ]  # fmt: skip
        return [batches[i] for i in random.permutation(len(batches))]

    def _encode(self, sentences: Sequence[Sentence]) -> Batch:
        scheme = self._schemes[sentences[0].scheme]
        inputs = [self._encoder.encode(one.words) for one in sentences]
        intents = [
            IGNORED if one.intent is None
            else scheme.first_intent + scheme.intents.index(one.intent)
            for one in sentences
        ]  # fmt: skip
        known = {label: index for index, label in enumerate(scheme.labels)}
        labels = [[known.get(x, 0) for x in one.labels] for one in sentences if one.labels]
        words, letters = (_stack([row[i] for row in inputs]) for i in (0, 1))
        targets = torch.tensor(labels) if labels else None
        return Batch(scheme, words, letters, torch.tensor(intents), targets, *_taught(sentences))


def _taught(sentences: Sequence[Sentence]) -> tuple[Tensor | None, Tensor | None]:
    said = [one.said for one in sentences if one.said is not None]
    if not said:
        return None, None
    intents, labels = _stack([one.intents for one in said]), _stack([one.labels for one in said])
    return intents.float(), labels.float().softmax(dim=2)


def _stack(rows: Sequence[Any]) -> Tensor:
    return torch.from_numpy(np.stack(rows))
