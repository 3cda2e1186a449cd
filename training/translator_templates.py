"""Templates of commands, and how sentences are drawn from them."""

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from training.translator_data import Pair, split_of

__all__ = ["SLOT", "Template", "draw_pairs"]

SLOT = re.compile(r"\{(\w+)")


@dataclass(frozen=True)
class Template:
    """One English wording of a meaning."""

    form: str
    """! order, ? question, . statement"""
    english: str
    targets: dict[str, str]
    split: str
    """train, dev or test"""


def draw_pairs(
    every: Sequence[Template], split: str, count: int, draw: random.Random, *,
    make: Callable[[Template], Pair], said: Callable[[Pair], str],
) -> list[Pair]:  # fmt: skip
    """Return `count` pairs that `make` writes from templates of a split; slots add weight.

    What is `said` occurs at most three times in training, ten times without slots; what the
    sentence split holds out is left out of training.
    """
    chosen = [template for template in every if template.split == split]
    weights = [1 + 2 * len(SLOT.findall(template.english)) for template in chosen]
    seen: Counter[str] = Counter()
    pairs: list[Pair] = []
    for _ in range(count * 3):
        template = draw.choices(chosen, weights)[0]
        pair = make(template)
        most = 1 if split != "train" else 3 if SLOT.search(template.english) else 10
        sentence = said(pair).lower()
        seen[sentence] += 1
        held_out = split == "train" and split_of(pair.english) != "train"
        if seen[sentence] <= most and not held_out:
            pairs.append(pair)
        if len(pairs) == count:
            break
    return pairs
