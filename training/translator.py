"""Recipe of the translators: `python -m training translator --pair en-fr --data ROOT`.

Two stages of the one loop: `general` on Tatoeba, then `mixed`, where commands come in. A second
pair of the same source language may start from the weights of the first (`--transfer-from`). Both
kinds of start take a checkpoint or a shipped bundle's folder, whose sub-words are then kept.
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.loop import LoopConfig, fast_autocast, load_weights, train
from training.models.translator import TranslatorConfig, TranslatorNet
from training.translator_batches import PAD, Batch, Direction, Epoch
from training.translator_corpus import corpus, prepare_pieces
from training.translator_data import Pair
from training.translator_export import export_bundle
from training.translator_restore import bundle_languages, bundle_pieces, bundle_weights

__all__ = ["TranslatorTask", "main", "new_net"]

LABEL_SMOOTHING = 0.1


class TranslatorTask:
    """What the loop needs: batches by step, smoothed cross-entropy, dev loss."""

    def __init__(
        self,
        model: TranslatorNet,
        direction: Direction,
        corpora: dict[str, list[Pair]],
        *,
        seed: int,
        tokens: int = 2500,
        rate: float = 1.2e-3,
        sampled: int = 0,
    ) -> None:
        """Take `corpora` with train, dev (general sentences) and dev_commands."""
        self.model: nn.Module = model
        self._net, self._direction, self._seed, self._tokens = model, direction, seed, tokens
        self._rate, self._sampled = rate, sampled
        self._pairs = corpora["train"]
        self._dev = {
            name: Epoch(direction, corpora[name], seed=7)
            for name in ("dev", "dev_commands")
            if corpora[name]
        }
        self._first, self._epoch = 0, self._draw(0)

    def _draw(self, number: int) -> Epoch:
        self._number = number
        seed = self._seed * 1000 + number
        return Epoch(self._direction, self._pairs, seed=seed, tokens=self._tokens)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return one group; sizes this small want no weight decay."""
        return [{"params": list(self.model.parameters()), "lr": self._rate, "weight_decay": 0.0}]

    def batch(self, step: int, *, rank: int, world: int) -> Batch:
        """Return batch number `step` of the endless sequence of passes."""
        while step >= self._first + len(self._epoch):
            self._first += len(self._epoch)
            self._epoch = self._draw(self._number + 1)
        batch = self._epoch[step - self._first]
        return Batch(batch.source[rank::world], batch.target[rank::world])

    def loss(self, batch: Batch, *, step: int) -> tuple[Tensor, dict[str, float]]:  # noqa: ARG002
        """Return the smoothed cross-entropy per target piece.

        With `sampled`, the softmax runs over the batch's own pieces and so many others, drawn
        evenly, each of which stands for its share of the rest (Bengio and Senecal 2008; Jean et
        al. 2015): a third of a step's time otherwise goes into pieces that occur in no sentence.
        """
        encoded = self._net.encode(batch.source)
        features, _, _ = self._net.read(batch.target[:, :-1], encoded, encoded.state)
        answers = batch.target[:, 1:]
        features, answers = features[answers != PAD], answers[answers != PAD]
        if not self._sampled:
            return F.cross_entropy(
                self._net.scores(features), answers, label_smoothing=LABEL_SMOOTHING
            ), {}
        own, answers = torch.unique(answers, return_inverse=True)
        rest = torch.ones(self._net.config.target_pieces, dtype=torch.bool)
        rest[own] = False
        others = rest.nonzero().flatten()
        drawn = others[torch.randperm(len(others))[: self._sampled]]
        logits = self._net.scores(features, torch.cat([own, drawn]))
        weight = math.log(len(others) / max(1, len(drawn)))
        logits = logits + torch.cat([torch.zeros(len(own)), torch.full((len(drawn),), weight)])
        return F.cross_entropy(logits, answers, label_smoothing=LABEL_SMOOTHING), {}

    def evaluate(self) -> dict[str, float]:
        """Return nats per piece on each dev set; the score is their mean."""
        figures = {}
        for name, epoch in self._dev.items():
            nats, pieces = 0.0, 0
            for index in range(len(epoch)):
                batch = epoch[index]
                with fast_autocast(wanted=True):
                    logits = self._net(batch.source, batch.target[:, :-1])
                answers = batch.target[:, 1:].flatten()
                nats += float(F.cross_entropy(
                    logits.flatten(0, 1).float(), answers, ignore_index=PAD, reduction="sum"
                ))  # fmt: skip
                pieces += int((answers != PAD).sum())
            figures[name] = nats / pieces
        return {**figures, "score": sum(figures.values()) / len(figures)}


