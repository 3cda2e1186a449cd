"""Train the tagger: `python -m training.tagger --data ROOT --run runs/tagger --out FOLDER`.

Batches hold sentences of one length, so that no padding is computed and none must be masked.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from edgeasr.tagger import Scheme
from training.loop import LoopConfig, train
from training.models.tagger import TaggerNet, TaggerSize
from training.tagger_data import Corpus, Sentence, encoder_of, load_corpus, tables_of
from training.tagger_score import score_sentences

__all__ = ["TaggerTask", "main", "size_of"]

BATCH = 128
_IGNORED = -100


@dataclass(frozen=True)
class _Batch:
    words: Tensor
    letters: Tensor
    intents: Tensor
    labels: Tensor
    schemes: Tensor


class TaggerTask:
    """Joint training on all schemes; `score` is minus the mean of the dev figures."""

    def __init__(
        self, corpus: Corpus, tables: dict[str, Any], *, seed: int = 1, rate: float = 3e-3,
        **sizes: Any,  # noqa: ANN401 - passed on to TaggerSize
    ) -> None:
        torch.manual_seed(seed)
        self._seed, self._rate = seed, rate
        self._dev = corpus.dev
        self._encoder, self.schemes = encoder_of(tables)
        self.tables = tables
        self.model = TaggerNet(size_of(tables, **sizes))
        self._masks = _label_masks(tuple(self.schemes.values()), self.model.size.labels)
        self._by_length = self._encode(corpus.train)
        self._order: tuple[int, list[tuple[int, Any]]] = (-1, [])

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Decay what multiplies, not the embeddings."""
        tables = [*self.model.words.parameters(), *self.model.letters.parameters()]
        known = {id(one) for one in tables}
        rest = [one for one in self.model.parameters() if id(one) not in known]
        return [
            {"params": tables, "lr": self._rate, "weight_decay": 0.0},
            {"params": rest, "lr": self._rate, "weight_decay": 0.02},
        ]

    @property
    def steps_per_epoch(self) -> int:
        """Batches that hold every sentence once."""
        return sum(-(-len(rows.intents) // BATCH) for rows in self._by_length.values())

    def batch(self, step: int, *, rank: int, world: int) -> _Batch:
        """Return batch `step`: every epoch is a new order drawn from the seed."""
        epoch, position = divmod(step, self.steps_per_epoch)
        if self._order[0] != epoch:
            self._order = (epoch, self._shuffle(epoch))
        length, chosen = self._order[1][position]
        rows, chosen = self._by_length[length], chosen[rank::world]
        return _Batch(*(one[chosen] for one in vars(rows).values()))

    def loss(self, batch: _Batch, *, step: int) -> tuple[Tensor, dict[str, float]]:  # noqa: ARG002
        """Return the cross-entropy of intents plus that of labels within each own scheme."""
        intents, labels = self.model(batch.words, batch.letters)
        own = labels.float() + self._masks[batch.schemes][:, None]
        of_labels = nn.functional.cross_entropy(
            own.flatten(0, 1), batch.labels.flatten(), ignore_index=_IGNORED, reduction="sum"
        )
        of_labels = of_labels / (batch.labels != _IGNORED).sum().clamp(min=1)
        of_intents = nn.functional.cross_entropy(
            intents.float(), batch.intents, ignore_index=_IGNORED, reduction="sum",
            label_smoothing=0.05,
        )  # fmt: skip
        of_intents = of_intents / (batch.intents != _IGNORED).sum().clamp(min=1)
        parts = {"labels": float(of_labels.detach()), "intents": float(of_intents.detach())}
        return 3 * of_labels + 0.5 * of_intents, parts

    def evaluate(self) -> dict[str, float]:
        """Return F1 and intent accuracy on the dev sets."""
        figures: dict[str, float] = {}
        for name, sentences in self._dev.items():
            for figure, value in self._score(sentences).items():
                figures[f"{name}_{figure}"] = round(value, 2)
        figures["score"] = -figures["snips_f1"] - figures["massive_f1"] / 2
        return figures

    def _score(self, sentences: Sequence[Sentence]) -> dict[str, float]:
        def scores(words: Sequence[str]) -> tuple[Any, Any]:
            ids, letters = self._encoder.encode(words)
            found = self.model(torch.from_numpy(ids)[None], torch.from_numpy(letters)[None])
            return found[0][0].float().numpy(), found[1][0].float().numpy()

        return score_sentences(sentences, scores, self.schemes)

    def _encode(self, sentences: Sequence[Sentence]) -> dict[int, _Batch]:
        names = list(self.schemes)
        groups: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        for one in sentences:
            scheme = self.schemes[one.scheme]
            ids, letters = self._encoder.encode(one.words)
            intent = _IGNORED
            if one.intent is not None:
                intent = scheme.first_intent + scheme.intents.index(one.intent)
            row = (ids, letters, intent, _labels(one, scheme), names.index(one.scheme))
            groups[len(ids)].append(row)
        return {length: _stack(rows) for length, rows in groups.items()}

    def _shuffle(self, epoch: int) -> list[tuple[int, Any]]:
        random = np.random.default_rng([self._seed, epoch])
        batches = []
        for length, rows in self._by_length.items():
            order = random.permutation(len(rows.intents))
            batches += [(length, order[i : i + BATCH]) for i in range(0, len(order), BATCH)]
        random.shuffle(batches)
        return batches


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


def _stack(rows: Sequence[tuple[Any, ...]]) -> _Batch:
    return _Batch(*(torch.from_numpy(np.array(column)) for column in zip(*rows, strict=True)))


def _labels(sentence: Sentence, scheme: Scheme) -> Any:  # noqa: ANN401 - int64 [words]
    if sentence.labels is None:
        return np.full(len(sentence.words), _IGNORED, np.int64)
    known = {label: index for index, label in enumerate(scheme.labels)}
    return np.array([scheme.first_label + known.get(label, 0) for label in sentence.labels])


def _label_masks(schemes: Sequence[Scheme], labels: int) -> Tensor:
    """Return float32 [schemes, labels]: 0 for a scheme's own labels, else very low."""
    masks = torch.full((len(schemes), labels), -1e4)
    for row, scheme in enumerate(schemes):
        masks[row, scheme.first_label : scheme.first_label + len(scheme.labels)] = 0
    return masks


def main(argv: Sequence[str] | None = None) -> int:
    """Train, then export and score on the test sets once."""
    parser = argparse.ArgumentParser(prog="python -m training.tagger", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds text/")
    parser.add_argument("--run", type=Path, default=Path("runs/tagger"))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hidden", type=int, default=112)
    parser.add_argument("--one-way", action="store_true", help="unidirectional, to compare")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args(argv)
    corpus = load_corpus(given.data)
    tables = tables_of(corpus.train)
    task = TaggerTask(
        corpus, tables, seed=given.seed, hidden=given.hidden, bidirectional=not given.one_way
    )
    given.run.mkdir(parents=True, exist_ok=True)
    (given.run / "tables.json").write_text(json.dumps(tables, ensure_ascii=False), "utf-8")
    (given.run / "size.json").write_text(json.dumps(asdict(task.model.size)), "utf-8")
    steps = given.epochs * task.steps_per_epoch
    config = LoopConfig(
        run=given.run, steps=steps, warmup_steps=150, final_rate=0.02, clip_norm=5.0,
        evaluate_every=2 * task.steps_per_epoch, average_decay=0.996, seed=given.seed,
        threads=given.threads,
    )  # fmt: skip
    print(train(task, config))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
