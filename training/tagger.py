"""Train the tagger: `python -m training.tagger --data ROOT --run runs/tagger`.

With `--vectors FILE` words that no training sentence has get vectors that others trained; with
`--taught FILE` a larger network teaches too (tagger_teacher.py).
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from edgeasr.tagger import encoder_of, read_schemes
from training.loop import LoopConfig, load_weights, train
from training.models.crf import path_loss, taught_path_loss
from training.models.tagger import TaggerNet, TaggerSize
from training.tagger_augment import Augmenter, read_values
from training.tagger_batches import IGNORED, Batch, Epochs, Varies
from training.tagger_data import Corpus, Sentence, load_corpus, tables_of
from training.tagger_score import moves_of, score_sentences
from training.tagger_targets import Lessons, read_lessons
from training.tagger_vectors import add_vectors

__all__ = ["TaggerTask", "main", "size_of"]

_BATCH = 128
_TEMPERATURE = 2.0
"""What a teacher's logits are divided by, so that rare intents count (Hinton et al. 2015)"""


class TaggerTask:
    """Joint training on all schemes; `score` is minus the mean of the dev figures."""

    def __init__(
        self, corpus: Corpus, tables: dict[str, Any], *, seed: int = 1, rate: float = 2e-3,
        share: float = 1.0, augmenter: Varies | None = None, trust: float = 0.7,
        **sizes: Any,  # noqa: ANN401
    ) -> None:  # fmt: skip
        """Vary with `augmenter`; what it brings of a teacher's weighs `trust`, 0 to 1."""
        torch.manual_seed(seed)
        self._rate, self._trust = rate, trust
        self._dev = corpus.dev
        self._encoder = encoder_of(tables)
        self.schemes = {scheme.name: scheme for scheme in read_schemes(tables["schemes"])}
        self.tables = tables
        self.model = TaggerNet(size_of(tables, **sizes))
        self._epochs = Epochs(
            corpus.train, self._encoder, self.schemes, batch=_BATCH, seed=seed, share=share,
            augmenter=augmenter,
        )  # fmt: skip
        self._ready: tuple[int, list[Batch]] = (0, self._epochs.epoch(0))
        self.steps_per_epoch = len(self._ready[1])
        """Batches of the first epoch; others may have a few more or fewer"""

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Decay what multiplies, not the embeddings."""
        tables = [*self.model.words.parameters(), *self.model.letters.parameters()]
        known = {id(one) for one in tables}
        rest = [one for one in self.model.parameters() if id(one) not in known]
        return [
            {"params": tables, "lr": self._rate, "weight_decay": 0.0},
            {"params": rest, "lr": self._rate, "weight_decay": 0.02},
        ]

    def batch(self, step: int, *, rank: int, world: int) -> Batch:
        """Return batch `step`: every epoch is drawn anew from the seed."""
        epoch, position = divmod(step, self.steps_per_epoch)
        if self._ready[0] != epoch:
            self._ready = (epoch, self._epochs.epoch(epoch))
        whole = self._ready[1][position % len(self._ready[1])]
        if world == 1:
            return whole
        parts = (
            whole.words, whole.letters, whole.intents, whole.labels, whole.taught_intents,
            whole.taught_labels,
        )  # fmt: skip
        mine = (None if part is None else part[rank::world] for part in parts)
        return Batch(whole.scheme, *mine)  # type: ignore[arg-type]

    def loss(self, batch: Batch, *, step: int) -> tuple[Tensor, dict[str, float]]:  # noqa: ARG002
        """Return the intents' cross-entropy plus that of the label path within the scheme."""
        intents, labels = self.model(batch.words, batch.letters)
        of_intents = self._of_intents(intents, batch)
        if batch.labels is None:
            return 0.5 * of_intents, {"intents": float(of_intents.detach())}
        of_labels = self._of_labels(labels, batch, batch.labels)
        parts = {"labels": float(of_labels.detach()), "intents": float(of_intents.detach())}
        return 3 * of_labels + 0.5 * of_intents, parts

    def _of_intents(self, intents: Tensor, batch: Batch) -> Tensor:
        known = (batch.intents != IGNORED).sum().clamp(min=1)
        annotated = nn.functional.cross_entropy(
            intents, batch.intents, ignore_index=IGNORED, reduction="sum", label_smoothing=0.05,
        ) / known  # fmt: skip
        if batch.taught_intents is None:
            return annotated
        first, count = batch.scheme.first_intent, len(batch.scheme.intents)
        logs = (intents / _TEMPERATURE).log_softmax(dim=1)[:, first : first + count]
        shares = (batch.taught_intents / _TEMPERATURE).softmax(dim=1)
        taught = -(shares * logs).sum(dim=1).mean() * _TEMPERATURE**2
        return annotated.lerp(taught, self._trust)

    def _of_labels(self, labels: Tensor, batch: Batch, annotated: Tensor) -> Tensor:
        first, count = batch.scheme.first_label, len(batch.scheme.labels)
        own = slice(first, first + count)
        scores, moves = labels[:, :, own], self.model.moves[own, own]
        if batch.taught_labels is None:
            return path_loss(scores, annotated, moves) / annotated.numel()
        certain = nn.functional.one_hot(annotated, count).float()
        shares = certain.lerp(batch.taught_labels, self._trust)
        return taught_path_loss(scores, shares, moves) / annotated.numel()

    def evaluate(self) -> dict[str, float]:
        """Return F1 and intent accuracy on the dev sets."""
        figures: dict[str, float] = {}
        moves = moves_of(self.model, self.schemes)
        for name, sentences in self._dev.items():
            scores = self.scores(sentences).__getitem__
            for figure, value in score_sentences(sentences, scores, self.schemes, moves).items():
                figures[f"{name}_{figure}"] = round(value, 2)
        figures["score"] = -figures["snips_f1"] - figures["massive_f1"] / 2
        return figures

    def scores(self, sentences: Sequence[Sentence]) -> dict[Sequence[str], tuple[Any, Any]]:
        """Return the logits by words: float32 [intents] and [n, labels]."""
        by_length = defaultdict(list)
        for words in {one.words for one in sentences}:
            by_length[len(words)].append(words)
        found: dict[Sequence[str], tuple[Any, Any]] = {}
        for group in by_length.values():
            inputs = zip(*(self._encoder.encode(words) for words in group), strict=True)
            outputs = self.model(*(torch.from_numpy(np.stack(part)) for part in inputs))
            found |= zip(group, zip(*(part.numpy() for part in outputs), strict=True), strict=True)
        return found


