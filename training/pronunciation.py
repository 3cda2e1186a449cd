"""Pronunciations from CMUdict, and the phrases that a trigger could be mistaken for."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

__all__ = ["Phones", "Pronunciations", "edit_distance"]

Phones = tuple[str, ...]

_SIMILAR = (
    "AA AO AH", "IH IY", "EH AE AH", "UH UW", "ER AH", "P B", "T D", "K G", "F V", "S Z SH",
    "CH JH", "TH DH F", "M N NG", "L R W", "EY EH", "OW AO",
)  # fmt: skip
_CLOSE = {frozenset((a, b)) for group in _SIMILAR for a in group.split() for b in group.split()}


def edit_distance(one: Phones, two: Phones) -> float:
    """Return the least cost of edits; swapping similar phones costs a half (Levenshtein 1966)."""
    row = [float(j) for j in range(len(two) + 1)]
    for i, phone in enumerate(one, start=1):
        before, row[0] = row[0], float(i)
        for j, other in enumerate(two, start=1):
            swap = 0.0 if phone == other else 0.5 if frozenset((phone, other)) in _CLOSE else 1.0
            before, row[j] = row[j], min(before + swap, row[j] + 1, row[j - 1] + 1)
    return row[-1]


class Pronunciations:
    """The dictionary, word -> phones without stress, and how often each word is used."""

    def __init__(self, dictionary: Path, texts: Iterable[Path] = ()) -> None:
        """Read `cmudict.dict`, or festival's form of it, `cmudict-0.4.out`.

        `texts` are counted to tell common words from rare names.
        """
        self._phones: dict[str, Phones] = {}
        of_line = _festival_line if dictionary.suffix == ".out" else _cmu_line
        for line in dictionary.read_text(encoding="utf-8").splitlines():
            word, phones = of_line(line)
            if word.isalpha() and phones:
                self._phones.setdefault(word, phones)
        self._texts = [
            " ".join(re.findall(r"[a-z]+", path.read_text(encoding="utf-8").lower()))
            for path in texts
        ]
        self.counts = Counter(word for text in self._texts for word in text.split())

    def __contains__(self, word: str) -> bool:
        return word in self._phones

    def uses(self, phrase: str) -> int:
        """Return how often the phrase stands in the texts."""
        return sum(f" {text} ".count(f" {phrase} ") for text in self._texts)

    def words(self) -> list[str]:
        """Return every word."""
        return list(self._phones)

    def add(self, word: str, sounds_like: str) -> None:
        """Give a word that is missing the phones of another phrase."""
        self._phones.setdefault(word, self.of(sounds_like))

    def of(self, phrase: str) -> Phones:
        """Return the phones of a phrase. Raises KeyError with the first unknown word."""
        return tuple(phone for word in phrase.lower().split() for phone in self._phones[word])

    def neighbours(self, word: str, count: int) -> list[str]:
        """Return words that sound almost like `word`, nearest and most used first."""
        phones = self.of(word)
        found = []
        for other, theirs in self._phones.items():
            if abs(len(theirs) - len(phones)) > 2 or _contains(theirs, phones):
                continue
            if len(set(theirs) & set(phones)) * 2 < len(set(phones)):
                continue
            edits = edit_distance(phones, theirs)
            if 1 <= edits <= len(phones) / 2:
                cost = edits / len(phones) - 0.05 * np.log10(1 + self.counts[other])
                found.append((cost, other))
        return [other for _, other in sorted(found)[:count]]

    def near_misses(self, phrase: str, count: int) -> list[str]:
        """Return phrases that are not `phrase` and hold no stretch that sounds the same.

        Halves of a phrase, each word replaced by its neighbours, and parts of single words.
        """
        words = phrase.lower().split()
        share = max(4, count // len(words))
        candidates: list[str] = [] if len(words) == 1 else list(words)
        for place, word in enumerate(words):
            candidates += [
                " ".join([*words[:place], other, *words[place + 1 :]])
                for other in self.neighbours(word, share)
            ]
        if len(words) == 1:
            candidates += self._parts(words[0], count // 4)
        phones = self.of(phrase)
        kept = [text for text in candidates if not _contains(self.of(text), phones)]
        return kept[: count + len(words)]

    def _parts(self, word: str, count: int) -> list[str]:
        """Return common words that begin or end as `word` does."""
        phones = self.of(word)
        half = max(2, len(phones) // 2)
        parts = [
            other
            for other, theirs in self._phones.items()
            if len(theirs) >= 2
            and not _contains(theirs, phones)
            and (theirs[:half] == phones[:half] or theirs[-half - 1 :] == phones[-half - 1 :])
        ]
        return sorted(parts, key=lambda other: -self.counts[other])[:count]


def _cmu_line(line: str) -> tuple[str, Phones]:
    """Take `abacus  AE1 B AH0 K AH0 S`."""
    word, *phones = line.split("#", maxsplit=1)[0].split() or [""]
    return word, tuple(phone.rstrip("012") for phone in phones)


def _festival_line(line: str) -> tuple[str, Phones]:
    """Take `("abacus" nil (((ae) 1) ((b ax) 0) ((k ax s) 0)))`."""
    _, word, rest = line.split('"', 2) if line.count('"') >= 2 else ("", "", "")
    parts = re.findall(r"[a-z]+", rest)[1:]  # after the part of speech
    return word, tuple(_FESTIVAL.get(phone, phone.upper()) for phone in parts)


_FESTIVAL = {"ax": "AH", "axr": "ER"}


def _contains(phones: Phones, part: Phones) -> bool:
    return any(phones[i : i + len(part)] == part for i in range(len(phones) - len(part) + 1))