def new_net(direction: Direction, **sizes: Any) -> TranslatorNet:  # noqa: ANN401 - config fields
    """Return a fresh network for the direction's vocabularies."""
    return TranslatorNet(
        TranslatorConfig(
            source_pieces=direction.source_pieces.get_piece_size(),
            target_pieces=direction.target_pieces.get_piece_size(),
            **sizes,
        )
    )


def _start_from(
    model: TranslatorNet, path: Path, direction: Direction, *, transfer: bool
) -> None:
    """Load a bundle's weights, or the averaged ones of `best.pt` or `last.pt`.

    `transfer` leaves out the target's pieces, and the source's where a bundle reads another
    language: encoder, attention and recurrences carry over (Zoph et al. 2016).
    """
    lost = {"embedding.weight", "bias"} if transfer else set[str]()
    if path.is_dir():
        weights = bundle_weights(path)
        if transfer and bundle_languages(path)[0] != direction.source:
            lost.add("source_embedding.weight")
    else:
        content = load_weights(path)
        weights = content.get("average") or content["model"]
    weights = {name: value for name, value in weights.items() if name not in lost}
    model.load_state_dict(weights, strict=not transfer)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training translator", description=__doc__)
    parser.add_argument("--pair", default="en-fr", help="source-target: en-fr en-de en-es fr-en")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--stage", choices=("general", "mixed", "export"), default="general")
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--start-from", type=Path, help="checkpoint, or a bundle of the pair")
    parser.add_argument(
        "--transfer-from", type=Path, help="the same of another pair: all but its pieces"
    )
    parser.add_argument("--rate", type=float, default=1.2e-3, help="highest learning rate")
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--warmup-steps", type=int, default=200)
    parser.add_argument("--tokens", type=int, default=2500, help="target pieces per batch")
    parser.add_argument(
        "--sampled", type=int, default=0, help="pieces drawn for the softmax; 0: all of them"
    )
    parser.add_argument("--commands", type=int, default=60_000, help="commands drawn, of `mixed`")
    parser.add_argument("--general", type=int, help="Tatoeba pairs to keep; default: all")
    parser.add_argument("--evaluate-every", type=int, default=250)
    parser.add_argument("--final-rate", type=float, default=0.0)
    parser.add_argument(
        "--whole", action="store_true", help="export float32 weights, to compare with int8"
    )
    parser.add_argument("--bundles", type=Path, default=Path("edgeasr/models"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    return parser


def _prepare(options: argparse.Namespace) -> tuple[TranslatorNet, Direction, Path]:
    """Return the network as it starts, its direction, and the folder of sub-word models."""
    source, target = options.pair.split("-")
    pieces: Path = options.runs / "translator-pieces"
    for start in (options.start_from, options.transfer_from):
        if start is not None and start.is_dir():
            bundle_pieces(start, pieces)
    prepare_pieces(options.data, pieces, (source, target))
    direction = Direction.load(source, target, pieces)
    torch.manual_seed(options.seed)
    model = new_net(direction, dropout=options.dropout)
    if options.start_from is not None:
        _start_from(model, options.start_from, direction, transfer=False)
    if options.transfer_from is not None:
        _start_from(model, options.transfer_from, direction, transfer=True)
    return model, direction, pieces


def main(argv: Sequence[str] | None = None) -> int:
    """Train one stage of one direction; returns the exit status."""
    options = _parser().parse_args(argv)
    model, direction, pieces = _prepare(options)
    if options.stage == "export":
        parts = corpus(options.data, options.pair, "mixed")
        folder = options.bundles / f"translator-{options.pair}"
        dev = [*parts["dev"], *parts["dev_commands"][:200]]
        export_bundle(model, direction, pieces, folder, dev, whole=options.whole)
        return 0
    corpora = corpus(
        options.data, options.pair, options.stage, commands=options.commands,
        general=options.general,
    )  # fmt: skip
    task = TranslatorTask(
        model, direction, corpora, seed=options.seed, tokens=options.tokens, rate=options.rate,
        sampled=options.sampled,
    )  # fmt: skip
    config = LoopConfig(
        run=options.runs / f"translator-{options.pair}-{options.stage}", steps=options.steps,
        warmup_steps=options.warmup_steps, final_rate=options.final_rate, average_decay=0.998,
        bf16=True, evaluate_every=options.evaluate_every, seed=options.seed,
        threads=options.threads,
    )  # fmt: skip
    print(train(task, config))
    return 0