def size_of(tables: dict[str, Any], **sizes: Any) -> TaggerSize:  # noqa: ANN401
    """Return the network's sizes for these tables."""
    schemes = tables["schemes"]
    return TaggerSize(
        words=len(tables["words"]) + 2,
        letters=len(tables["letters"]) + 2,
        intents=sum(len(one["intents"]) for one in schemes),
        labels=sum(2 * len(one["slots"]) + 1 for one in schemes if one["slots"]),
        **sizes,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Train and keep the weights that are best on dev."""
    given = _options(argv)
    corpus = load_corpus(given.data)
    tables = tables_of(corpus.train)
    sizes: dict[str, Any] = {"hidden": given.hidden, "bidirectional": not given.one_way}
    vectors = None
    if given.start is not None:  # with the words that it knows
        tables = json.loads((given.start / "tables.json").read_text("utf-8"))
        before = json.loads((given.start / "size.json").read_text("utf-8"))
        sizes |= {name: before[name] for name in ("vectors", "vector_width")}
    elif given.vectors is not None:
        vectors = torch.from_numpy(add_vectors(tables, given.vectors, most=given.most_words))
        sizes |= {"vectors": vectors.shape[0], "vector_width": 2 * vectors.shape[1]}
    task = TaggerTask(
        corpus, tables, seed=given.seed, rate=given.rate, share=given.share,
        augmenter=_augmenter(corpus, tables, given), trust=given.trust, **sizes,
    )  # fmt: skip
    if vectors is not None:
        task.model.vectors.copy_(vectors)
    if given.start is not None:
        task.model.load_state_dict(load_weights(given.start / "best.pt")["model"])
    given.run.mkdir(parents=True, exist_ok=True)
    (given.run / "tables.json").write_text(json.dumps(tables, ensure_ascii=False), "utf-8")
    (given.run / "size.json").write_text(json.dumps(asdict(task.model.size)), "utf-8")
    config = LoopConfig(
        run=given.run, steps=given.epochs * task.steps_per_epoch, warmup_steps=150,
        final_rate=0.02, clip_norm=5.0, evaluate_every=2 * task.steps_per_epoch,
        average_decay=0.998, seed=given.seed, threads=given.threads,
    )  # fmt: skip
    print(train(task, config))
    return 0


def _augmenter(corpus: Corpus, tables: dict[str, Any], given: argparse.Namespace) -> Varies:
    further = None if given.values is None else read_values(given.values)
    augmenter = Augmenter(corpus.train, further=further)
    if given.taught is None:
        return augmenter
    return Lessons(read_lessons(given.taught, read_schemes(tables["schemes"])[0]), augmenter)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.tagger", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds text/")
    parser.add_argument("--run", type=Path, default=Path("runs/tagger"))
    parser.add_argument("--vectors", type=Path, help="word vectors as text, e.g. glove.6B.50d.txt")
    parser.add_argument("--most-words", type=int, default=100_000, help="that come from there")
    parser.add_argument("--values", type=Path, help="further slot values, see tagger_places.py")
    parser.add_argument("--taught", type=Path, help="what a teacher says, see tagger_targets.py")
    parser.add_argument("--trust", type=float, default=0.7, help="in the teacher, 0 to 1")
    parser.add_argument("--start", type=Path, help="run whose best weights are the first ones")
    parser.add_argument("--share", type=float, default=1.0, help="an epoch, of all but SNIPS")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--epochs", type=int, default=13)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--one-way", action="store_true", help="unidirectional, to compare")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args(argv)


if __name__ == "__main__":
    raise SystemExit(main())
