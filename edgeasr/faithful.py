"""Translations that keep names and numbers: a second try with stand-ins where one is lost."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from edgeasr.figures import Figure, lost_figures
from edgeasr.numbers_en import display, on_24_hours
from edgeasr.stand_ins import LEAST_GAIN, Draft, unknown_words
from edgeasr.translation import TranslationResult

__all__ = ["Faithful"]

_CHOICES = 2  # of stand-ins for numbers
_MOST_NAMES = 2  # that are tried in a sentence


@dataclass(frozen=True)
class _Attempt:
    draft: Draft
    result: TranslationResult
    """With everything put back"""
    lost: list[Figure]


@dataclass(frozen=True)
class Faithful:
    """Decides which translation of a sentence to take."""

    source: str
    target: str
    """Languages"""
    translate: Callable[[str], TranslationResult]
    """One search"""
    pieces: Callable[[str], int]
    """Of how many sub-words a word is made"""
    doubt_below: float
    """Confidence of a translation that is better not relied on"""

    def improve(self, text: str, plain: TranslationResult) -> TranslationResult:
        """Return `plain`, the translation of `text`, or a better one; a lost number is marked."""
        figures = display(text) if self.source == "en" else text
        best = _Attempt(Draft(text), plain, self._lost(figures, plain))
        if best.lost:
            best = self._with_numbers(figures, best)
        best = self._with_names(figures, best)
        if not best.lost:
            return best.result
        return replace(best.result, doubtful=True, confidence=best.result.confidence / 2)

    def _with_numbers(self, figures: str, best: _Attempt) -> _Attempt:
        """Try figures for number words, the other clock, known numbers, known names beside them."""
        lost, first = best.lost, Draft(figures)
        drafts = [first.with_numbers(lost, self.target, choice) for choice in range(_CHOICES)]
        clock = Draft(on_24_hours(figures) if self.source == "en" else figures)
        tries = dict.fromkeys((first, clock, *drafts, *map(self._without_unknown, drafts)))
        tries.pop(best.draft, None)  # what was translated already
        for draft in tries:
            attempt = self._attempt(draft, figures)
            if attempt is not None and len(attempt.lost) < len(best.lost):
                best = attempt
            if not best.lost:
                break
        return best

    def _with_names(self, figures: str, best: _Attempt) -> _Attempt:
        for word in unknown_words(best.draft.text, best.result.text, self.pieces)[:_MOST_NAMES]:
            draft = best.draft.with_name(word, self.target)
            attempt = None if draft is None else self._attempt(draft, figures)
            if attempt is None or len(attempt.lost) > len(best.lost):
                continue
            if attempt.result.score > best.result.score + LEAST_GAIN:
                # less sure: the word may be no name
                sure = (best.result.confidence + attempt.result.confidence) / 2
                result = replace(attempt.result, confidence=sure, doubtful=sure < self.doubt_below)
                best = replace(attempt, result=result)
        return best

    def _without_unknown(self, draft: Draft) -> Draft:
        for word in unknown_words(draft.text, "", self.pieces)[:_MOST_NAMES]:
            draft = draft.with_name(word, self.target) or draft
        return draft

    def _attempt(self, draft: Draft, figures: str) -> _Attempt | None:
        result = draft.restore(self.translate(draft.text))
        return None if result is None else _Attempt(draft, result, self._lost(figures, result))

    def _lost(self, text: str, result: TranslationResult) -> list[Figure]:
        return lost_figures(text, result.text, self.source, self.target)
