"""Other names in both sides of a pair, real and invented, so that the model learns to copy."""

import random
import re
from functools import cache
from pathlib import Path

from training.translator_data import Pair

__all__ = ["rename"]

FREQUENT = {"Tom": "men", "John": "men", "Mary": "women", "Alice": "women", "Boston": "places"}
_ELIDING = re.compile(r"(?:\b(?:[dD]e|[qQ]ue|[lL]orsque|[pP]uisque|[jJ]usque|[sS]i)|[àÀ]) $")
_ONSETS = [
    "b",
    "br",
    "c",
    "ch",
    "d",
    "dr",
    "f",
    "g",
    "gr",
    "h",
    "j",
    "k",
    "kl",
    "l",
    "m",
    "n",
    "p",
    "pr",
    "r",
    "s",
    "sh",
    "st",
    "t",
    "tr",
    "v",
    "w",
    "z",
]
_NUCLEI = ["a", "e", "i", "o", "u", "ai", "ee", "ou", "an", "el", "or", "in"]
_CODAS = ["", "", "n", "l", "r", "s", "m", "ck", "d", "nd", "ston", "ley", "son", "man", "ova", "i"]


@cache
def _names(kind: str) -> list[str]:
    path = Path(__file__).parent / "texts" / f"{kind}.txt"
    return path.read_text(encoding="utf-8").split()


def _invented(draw: random.Random) -> str:
    middle = "".join(
        draw.choice(_ONSETS) + draw.choice(_NUCLEI) for _ in range(draw.choice((1, 1, 2)))
    )
    return (middle + draw.choice(_CODAS)).capitalize()


def rename(pair: Pair, draw: random.Random) -> Pair:
    """Return the pair with its frequent names replaced where both sides write them alike."""
    english, other = pair.english, pair.other
    for name, kind in FREQUENT.items():
        pattern = re.compile(rf"\b{name}\b")
        if len(pattern.findall(english)) != len(pattern.findall(other)):
            continue
        fresh = _invented(draw) if draw.random() < 0.4 else draw.choice(_names(kind))
        vowel = fresh[0] in "AEIOUYHÉ"
        if vowel and any(_ELIDING.search(other[: m.start()]) for m in pattern.finditer(other)):
            continue
        if fresh in english:
            continue
        english, other = pattern.sub(fresh, english), pattern.sub(fresh, other)
    return Pair(english, other, pair.origin)
