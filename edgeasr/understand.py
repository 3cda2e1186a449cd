"""From a transcript to an intent with slots: Home Assistant's sentences first, then the tagger.

A sentence that fits a template is what its author meant, so templates win; the tagger serves what
they miss, and stays silent when it is not sure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgeasr.bundle import MODELS_FOLDER, Bundle, find_bundle
from edgeasr.date_words import date_value
from edgeasr.errors import BundleError, TextError
from edgeasr.events import Event, Intent, IntentNotRecognised, Slot
from edgeasr.moment_words import moment_value
from edgeasr.number_words import number
from edgeasr.site import Site
from edgeasr.tagger import NONE, TaggedSlot, Tagger
from edgeasr.templates import Match, MatchedSlot, Templates
from edgeasr.time_words import UNIT_SECONDS, clock_time, duration_s

__all__ = ["Understander", "Understanding", "load_understander", "normalise"]

_MAX_CHARS = 400  # templates are tried one by one; no spoken command is longer
_FREE_CONFIDENCE = 0.9  # for templates that take a part as it comes
_JOINTS = {"to", "past", "at"}
_TIMES = {"time", "timeRange", "timeofday", "date"}
_NUMBERS = {
    "party_size_number", "rating_value", "best_rating", "change_amount", "color_temperature",
    "percentage", "brightness", "temperature", "volume_level", "position",
}  # fmt: skip


@dataclass(frozen=True)
class Understanding:
    """What a text asks for; `recognised` False when neither way is sure."""

    intent: str
    """Empty for what is no command"""
    confidence: float
    """0 to 1"""
    slots: tuple[Slot, ...]
    source: str
    """templates or tagger"""
    recognised: bool = True


class Understander:
    """Templates with a site's names, and the tagger. Holds no state between texts."""

    def __init__(self, site: Site, tagger: Tagger | None, *, min_confidence: float = 0.5) -> None:
        """Prepare the templates; below `min_confidence` the tagger is not believed."""
        self._templates = Templates(site)
        self._tagger = tagger
        self._min_confidence = min_confidence

    def understand(self, text: str) -> Understanding:
        """Return the intent of `text`. Raises TextError when it is empty or too long."""
        if not text.strip():
            raise TextError("the text is empty; give a command")
        if len(text) > _MAX_CHARS:
            raise TextError(f"the text has {len(text)} characters; give at most {_MAX_CHARS}")
        match = self._templates.match(text)
        if match is not None:
            return _from_templates(match)
        if self._tagger is None:
            return Understanding("", 0.0, (), "templates", recognised=False)
        return self._from_tagger(text, self._tagger)

    def event(self, text: str, *, at_s: float, session: str | None) -> Event:
        """Return the `intent` or `intent_not_recognised` event of `text`."""
        try:
            found = self.understand(text)
        except TextError:
            found = Understanding("", 0.0, (), "templates", recognised=False)
        if found.recognised:
            return Intent(
                at_s=at_s, session=session, intent=found.intent, confidence=found.confidence,
                slots=found.slots, text=text, source=found.source,
            )  # fmt: skip
        return IntentNotRecognised(
            at_s=at_s, session=session, text=text, guess=found.intent, confidence=found.confidence
        )

    def _from_tagger(self, text: str, tagger: Tagger) -> Understanding:
        tagging = tagger.tag(text)
        slots = tuple(
            Slot(
                name=slot.name, value=slot.text, text=slot.text, start=slot.start, end=slot.end,
                normalised=normalise(slot.name, slot.text),
            )
            for slot in _whole_times(_hours(tagging.slots, text), text)
        )  # fmt: skip
        sure = tagging.intent != NONE and tagging.confidence >= self._min_confidence
        intent = "" if tagging.intent == NONE else tagging.intent
        return Understanding(intent, tagging.confidence, slots, "tagger", recognised=sure)


def load_understander(site: Site, folders: tuple[Path, ...] = (MODELS_FOLDER,)) -> Understander:
    """Return an understander of `site` with the shipped tagger. Raises BundleError."""
    bundle = Bundle(find_bundle("tagger-en", list(folders)), kind="tagger")
    threshold = bundle.settings.get("min_confidence")
    if not isinstance(threshold, float):
        raise BundleError(f"{bundle.folder} tells no min_confidence; export it again")
    return Understander(site, Tagger(bundle), min_confidence=threshold)


def normalise(name: str, text: str) -> str | int | float | None:
    """Return what a slot's words stand for, by the kind of slot; None when they stay words.

    Times of day are HH:MM, durations seconds, dates TIMEX3 values, both DATETHH:MM, amounts
    numbers.
    """
    if name == "date" and (date := date_value(text)):
        return date
    if name in _TIMES:
        return moment_value(text) or duration_s(text) or date_value(text)
    return number(text) if name in _NUMBERS else None


def _hours(slots: Sequence[TaggedSlot], text: str) -> list[TaggedSlot]:
    """Take a number of people that is said after "at" for the hour that it is.

    Where the restaurants' sentences tell an hour they write am or pm, so that the tagger counts
    people in "a table at eight".
    """
    return [
        replace(slot, name="timeRange")
        if slot.name == "party_size_number"
        and text[: slot.start].lower().split()[-1:] == ["at"]
        and clock_time(slot.text)
        else slot
        for slot in slots
    ]


def _whole_times(slots: Sequence[TaggedSlot], text: str) -> list[TaggedSlot]:
    """Join neighbours that are one time: of "quarter to six" the tagger finds both ends alone."""
    joined: list[TaggedSlot] = []
    for slot in slots:
        last = joined[-1] if joined else None
        parts = last is not None and last.name == slot.name and slot.name in _TIMES
        if last is not None and parts and text[last.end : slot.start].strip() in _JOINTS:
            sure = min(last.confidence, slot.confidence)
            whole = text[last.start : slot.end]
            joined[-1] = replace(last, text=whole, end=slot.end, confidence=sure)
        else:
            joined.append(slot)
    return joined


def _from_templates(match: Match) -> Understanding:
    slots = tuple(
        Slot(
            name=slot.name, value=slot.value, text=slot.text, start=slot.start, end=slot.end,
            normalised=_normal_value(slot),
        )
        for slot in match.slots
    )  # fmt: skip
    confidence = _FREE_CONFIDENCE if match.free else 1.0
    return Understanding(match.intent, confidence, slots, "templates")


def _normal_value(slot: MatchedSlot) -> int | float | None:
    """Return numbers as they are, and the parts of a duration in seconds."""
    if isinstance(slot.value, str):
        return None
    return slot.value * UNIT_SECONDS.get(slot.name.removeprefix("start_"), 1)
