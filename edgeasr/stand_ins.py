"""Known names and numbers in the place of those that a network garbles, put back afterwards.

A network that spells a name or a number piece by piece, as it seldom did in training, garbles it;
one that it has met a thousand times it copies (the rare word problem; Luong et al. 2015 put words
back by their alignment).
"""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from edgeasr.figures import Figure, names, written
from edgeasr.pieces import exchanged, joined_columns, joined_rows
from edgeasr.translation import TranslationResult

__all__ = ["LEAST_GAIN", "Draft", "unknown_words"]

LEAST_GAIN = 1.0
"""Nats by which the score must be better with a name's stand-in, chosen on dev sentences"""
_NAMES = ("Tom", "John")
"""Men's names that are the same in every language here"""
_NUMBERS: tuple[tuple[float, tuple[str, ...]], ...] = (
    (9, ("5", "3", "4")), (99, ("20", "30", "10")), (999, ("300", "20", "200")),
    (2099, ("2013", "2016", "2003")), (math.inf, ("300", "20", "200")),
)  # fmt: skip
"""Up to which number, and what may stand for it"""
_LEAST_PIECES = 3
_ELIDED = "[dDjJmMtTsSlLnN]|[qQ]u|[lL]orsqu|[pP]uisqu|[jJ]usqu"
_VOWELS = frozenset("aeiouyéèêàâ")
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class _Swap:
    pattern: str
    """What it is in the translation"""
    original: str
    """What takes its place there"""
    stand_in: str
    """What the network is given"""
    said: str
    """What the text has instead"""

    def put_back(self, found: re.Match[str]) -> str:
        """Return the original; in French "de Tom" becomes "d'Ada"."""
        elided = found.groupdict().get("elided")
        return f"{elided}'{self.original}" if elided else self.original

    def shown(self, result: TranslationResult) -> TranslationResult:
        """Return the result with the original among its pieces, and one column and row for it."""
        given = re.compile(rf"(?i)(?<!\w){re.escape(self.stand_in)}(?!\w)")
        source, columns = exchanged(result.source_tokens, given, lambda _: self.said)
        tokens, rows = exchanged(result.tokens, re.compile(self.pattern), self.put_back)
        attention = joined_rows(joined_columns(result.attention, columns), rows)
        return replace(result, source_tokens=source, tokens=tokens, attention=attention)


@dataclass(frozen=True)
class Draft:
    """A text as the network gets it, and what stands in for what."""

    text: str
    swaps: tuple[_Swap, ...] = ()

    def with_name(self, word: str, language: str) -> "Draft | None":
        """Return the draft with a known name for `word`; None when there is none to take.

        `language` is that of the translation. A text without any capital is a recogniser's: there
        the word gets the capital of a name.
        """
        name = next((one for one in _NAMES if one.lower() not in self.text.lower()), None)
        if name is None:
            return None
        spoken = not re.search(r"[A-Z]", re.sub("|".join(_NAMES), "", self.text))
        original = word.capitalize() if spoken else word
        text = re.sub(rf"\b{re.escape(word)}\b", name, self.text)
        elides = language == "fr" and original[0].lower() in _VOWELS
        before = rf"(?:\b(?P<elided>{_ELIDED})e )?" if elides else ""
        swap = _Swap(rf"{before}\b{name}\b", original, name, original)
        return Draft(text, (*self.swaps, swap))

    def with_numbers(self, figures: Iterable[Figure], language: str, choice: int = 0) -> "Draft":
        """Return the draft with well-known numbers for figures of its text.

        `language` is that of the translation; `choice` tells which of the numbers to take.
        """
        text, swaps = self.text, list[_Swap]()
        for figure in sorted(figures, key=lambda one: -one.start):
            said = self.text[figure.start : figure.end]
            number = _number_for(figure.value, text, choice, plain=said.isdigit())
            if number is not None:
                original = said if " " in said else written(figure, said, language)
                end = figure.end + 2 * figure.ordinal
                given = number + "th" * figure.ordinal
                found = "|".join([number, *names(number, language)])
                pattern = rf"(?<![\w.,])(?:{found})(?!\w|[.,]\d)"
                swaps.append(_Swap(pattern, original, given, text[figure.start : end]))
                text = text[: figure.start] + given + text[end:]
        return replace(self, text=text, swaps=(*self.swaps, *swaps))

    def restore(self, result: TranslationResult) -> TranslationResult | None:
        """Return the network's result with everything put back; None where that can not be done."""
        text = self.restored(result.text)
        if text is None:
            return None
        n_best = tuple(replace(one, text=self.restored(one.text) or one.text)
                       for one in result.n_best)  # fmt: skip
        for swap in self.swaps:
            result = swap.shown(result)
        return replace(result, text=text, n_best=n_best)

    def restored(self, translation: str) -> str | None:
        """Return the translation with everything put back; None unless each is there once."""
        for swap in self.swaps:
            translation, count = re.subn(swap.pattern, swap.put_back, translation)
            if count != 1:
                return None
        return translation


def unknown_words(text: str, translation: str, pieces: Callable[[str], int]) -> list[str]:
    """Return words of `text` that are many `pieces` and are not in the translation."""
    copied = translation.lower()
    words = dict.fromkeys(word for word in _WORD.findall(text) if word.lower() not in copied)
    return [word for word in words if pieces(word) >= _LEAST_PIECES]


def _number_for(value: str, text: str, choice: int, *, plain: bool) -> str | None:
    """Return a number of about the same size that the text does not hold."""
    size = float(value) if plain and value[0] != "0" else 20 if "." in value else math.inf
    numbers = next(some for most, some in _NUMBERS if size <= most)
    numbers = (*numbers[choice:], *numbers[:choice])
    return next((one for one in numbers if not re.search(rf"(?<!\d){one}(?!\d)", text)), None)
