"""Other names, places, dates and numbers in both sides of a pair, so that the model learns them.

A person's name is often an invented one: what can only be translated by copying teaches to copy.
"""

import random
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

from training.translator_data import Pair

__all__ = ["rename"]

TEXTS = Path(__file__).parent / "texts"
FREQUENT = {"Tom": "men", "John": "men", "Mary": "women", "Alice": "women"}
_ELIDING = re.compile(r"(?:\b(?:[dD]e|[qQ]ue|[lL]orsque|[pP]uisque|[jJ]usque|[sS]i)|[àÀ]) $")
_ONSETS = [
    *"bcdfghjklmnprstvwz", "br", "ch", "dr", "gr", "kl", "pr", "sh", "st", "tr",
]  # fmt: skip
_NUCLEI = [*"aeiou", "ai", "ee", "ou", "an", "el", "or", "in"]
_CODAS = ["", "", *"nlrsmdi", "ck", "nd", "ston", "ley", "son", "man", "ova"]
_NUMBER = re.compile(r"(?<![\d.,:])(?:[2-9]|[1-9]\d{1,3})(?![\d.,:]?\d|[ap]m\b| ?h\b)")
_RANGES = ((2, 12), (13, 99), (100, 999), (1100, 2099))
"""A number is replaced by one of its size: hours stay hours, years mostly years"""


@cache
def _names(kind: str) -> list[str]:
    return (TEXTS / f"{kind}.txt").read_text(encoding="utf-8").split()


@cache
def _swaps(language: str) -> dict[str, dict[str, str]]:
    """Return by kind what each English word is in `language`; words of a kind are exchangeable.

    Kinds are cut by French gender and first sound, so that the words around stay right.
    """
    header, *lines = (TEXTS / "swaps.tsv").read_text(encoding="utf-8").splitlines()
    column = header.split("\t").index(language)
    kinds: dict[str, dict[str, str]] = defaultdict(dict)
    for line in lines:
        cells = line.split("\t")
        if cells[column]:
            kinds[cells[0]][cells[1]] = cells[column]
    return kinds


@cache
def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b")


def _invented(draw: random.Random) -> str:
    middle = "".join(
        draw.choice(_ONSETS) + draw.choice(_NUCLEI) for _ in range(draw.choice((1, 1, 2)))
    )
    return f"{middle}{draw.choice(_CODAS)}".capitalize()


def rename(pair: Pair, language: str, draw: random.Random) -> Pair:
    """Return the pair with what both sides name alike replaced; `language` is `pair.other`'s."""
    english, other = _persons(pair.english, pair.other, draw)
    for words in _swaps(language).values():
        english, other = _swap(english, other, words, draw)
    return Pair(*_numbers(english, other, draw), pair.origin)


def _persons(english: str, other: str, draw: random.Random) -> tuple[str, str]:
    for name, kind in FREQUENT.items():
        pattern = _any_of((name,))
        if len(pattern.findall(english)) != len(pattern.findall(other)):
            continue
        fresh = _invented(draw) if draw.random() < 0.4 else draw.choice(_names(kind))
        vowel = fresh[0] in "AEIOUYHÉ"
        if vowel and any(_ELIDING.search(other[: m.start()]) for m in pattern.finditer(other)):
            continue
        if fresh in english:
            continue
        english, other = pattern.sub(fresh, english), pattern.sub(fresh, other)
    return english, other


def _swap(english: str, other: str, words: dict[str, str], draw: random.Random) -> tuple[str, str]:
    """Return both sides with the one word of this kind that they share replaced."""
    found = _any_of(tuple(words)).findall(english)
    if len(found) != 1 or _any_of(tuple(words.values())).findall(other) != [words[found[0]]]:
        return english, other
    fresh = draw.choice(list(words))
    other = _any_of((words[found[0]],)).sub(words[fresh], other)
    return _any_of((found[0],)).sub(fresh, english), other


def _numbers(english: str, other: str, draw: random.Random) -> tuple[str, str]:
    """Return both sides with the numbers in digits replaced, if both have the same ones."""
    found = _NUMBER.findall(english)
    if len(set(found)) < len(found) or sorted(_NUMBER.findall(other)) != sorted(found):
        return english, other
    fresh = {number: str(draw.randint(*_size(int(number)))) for number in found}
    english, other = (
        _NUMBER.sub(lambda match: fresh[match.group()], text) for text in (english, other)
    )
    return english, other


def _size(number: int) -> tuple[int, int]:
    return next((size for size in _RANGES if size[0] <= number <= size[1]), (number, number))
