"""What a translator gives."""

from dataclasses import dataclass

from edgeasr.events import Translation
from edgeasr.session import Array

__all__ = ["Alternative", "TranslationResult", "translation_event"]


@dataclass(frozen=True)
class Alternative:
    """One entry of the n-best list."""

    text: str
    score: float
    """Length-normalised log-probability, 0 at best"""


@dataclass(frozen=True, kw_only=True)
class TranslationResult:
    """A translation and why it is one."""

    text: str
    confidence: float
    """0 to 1: how likely the translation is usable, calibrated on held-out sentences"""
    doubtful: bool
    """Whether the confidence is below the model's own limit, or a number is lost: do not rely on
    it"""
    score: float
    source_tokens: tuple[str, ...]
    tokens: tuple[str, ...]
    """Target pieces, the end mark `</s>` included"""
    attention: Array
    """float32 [target pieces, source pieces]; rows sum to 1"""
    n_best: tuple[Alternative, ...]


def translation_event(
    result: TranslationResult, source: str, languages: tuple[str, str], *,
    at_s: float, session: str | None = None,
) -> Translation:  # fmt: skip
    """Return what is told of the translation of `source` between two languages."""
    return Translation(
        at_s=at_s,
        session=session,
        language=languages[1],
        text=result.text,
        source=source,
        source_language=languages[0],
        confidence=result.confidence,
        doubtful=result.doubtful,
    )
