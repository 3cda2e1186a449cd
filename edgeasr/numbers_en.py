"""The written form of English transcripts: digits, times and capitals where a reader wants them.

Conservative: what could be wrong either way stays as spoken ("one of them", "march", "ten to one").
"""

import re

from edgeasr.number_words import Words, number, plain, read_digits, read_number, read_ordinal
from edgeasr.time_words import BEFORE_CLOCK, UNIT_SECONDS, Clock, clock_time, duration_s, read_clock

__all__ = [
    "clock_figures", "clock_time", "display", "duration_s", "number", "on_24_hours", "ordinal",
    "with_right_ordinals",
]  # fmt: skip

_MAX_CHARS = 20_000  # far above any utterance; longer text is returned as it is

_PRONOUN = {"i", "i'm", "i'll", "i've", "i'd"}
_CAPITAL = {
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january",
    "february", "april", "june", "july", "august", "september", "october", "november", "december",
    "english", "french", "german", "spanish", "italian", "christmas", "easter", "halloween",
}  # fmt: skip
_MAYBE_MONTH = {"may", "march"}
_MONTHS = _MAYBE_MONTH | {
    "january", "february", "april", "june", "july", "august", "september", "october", "november",
    "december",
}  # fmt: skip
_UNITS = {
    "percent", "degree", "degrees", "euros", "dollars", "pounds", "kilometers", "kilometres",
    "miles", "meters", "metres", "kilos", "kilograms", "grams", "liters", "litres", *UNIT_SECONDS,
}  # fmt: skip
_SUFFIX = {1: "st", 2: "nd", 3: "rd"}
_HALF_OF_DAY = re.compile(r"\b(1[0-2]|[1-9])(?::([0-5]\d))?\s?([ap])(?:m\b|\.m\.)", re.IGNORECASE)
_CUT_ORDINAL = re.compile(rf"(?i)\b({'|'.join(sorted(_MONTHS))}) (\d{{1,2}})[strn]\b")
_ORDINAL = re.compile(r"\b(\d{1,3})(?:st|nd|rd|th)\b")
_POSSESSIVE = re.compile(r"('s|s')$")


def display(text: str) -> str:
    """Return `text` as one would write it: "at seven thirty" -> "at 7:30", "i'm" -> "I'm"."""
    if len(text) > _MAX_CHARS:
        return text
    words = text.split()
    lower = [word.lower() for word in words]
    written: list[str] = []
    position = 0
    while position < len(words):
        piece = (
            _digits(lower, position)
            or _relative_clock(lower, position)
            or _clock(lower, position)
            or _date(lower, position)
            or _year(lower, position)
            or _amount(lower, position)
        )
        if piece is None:
            piece = (_capital(lower, position) or words[position], position + 1)
        written.append(piece[0])
        position = piece[1]
    return " ".join(written)


def clock_figures(text: str) -> str:
    """Return `text` with times past or to an hour in figures: "at quarter to nine" -> "at 8:45".

    Those of the 24 hour clock as well, after "at", and those whose half of the day was spelled
    ("two p m"). "ten to one" is a time only after a word such as "at".
    """
    written = text.split()
    words = [word.lower().strip(",.?!") for word in written]
    position, found = 0, list[str]()
    while position < len(words):
        clock = (
            _past_or_to(words, position)
            or _of_24_hours(words, position)
            or _spelled_half(words, position)
        )
        if clock is None:
            found.append(written[position])
            position += 1
            continue
        tail = written[clock.end - 1][len(words[clock.end - 1]) :]
        time = f"{clock.hour}:{clock.minute:02}" if clock.minute else f"{clock.hour}"
        found.append(f"{time} {clock.half}".strip() + tail)
        position = clock.end
    return " ".join(found)


def on_24_hours(text: str) -> str:
    """Return `text` with hours of a half of the day by the 24 hour clock: "2 pm" -> "14:00"."""

    def written(found: re.Match[str]) -> str:
        hour = int(found[1]) % 12 + 12 * (found[3].lower() == "p")
        return f"{hour}:{found[2] or '00'}"

    return _HALF_OF_DAY.sub(written, text)


def with_right_ordinals(text: str) -> str:
    """Return `text` with the right ends of ordinals: "March 23r" -> "March 23rd"."""
    whole = _CUT_ORDINAL.sub(r"\1 \2th", text)
    return _ORDINAL.sub(lambda found: ordinal(int(found[1])), whole)


def ordinal(value: int) -> str:
    """Return an ordinal in figures: 3 -> "3rd"."""
    return f"{value}{'th' if 10 < value % 100 < 14 else _SUFFIX.get(value % 10, 'th')}"


