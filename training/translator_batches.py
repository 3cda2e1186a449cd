"""Sub-words, variants of a pair (form, slips, names), and batches of one source length."""

import random
import string
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import sentencepiece as spm
import torch
from torch import Tensor

from training.translator_data import Pair
from training.translator_forms import plain_form, slips
from training.translator_names import rename

__all__ = ["BOS", "EOS", "Batch", "Direction", "Epoch", "train_pieces"]

PAD, UNKNOWN, BOS, EOS = 0, 1, 2, 3
MAX_PIECES = 60
ALPHABET = string.ascii_letters + string.digits + ".,;:!?'-\"()%°€$&/+¿¡«»"
"""Has a piece each, so that names and codes never need bytes"""


def train_pieces(lines: Iterable[str], path: Path, *, size: int, fold_case: bool) -> None:
    """Train a unigram sub-word model with byte fall-back (Kudo 2018) and write it to `path`.

    A source's case is folded: recognised and published text then share their pieces.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        spm.SentencePieceTrainer.train(
            sentence_iterator=iter(lines),
            model_writer=stream,
            vocab_size=size,
            model_type="unigram",
            normalization_rule_name="nmt_nfkc_cf" if fold_case else "nmt_nfkc",
            byte_fallback=True,
            character_coverage=0.9995,
            required_chars=ALPHABET,
            pad_id=PAD, unk_id=UNKNOWN, bos_id=BOS, eos_id=EOS,
            num_threads=1,
            minloglevel=2,
        )  # fmt: skip


@dataclass(frozen=True)
class Direction:
    """From which language to which, with both sub-word models."""

    source: str
    target: str
    source_pieces: spm.SentencePieceProcessor
    target_pieces: spm.SentencePieceProcessor

    @classmethod
    def load(cls, source: str, target: str, folder: Path) -> "Direction":
        """Read `<language>.source.model` and `<language>.target.model` of `folder`."""
        models = [
            spm.SentencePieceProcessor(model_file=str(folder / name))
            for name in (f"{source}.source.model", f"{target}.target.model")
        ]
        return cls(source, target, *models)

    def sides(self, pair: Pair) -> tuple[str, str]:
        """Return source and target text of a pair."""
        return (pair.english, pair.other) if self.source == "en" else (pair.other, pair.english)

    def spoken(self, text: str) -> str:
        """Return a source text as a recogniser writes it."""
        return plain_form(text, self.source)

    def source_ids(self, text: str) -> list[int]:
        """Return pieces of a source text and the end mark."""
        return [*self.source_pieces.encode(text), EOS]

    def target_ids(self, text: str) -> list[int]:
        """Return begin mark, pieces of a target text, end mark."""
        return [BOS, *self.target_pieces.encode(text), EOS]


@dataclass(frozen=True)
class Batch:
    """Sources of one length; targets padded with PAD."""

    source: Tensor
    """int64 [batch, source]"""
    target: Tensor
    """int64 [batch, target + 1]: inputs are all but the last, answers all but the first"""


class Epoch:
    """The batches of one pass, a function of the seed and the pass number."""

    def __init__(
        self,
        direction: Direction,
        pairs: Sequence[Pair],
        *,
        seed: int,
        tokens: int = 2500,
        spoken_share: float = 0.5,
    ) -> None:
        """Draw one translation and the form of each sentence; cut batches of about `tokens`."""
        draw = random.Random(seed)
        groups: dict[int, list[tuple[list[int], list[int]]]] = defaultdict(list)
        for pair in _one_each(direction, pairs, draw):
            source, target = direction.sides(_vary(direction, pair, draw))
            if draw.random() < (0.75 if pair.origin == "commands" else spoken_share):
                source = direction.spoken(source)
                if direction.source == "en" and source and draw.random() < 0.06:
                    source = slips(source, draw)
            ids = direction.source_ids(source), direction.target_ids(target)
            if max(len(ids[0]), len(ids[1])) <= MAX_PIECES and len(ids[0]) > 1:
                groups[len(ids[0])].append(ids)
        self.batches: list[list[tuple[list[int], list[int]]]] = []
        for length in sorted(groups):
            self.batches += _cut(groups[length], tokens, draw)
        draw.shuffle(self.batches)

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> Batch:
        rows = self.batches[index]
        wide = max(len(target) for _, target in rows)
        target = [ids + [PAD] * (wide - len(ids)) for _, ids in rows]
        return Batch(torch.tensor([source for source, _ in rows]), torch.tensor(target))


def _one_each(
    direction: Direction, pairs: Sequence[Pair], draw: random.Random
) -> Iterator[Pair]:
    """Yield each of Tatoeba's sources once, the first of its translations most often.

    Short ones have up to a dozen; all of them in a pass would take a third of it, and pull the
    model towards the mean of many ways of saying it.
    """
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.origin == "tatoeba":
            groups[direction.sides(pair)[0]].append(pair)
        else:
            yield pair
    for group in groups.values():
        yield draw.choices(group, [1 / rank for rank in range(1, len(group) + 1)])[0]


def _vary(direction: Direction, pair: Pair, draw: random.Random) -> Pair:
    if pair.origin == "tatoeba" and draw.random() < 0.4:
        language = direction.target if direction.source == "en" else direction.source
        return rename(pair, language, draw)
    return pair


def _cut(
    group: list[tuple[list[int], list[int]]], tokens: int, draw: random.Random
) -> list[list[tuple[list[int], list[int]]]]:
    """Return batches of neighbours in target length, so that little is padded."""
    draw.shuffle(group)
    group.sort(key=lambda ids: len(ids[1]) + draw.random() * 1.5)
    batches, start = [], 0
    while start < len(group):
        wide, end = len(group[start][1]), start
        while end < len(group) and max(wide, len(group[end][1])) * (end - start + 1) <= tokens:
            wide = max(wide, len(group[end][1]))
            end += 1
        end = max(end, start + 1)
        batches.append(group[start:end])
        start = end
    return batches
