"""BLEU by source length with attention and without: two small nets, one budget, one seed."""

from collections import defaultdict
from pathlib import Path

import torch

from training.analysis.translation_report import (
    Curve,
    bleu,
    dev_sentences,
    draw,
    parser,
    write_table,
)
from training.loop import LoopConfig, load_weights, train
from training.models.translator import TranslatorNet
from training.translator import TranslatorTask, new_net
from training.translator_batches import BOS, EOS, Direction
from training.translator_corpus import commands_of, corpus, prepare_pieces
from training.translator_forms import plain_form

__all__ = ["main"]

SIZES = {"embedding": 128, "encoder": 128, "decoder": 192, "attention": 96, "dropout": 0.1}
BUCKETS = ((1, 4), (5, 6), (7, 8), (9, 11), (12, 15), (16, 60))


def main(argv: list[str]) -> int:
    """Train both nets where their runs are unfinished; write `translator-length.md` and a plot."""
    arguments = parser("length", sentences=2400)
    arguments.add_argument("--runs", type=Path, default=Path("runs"))
    arguments.add_argument("--steps", type=int, default=1200)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument(
        "--commands", action="store_true", help="home commands instead of Tatoeba: far fewer steps"
    )
    options = arguments.parse_args(argv)
    source, target = options.pair.split("-")
    pieces = prepare_pieces(options.data, options.runs / "translator-pieces", (source, target))
    direction = Direction.load(source, target, pieces)
    if options.commands:
        dev = commands_of(options.pair, "dev", options.sentences)
        corpora = {"train": commands_of(options.pair, "train", 60_000), "dev": dev[:200],
                   "dev_commands": []}  # fmt: skip
        sentences = [(plain_form(pair.english, source), pair.other) for pair in dev]
    else:
        corpora = corpus(options.data, options.pair, "general")
        sentences = dev_sentences(options.data, target, options.sentences)
    groups = _by_length(sentences)
    scores: dict[str, list[float]] = {}
    for name, attend in (("with attention", True), ("without attention", False)):
        torch.manual_seed(options.seed)
        net = new_net(direction, attend=attend, **SIZES)
        task = TranslatorTask(net, direction, corpora, seed=options.seed, sampled=600)
        config = LoopConfig(
            run=options.runs / f"analysis-length-{'attention' if attend else 'plain'}",
            steps=options.steps, warmup_steps=100, average_decay=0.995, bf16=True,
            evaluate_every=400, seed=options.seed,
        )  # fmt: skip
        net.load_state_dict(load_weights(train(task, config))["model"])
        found = _greedy(net.eval(), direction, [text for text, _ in sentences])
        scores[name] = [
            bleu([found[row] for row in rows], [sentences[row][1] for row in rows])
            for rows in groups.values()
        ]
    rows = [
        {"source words": f"{low}-{high}", "sentences": len(chosen),
         **{name: values[number] for name, values in scores.items()}}
        for number, ((low, high), chosen) in enumerate(groups.items())
    ]  # fmt: skip
    where = "home commands of held-out wordings" if options.commands else "Tatoeba's dev split"
    notes = (
        f"`python -m training.analysis length --data ROOT --pair {options.pair} "
        f"--steps {options.steps}{' --commands' * options.commands}`: BLEU of greedy search, "
        f"{where}, as recognised; both nets {options.steps} steps, seed {options.seed}, {SIZES}. "
        "Without attention the decoder sees the mean of the encoder's states at every step "
        "instead of a weighted sum."
    )
    write_table(options.out / "translator-length.md", "Source length and attention", notes, rows)
    middles = [(low + min(high, 20)) / 2 for low, high in groups]
    curves = [Curve(name, middles, values) for name, values in scores.items()]
    draw(options.out / "translator-length.png", curves, x="source words", y="BLEU")
    return 0


def _by_length(sentences: list[tuple[str, str]]) -> dict[tuple[int, int], list[int]]:
    """Return the numbers of the sentences in each bucket of source words that has twenty."""
    groups = {
        (low, high): [i for i, (s, _) in enumerate(sentences) if low <= len(s.split()) <= high]
        for low, high in BUCKETS
    }
    return {bucket: rows for bucket, rows in groups.items() if len(rows) >= 20}


@torch.inference_mode()
def _greedy(net: TranslatorNet, direction: Direction, sources: list[str]) -> list[str]:
    """Return greedy translations, decoded in batches of equal source length."""
    groups: dict[int, list[int]] = defaultdict(list)
    ids = [direction.source_ids(source) for source in sources]
    for index, pieces in enumerate(ids):
        groups[len(pieces)].append(index)
    found = [""] * len(sources)
    for length, group in groups.items():
        encoded = net.encode(torch.tensor([ids[index] for index in group]))
        state, last = encoded.state, torch.full((len(group), 1), BOS)
        columns = []
        for _ in range(2 * length + 10):
            logits, state, _ = net.decode(last, encoded, state)
            last = logits[:, -1:].argmax(dim=2)
            columns.append(last)
        for index, row in zip(group, torch.cat(columns, 1).tolist(), strict=True):
            kept = row[: row.index(EOS)] if EOS in row else row
            found[index] = direction.target_pieces.decode(kept)
    return found
