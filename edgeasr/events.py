"""Everything that edgeasr reports, as frozen values; `to_fields` is their one JSON form."""

from dataclasses import dataclass, fields
from typing import Any, ClassVar

__all__ = [
    "EVENT_TYPES",
    "Error",
    "Event",
    "Intent",
    "IntentNotRecognised",
    "NoSpeech",
    "Partial",
    "Slot",
    "Transcript",
    "Translation",
    "Wake",
    "Word",
]


@dataclass(frozen=True, kw_only=True)
class Word:
    """One recognised word."""

    word: str
    start_s: float
    """Stream time, seconds"""
    end_s: float
    confidence: float
    """0 to 1"""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One part of a command: which room, what time, how much."""

    name: str
    value: str | int | float
    """The site's own name for it, or the words as spoken"""
    text: str
    """The words as spoken; empty when the sentence only implies the slot"""
    start: int
    """First character in the text"""
    end: int
    """Character after the last one"""
    normalised: str | int | float | None = None
    """"half past seven" -> "07:30", "twenty percent" -> 20, durations in seconds; else None"""


@dataclass(frozen=True, kw_only=True)
class Event:
    """What all events carry."""

    NAME: ClassVar[str]

    at_s: float
    """Stream time: seconds of audio before the event"""
    session: str | None = None
    """The utterance the event belongs to, from wake to final results; None outside of one"""

    def to_fields(self) -> dict[str, Any]:
        """Return the JSON form: `event`, then every field in order; times have milliseconds."""
        own = {item.name: _plain(getattr(self, item.name)) for item in fields(self)}
        return {"event": self.NAME, "session": own.pop("session"), "at_s": own.pop("at_s"), **own}


@dataclass(frozen=True, kw_only=True)
class Wake(Event):
    """The wake word was heard, or listening was asked for by command (`word` is then empty)."""

    NAME: ClassVar[str] = "wake"

    word: str
    score: float
    """0 to 1"""
    word_end_s: float
    """Stream time at which the word ended, estimated"""
    latency_s: float
    """From the end of the word to its detection, in stream time"""
    snr_db: float = 0.0
    """How far the word stood out of the noise before it, in decibels; 0 for a command"""


@dataclass(frozen=True, kw_only=True)
class Partial(Event):
    """The words so far; later partials may correct them."""

    NAME: ClassVar[str] = "partial"

    text: str


@dataclass(frozen=True, kw_only=True)
class Transcript(Event):
    """The final words of the utterance."""

    NAME: ClassVar[str] = "transcript"

    text: str
    """Lower-case words as spoken"""
    display: str
    """The same with digits, times and capitals"""
    confidence: float
    """0 to 1"""
    words: tuple[Word, ...]
    start_s: float
    """Stream time of the first word"""
    end_s: float
    """Stream time at which the last word ended"""
    reason: str
    """Why listening ended: silence, timeout, stop or end_of_stream"""


@dataclass(frozen=True, kw_only=True)
class Translation(Event):
    """The transcript, or a text given by command, in another language."""

    NAME: ClassVar[str] = "translation"

    language: str
    text: str
    source: str
    source_language: str
    confidence: float
    """0 to 1"""
    doubtful: bool
    """Whether not to rely on it: the confidence is low, or a number was lost"""


@dataclass(frozen=True, kw_only=True)
class Intent(Event):
    """What the transcript, or a text given by command, asks for."""

    NAME: ClassVar[str] = "intent"

    intent: str
    confidence: float
    """0 to 1"""
    slots: tuple[Slot, ...]
    text: str
    source: str
    """What found it: templates or tagger"""


@dataclass(frozen=True, kw_only=True)
class IntentNotRecognised(Event):
    """The text fits no sentence and the tagger is not sure."""

    NAME: ClassVar[str] = "intent_not_recognised"

    text: str
    guess: str
    """The tagger's best intent, below the threshold; empty when it took the text for no command"""
    confidence: float
    """Of the guess, 0 to 1"""


@dataclass(frozen=True, kw_only=True)
class NoSpeech(Event):
    """Listening ended without a word."""

    NAME: ClassVar[str] = "no_speech"

    reason: str
    """silence: nobody spoke; rejected: sound, but no words above the minimum confidence;
    cancelled: by command; end_of_stream"""


@dataclass(frozen=True, kw_only=True)
class Error(Event):
    """Something given to edgeasr could not be used; it goes on."""

    NAME: ClassVar[str] = "error"

    source: str
    """What failed: a topic, a file, microphone, recogniser, translator"""
    message: str
    """What is wrong and the remedy"""


EVENT_TYPES: tuple[type[Event], ...] = (
    Wake, Partial, Transcript, Translation, Intent, IntentNotRecognised, NoSpeech, Error,
)  # fmt: skip


def _plain(value: object) -> object:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, (Slot, Word)):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    return value
