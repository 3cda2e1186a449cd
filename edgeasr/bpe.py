"""Byte-pair encoding of lower-case words (Sennrich et al. 2016) with GPT-2's mark of a space."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

__all__ = ["Bpe"]

_SPACE = "Ġ"
_MOST_CACHED = 10_000  # words; hints that change for a year must not fill the memory


class Bpe:
    """Units <-> lower-case words. Every word begins with a space, the first one too.

    Units may have capitals: a word that Whisper knows as a name ("Ġlond", "on" against "ĠLondon")
    is encoded in the case that needs the fewest units, and written in lower case again.
    """

    def __init__(self, units: Iterable[str], merges: Iterable[tuple[str, str]]) -> None:
        """Take the units in the order of their ids and the merges in the order of their rank.

        Merges may lead over pieces that are no units: where a word ends in one, it is split again.
        """
        self.units = list(units)
        self.ids = {unit: number for number, unit in enumerate(self.units)}
        shared = {unit: unit for unit in self.units}  # one text in memory for each piece
        self._ranks = {
            (shared.setdefault(left, left), shared.setdefault(right, right)): rank
            for rank, (left, right) in enumerate(merges)
        }
        self._parents = {
            left + right: (left, right)
            for left, right in reversed(self._ranks)
            if left + right not in self.ids  # a unit is never split again
        }
        self._cache: dict[str, list[str]] = {}

    def encode_word(self, word: str) -> list[str]:
        """Return the units of one word, its space included; in lower case if that is no longer."""
        if word not in self._cache:
            if len(self._cache) >= _MOST_CACHED:
                self._cache.clear()
            cases = dict.fromkeys((word, word.capitalize(), word.upper()))
            spellings = [self._spell(case) for case in cases]
            usable = [units for units in spellings if all(unit in self.ids for unit in units)]
            self._cache[word] = min(usable, key=len) if usable else spellings[0]
        return self._cache[word]

    def encode(self, text: str) -> list[int]:
        """Return the ids of a normalised text; letters that no unit has are left out."""
        return [
            self.ids[unit]
            for word in text.split()
            for unit in self.encode_word(word)
            if unit in self.ids
        ]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids."""
        text = "".join(self.units[number] for number in ids)
        return text.replace(_SPACE, " ").strip().lower()

    def _spell(self, word: str) -> list[str]:
        merged = self._merge([_SPACE, *word])
        return [unit for piece in merged for unit in self._units_of(piece)]

    def _units_of(self, piece: str) -> list[str]:
        if piece in self.ids or piece not in self._parents:
            return [piece]
        left, right = self._parents[piece]
        return [*self._units_of(left), *self._units_of(right)]

    def _merge(self, parts: list[str]) -> list[str]:
        while len(parts) > 1:
            pairs = list(pairwise(parts))
            best = min(pairs, key=lambda pair: self._ranks.get(pair, len(self._ranks)))
            if best not in self._ranks:
                break
            merged, at = [], 0
            while at < len(parts):
                if at + 1 < len(parts) and (parts[at], parts[at + 1]) == best:
                    merged.append(parts[at] + parts[at + 1])
                    at += 2
                else:
                    merged.append(parts[at])
                    at += 1
            parts = merged
        return parts
