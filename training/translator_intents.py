"""Home Assistant's sentence pairs, those kept where both sides name the same things."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from training.translator_data import Pair
from training.translator_values import TEXTS

__all__ = ["checked_intents"]

_COLUMNS = {"fr": 2, "de": 3, "es": 4}
_ONLY_ENGLISH = re.compile(
    r"rover|clippy|trader|the office|bohemian|play corner|valve|aqara|stealth|macbeth|london|chores"
)


@cache
def _nouns(language: str) -> list[tuple[str, set[str]]]:
    """Return English nouns, longest first, each with the stems that may translate it."""
    stems: dict[str, set[str]] = {}
    for line in (TEXTS / "nouns.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        columns = line.split("\t")
        word = columns[_COLUMNS[language]].rsplit(" ", 1)[0].lower()
        stems.setdefault(columns[1], set()).add(word[: max(4, len(word) - 2)])
    return sorted(stems.items(), key=lambda item: -len(item[0]))


def _agrees(english: str, other: str, language: str) -> bool:
    if sorted(re.findall(r"\d+", english)) != sorted(re.findall(r"\d+", other)):
        return False
    if _ONLY_ENGLISH.search(english):
        return False
    rest, other = english.lower(), other.lower()
    for word, stems in _nouns(language):
        if re.search(rf"\b{word}\b", rest):
            if not any(stem in other for stem in stems):
                return False
            rest = re.sub(rf"\b{word}\b", " ", rest)
    return True


def checked_intents(root: Path, language: str) -> Iterator[Pair]:
    """Yield pairs of `ha-intents/example_pairs.en-<language>.tsv` that agree."""
    path = root / "text" / "ha-intents" / f"example_pairs.en-{language}.tsv"
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        _, _, english, other = line.split("\t")[:4]
        if _agrees(english, other, language):
            yield Pair(english, other, "intents")
