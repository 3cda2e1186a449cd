"""Sentence pairs: reading, splits by the English sentence, and the corpora's own marks."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from training.manifest import in_held_out_share
from training.translator_forms import normal_key

__all__ = ["LANGUAGES", "Pair", "Split", "read_tatoeba", "split_of", "tidy_target"]

LANGUAGES = {"en": "English", "fr": "French", "de": "German", "es": "Spanish"}
HELD_OUT_SHARE = 0.015
Split = str
"""train, dev or test"""


@dataclass(frozen=True)
class Pair:
    """One sentence and its translation."""

    english: str
    other: str
    origin: str
    """tatoeba, commands, intents, massive or multi30k"""
    template: str = ""
    """The English wording that a command was drawn from"""


def split_of(english: str) -> Split:
    """Return the split of an English sentence; the same for every corpus and target language."""
    key = normal_key(english)
    if in_held_out_share(key, HELD_OUT_SHARE, salt="translator-test"):
        return "test"
    if in_held_out_share(key, HELD_OUT_SHARE, salt="translator-dev"):
        return "dev"
    return "train"


def tidy_target(text: str, language: str) -> str:
    """Return a target with one kind of apostrophe and space, French marks with a plain space."""
    text = text.replace("’", "'").replace("\u202f", " ").replace("\xa0", " ")
    text = re.sub(r"\s+", " ", text).strip()
    if language == "fr":
        text = re.sub(r"(?<=[^\s?!;:.])([?!;]|:(?!\d))", r" \1", text)
    return text


def read_tatoeba(root: Path, language: str) -> Iterator[Pair]:
    """Yield the pairs of `root/text/tatoeba.en-<language>.tsv`."""
    path = root / "text" / f"tatoeba.en-{language}.tsv"
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield Pair(row[0].replace("’", "'"), tidy_target(row[1], language), "tatoeba")
