"""What a recogniser gives: hypotheses while one speaks, then a result."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from edgeasr.word_times import SpokenWord

__all__ = ["Hypothesis", "Result", "as_spoken", "join"]

_SPOKEN = {"mr": "mister", "mrs": "missus"}  # as Whisper learned to write them


@dataclass(frozen=True)
class Hypothesis:
    """The words so far."""

    text: str
    last_token_s: float | None
    """When the last unit was spelled, seconds since the first frame; None without words"""


@dataclass(frozen=True)
class Result:
    """The final words; times in seconds since the first frame."""

    text: str
    confidence: float
    """0 to 1: estimated probability that at most a third of the words is wrong"""
    words: tuple[SpokenWord, ...] = field(default_factory=tuple)


def as_spoken(text: str) -> str:
    """Return lower-case words with those written out that nobody says as they are written."""
    return " ".join(_SPOKEN.get(word, word) for word in text.split())


def join(results: Sequence[Result]) -> Result:
    """Return the result of parts that follow one another."""
    spoken = [result for result in results if result.text]
    if not spoken:
        return Result("", 0.0)
    text = " ".join(result.text for result in spoken)
    words = tuple(word for result in spoken for word in result.words)
    return Result(text, min(result.confidence for result in spoken), words)
