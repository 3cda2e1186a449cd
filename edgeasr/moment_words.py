"""A time of day with its day: "tomorrow at half past seven" -> P1DT07:30.

The day is a value of `date_words`, the time HH:MM, between them a T as in ISO 8601; a time alone
stays HH:MM.
"""

import re

from edgeasr.date_words import date_value
from edgeasr.time_words import BEFORE_CLOCK, find_clock, time_words

__all__ = ["moment_value"]

_PART_OF_DAY = re.compile(r"\b(?:in the |at )?(?:morning|afternoon|evening|night)\b")


def moment_value(text: str) -> str | None:
    """Return the time that `text` names, with its day where one is told; None without a time."""
    words = time_words(text)
    found = find_clock(words)
    if found is None:
        return None
    start, clock = found
    before = words[:start]
    while before and before[-1] in BEFORE_CLOCK:
        before.pop()
    day = _day(before) or _day(words[clock.end :])
    return f"{day}T{clock.text()}" if day else clock.text()


def _day(words: list[str]) -> str | None:
    # the clock has already taken the part of the day ("tomorrow evening at eight")
    return date_value(_PART_OF_DAY.sub("", " ".join(words)))