def _past_or_to(words: Words, start: int) -> Clock | None:
    clock = read_clock(words, start)
    named = {"quarter", "half"} & set(words[start : start + 2])
    if clock and clock.relative and (named or _word(words, start - 1) in BEFORE_CLOCK):
        return clock
    return None


def _spelled_half(words: Words, start: int) -> Clock | None:
    clock = read_clock(words, start)
    return clock if clock and clock.half and words[clock.end - 1] == "m" else None


def _of_24_hours(words: Words, start: int) -> Clock | None:
    """Read "at sixteen fifty nine"; without "at" it may be a year."""
    hour = read_number(words, start) if _word(words, start - 1) == "at" else None
    minute = read_number(words, hour[1]) if hour and hour[0] in range(13, 24) else None
    if hour is None or minute is None or minute[0] not in range(10, 60):
        return None
    return Clock(int(hour[0]), int(minute[0]), minute[1])


Piece = tuple[str, int]


def _word(words: Words, position: int) -> str:
    return words[position] if 0 <= position < len(words) else ""


def _relative_clock(words: Words, start: int) -> Piece | None:
    """Keep "twenty past six" in words: "20 past six" is neither one nor the other."""
    clock = read_clock(words, start)
    if clock is None or not clock.relative:
        return None
    return " ".join(words[start : clock.end]), clock.end


def _clock(words: Words, start: int) -> Piece | None:
    clock = read_clock(words, start)
    if clock is None or words[start] in ("noon", "midday", "midnight"):
        return None
    if not (clock.explicit or clock.half) or not 1 <= clock.hour <= 12:
        return None
    if not clock.minute and _word(words, clock.end - 1).startswith("o"):
        return f"{clock.hour} o'clock", clock.end
    if clock.half:
        minutes = f":{clock.minute:02}" if clock.minute else ""
        return f"{clock.hour}{minutes} {clock.half}", clock.end
    return f"{clock.hour}:{clock.minute:02}", clock.end


def _date(words: Words, start: int) -> Piece | None:
    reading = read_ordinal(words, start)
    if reading is None:
        return None
    value, end = int(reading[0]), reading[1]
    after_month = _word(words, start - 1) in _MONTHS
    after_month |= _word(words, start - 1) == "the" and _word(words, start - 2) in _MONTHS
    before_month = _word(words, end) == "of" and _word(words, end + 1) in _MONTHS
    before_month |= _word(words, end) in _MONTHS
    if value > 31 or not (after_month or before_month):
        return None
    return ordinal(value), end


def _digits(words: Words, start: int) -> Piece | None:
    """Join digits spoken one by one, as in a telephone number; a short run may be counting."""
    if read_number(words, start) is None:
        return None
    digits, end = read_digits(words, start)
    return (digits, end) if len(digits) >= 4 else None


def _year(words: Words, start: int) -> Piece | None:
    """Write "nineteen eighty four" and "twenty twenty six" as years."""
    first = read_number(words, start)
    if first is None or first[0] not in range(13, 21) or first[1] != start + 1:
        return None
    second = read_number(words, first[1])
    if second is None or second[0] not in range(10, 100):
        return None
    if _word(words, second[1]) in _UNITS:
        return None
    return f"{first[0]:.0f}{second[0]:02.0f}", second[1]


def _amount(words: Words, start: int) -> Piece | None:
    reading = read_number(words, start)
    if reading is None or not words[start].isalpha():
        return None
    value, end = reading
    unit = _word(words, end)
    single = value == 1 and unit in ("second", "minute", "hour", "day", "week")
    if single or (abs(value) < 10 and unit not in _UNITS and value == int(value)):
        return " ".join(words[start:end]), end
    figure = f"{plain(value):,}" if abs(value) >= 10_000 else f"{plain(value)}"
    return (f"{figure}%", end + 1) if unit == "percent" else (figure, end)


def _capital(words: Words, position: int) -> str | None:
    word = words[position]
    stem = _POSSESSIVE.sub("", word)
    plural = stem[:-1] if stem.endswith("days") else stem
    if word in _PRONOUN or stem in _CAPITAL or plural in _CAPITAL:
        return word[0].upper() + word[1:]
    if word in _MAYBE_MONTH:
        before, after = _word(words, position - 1), _word(words, position + 1)
        dated = read_ordinal(words, position + 1) or read_ordinal(words, position - 1)
        if after == "the":
            dated = dated or read_ordinal(words, position + 2)
        if dated or before in ("of", "in", "since", "until"):
            return word.capitalize()
    return None
