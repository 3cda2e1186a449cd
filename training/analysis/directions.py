"""The tagger one way and both ways, at equal parameters and steps.

Besides the dev figures it asks for pairs where a later word decides: two dev sentences that begin
with the same words, the last of which is labelled differently. A network that reads one way sees
the same there in both; it can part them by what its heads know of the whole sentence alone (the
intent, and the label transitions).
"""

import argparse
import itertools
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from edgeasr.bio import best_path
from training.analysis.command import command
from training.loop import LoopConfig, load_weights, train
from training.models.tagger import TaggerNet
from training.tagger import TaggerTask, size_of
from training.tagger_augment import Augmenter
from training.tagger_data import Corpus, Sentence, load_corpus, tables_of
from training.tagger_score import moves_of

__all__ = ["deciding_pairs", "main"]

Pair = tuple[Sentence, Sentence, int]
"""Two sentences, and the word that both have and that is labelled differently"""

_TEDDY: Pair = (
    Sentence(("teddy", "roosevelt", "was", "a", "great", "president"), "home", None,
             ("B-person", "I-person", *["O"] * 4)),
    Sentence(("teddy", "bears", "are", "on", "sale"), "home", None, ("O",) * 5),
    0,
)  # fmt: skip


def main(argv: list[str]) -> int:
    """Train both; write `directions.md`."""
    options = _options(argv)
    torch.set_num_threads(1)
    began = time.process_time()
    corpus = load_corpus(options.data)
    tables = tables_of(corpus.train)
    pairs = deciding_pairs([one for part in corpus.dev.values() for one in part])
    both = _parameters(tables, options.hidden, both=True)
    one_way = min(
        range(options.hidden, 3 * options.hidden, 2),
        key=lambda hidden: abs(_parameters(tables, hidden, both=False) - both),
    )
    rows = [
        _train_one(corpus, tables, pairs, options, hidden=hidden, both=way)
        for way, hidden in ((True, options.hidden), (False, one_way))
    ]
    notes = (
        f"`{command('directions', argv)}`, seed {options.seed}, "
        f"{time.process_time() - began:.0f} s of processor time; SNIPS and a share of "
        f"{options.share} of the house sentences in each of {options.epochs} epochs, no word "
        f"vectors; dev figures. Pairs: {sum(map(len, pairs.values()))} pairs of dev sentences with "
        f"{len(pairs)} common beginnings, the last word of which is labelled differently: percent "
        "with that word right in both sentences, each beginning counting the same. Teddy: whether "
        "the first word of \"Teddy Roosevelt was a great president\" is a person and that of "
        "\"Teddy bears are on sale\" is not."
    )  # fmt: skip
    options.out.mkdir(parents=True, exist_ok=True)
    _write(options.out / "directions.md", notes, rows)
    return 0


def deciding_pairs(sentences: Sequence[Sentence]) -> dict[Any, list[Pair]]:
    """Return pairs by their common beginning, which ends with the word labelled differently."""
    same = defaultdict(list)
    for one in sentences:
        for position in range(len(one.words) - 1 if one.labels else 0):
            same[one.scheme, one.words[: position + 1]].append(one)
    pairs = defaultdict(list)
    for key, group in same.items():
        last = len(key[1]) - 1
        for one, other in itertools.combinations(group, 2):
            assert one.labels is not None
            assert other.labels is not None
            if one.labels[last] != other.labels[last] and one.words != other.words:
                pairs[key].append((one, other, last))
    return dict(pairs)


def _parameters(tables: dict[str, Any], hidden: int, *, both: bool) -> int:
    net = TaggerNet(size_of(tables, hidden=hidden, bidirectional=both))
    return sum(one.numel() for one in net.parameters())


def _train_one(
    corpus: Corpus, tables: dict[str, Any], pairs: dict[Any, list[Pair]],
    options: argparse.Namespace, *, hidden: int, both: bool,
) -> dict[str, Any]:  # fmt: skip
    task = TaggerTask(
        corpus, tables, seed=options.seed, rate=4e-3, share=options.share,
        augmenter=Augmenter(corpus.train), hidden=hidden, bidirectional=both,
    )  # fmt: skip
    steps = options.epochs * task.steps_per_epoch
    with tempfile.TemporaryDirectory() as scratch:
        config = LoopConfig(
            run=Path(scratch), steps=steps, warmup_steps=50, final_rate=0.02, clip_norm=5.0,
            evaluate_every=steps, average_decay=0.98, seed=options.seed,
        )  # fmt: skip
        best = load_weights(train(task, config))
    task.model.load_state_dict(best["model"])
    task.model.eval()
    right = [_right_share(task, group) for group in pairs.values()]
    names = {"snips_f1": "SNIPS F1", "snips_intent": "SNIPS intents", "massive_f1": "MASSIVE F1",
             "nlu_f1": "NLU F1", "nlu_intent": "NLU intents"}  # fmt: skip
    return {
        "reads": "both ways" if both else "one way", "hidden": hidden, "steps": steps,
        "parameters": sum(one.numel() for one in task.model.parameters()),
        **{shown: best["dev"][name] for name, shown in names.items()},
        "pairs": round(100 * sum(right) / len(right), 1),
        "Teddy": "yes" if _right_share(task, [_TEDDY]) else "no",
    }  # fmt: skip


@torch.inference_mode()
def _right_share(task: TaggerTask, pairs: Sequence[Pair]) -> float:
    """Return the share of pairs whose deciding word is labelled rightly in both sentences."""
    scores = task.scores([one for pair in pairs for one in pair[:2]])
    moves = moves_of(task.model, task.schemes)

    def is_right(one: Sentence, position: int) -> bool:
        assert one.labels is not None
        scheme = task.schemes[one.scheme]
        own = scores[one.words][1][:, scheme.first_label : scheme.first_label + len(scheme.labels)]
        path = best_path(own, moves[scheme.name])
        return scheme.labels[int(path[position])] == one.labels[position]

    good = [is_right(one, at) and is_right(other, at) for one, other, at in pairs]
    return sum(good) / len(good)


def _write(path: Path, notes: str, rows: Sequence[dict[str, Any]]) -> None:
    lines = [
        "# One way and both ways", "", notes, "",
        f"| {' | '.join(rows[0])} |", f"|{' --- |' * len(rows[0])}",
        *(f"| {' | '.join(str(value) for value in row.values())} |" for row in rows),
    ]  # fmt: skip
    path.write_text("\n".join(lines) + "\n", "utf-8")
    print(*lines, sep="\n")


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.analysis directions")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds text/")
    parser.add_argument("--out", type=Path, default=Path("docs/analysis"))
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--share", type=float, default=0.3, help="an epoch, of all but SNIPS")
    parser.add_argument("--hidden", type=int, default=48, help="units each way, of both ways")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a few steps, to see it run")
    options = parser.parse_args(argv)
    if options.quick:
        options.epochs, options.share, options.hidden = 1, 0.1, 8
    return options
