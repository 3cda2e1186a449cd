"""English clock times and durations in words: "half past seven" -> 07:30, "an hour" -> 3600 s."""

import re
from dataclasses import dataclass, replace

from edgeasr.number_words import Words, plain, read_number

__all__ = [
    "BEFORE_CLOCK", "UNIT_SECONDS", "Clock", "clock_time", "duration_s", "find_clock", "read_clock",
    "time_words",
]  # fmt: skip

UNIT_SECONDS = {
    **dict.fromkeys(("second", "seconds", "sec", "secs"), 1),
    **dict.fromkeys(("minute", "minutes", "min", "mins"), 60),
    **dict.fromkeys(("hour", "hours", "hr", "hrs"), 3_600),
    **dict.fromkeys(("day", "days"), 86_400),
    **dict.fromkeys(("week", "weeks"), 604_800),
}

_AM = {"am", "a.m.", "a.m"}
_PM = {"pm", "p.m.", "p.m"}
_OCLOCK = {"o'clock", "oclock", "o’clock"}
BEFORE_CLOCK = {"at", "by", "until", "till", "from", "around", "about", "for", "before", "after"}
_FIGURES = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?(am|pm|a\.m\.?|p\.m\.?)?")


@dataclass(frozen=True)
class Clock:
    """A time of day read from words `start` to `end`."""

    hour: int
    minute: int
    end: int
    half: str = ""
    """am, pm or empty"""
    explicit: bool = True
    """False for a bare hour ("seven"), which is a time only where one is expected"""
    relative: bool = False
    """Whether it was said as past or to an hour"""

    def text(self) -> str:
        """Return HH:MM on the 24-hour clock; without am or pm the hour stays as said."""
        hour = self.hour
        if self.half == "pm" and hour < 12:
            hour += 12
        if self.half == "am" and hour == 12:
            hour = 0
        return f"{hour:02}:{self.minute:02}"


def clock_time(text: str) -> str | None:
    """Return the first time of day in `text` as HH:MM, or None when it names none."""
    found = find_clock(time_words(text))
    return found and found[1].text()


def time_words(text: str) -> list[str]:
    """Return the words of `text` as the readers of times take them."""
    return text.lower().replace("-", " ").replace(",", " ").rstrip("?!. ").split()


def find_clock(words: Words) -> tuple[int, Clock] | None:
    """Return where the first time of day begins, and the time with its half of the day."""
    for start in range(len(words)):
        clock = read_clock(words, start)
        if clock is None:
            continue
        expected = start == 0 and clock.end == len(words)
        expected |= start > 0 and words[start - 1] in BEFORE_CLOCK
        followed = words[clock.end] if clock.end < len(words) else ""
        if words[start - 1 : start] == ["from"] and followed in ("to", "till", "until"):
            return None  # two times, which no one value holds
        expected |= start == 0 and followed in ("in", "at", "tomorrow", "tonight", "today")
        if clock.explicit or (expected and followed not in UNIT_SECONDS):
            return start, replace(clock, half=clock.half or _half_of_day(words, clock.hour))
    return None


def read_clock(words: Words, start: int) -> Clock | None:
    """Read a time of day that starts at `start`, with am or pm where they follow."""
    if start >= len(words):
        return None
    if words[start] in ("noon", "midday"):
        return Clock(12, 0, start + 1, "pm")
    if words[start] == "midnight":
        return Clock(0, 0, start + 1)
    clock = _relative(words, start) or _figures(words, start) or _hour_and_minute(words, start)
    if clock is None or clock.half:
        return clock
    half, end = _read_half(words, clock.end)
    if half:
        return Clock(clock.hour, clock.minute, end, half, relative=clock.relative)
    return clock


def duration_s(text: str) -> int | float | None:
    """Return the seconds that `text` lasts ("an hour and a half" -> 5400), or None."""
    spaced = re.sub(r"(\d)([a-z])", r"\1 \2", text.lower().replace("-", " "))
    words = [word.strip(",.?!") for word in spaced.split()]
    while words and words[0] in ("for", "in", "about", "around", "after", "of", "the", "next"):
        del words[0]
    total, position = 0.0, 0
    while position < len(words):
        part = _read_span(words, position)
        if part is None:
            return None
        total, position = total + part[0], part[1]
        if position < len(words) - 1 and words[position] == "and":
            position += 1
    return plain(total) if position else None


def _read_span(words: Words, start: int) -> tuple[float, int] | None:
    """Read one amount with its unit, and a half after it: "an hour and a half"."""
    amount, position = _read_amount(words, start)
    if position >= len(words) or words[position] not in UNIT_SECONDS:
        return None
    unit = UNIT_SECONDS[words[position]]
    position += 1
    for tail, share in ((("and", "a", "half"), 0.5), (("and", "a", "quarter"), 0.25)):
        follows = position + 3 < len(words) and words[position + 3] in UNIT_SECONDS
        if tuple(words[position : position + 3]) == tail and not follows:
            return (amount + share) * unit, position + 3
    return amount * unit, position


def _read_amount(words: Words, start: int) -> tuple[float, int]:
    phrases = (
        (("half", "an"), 0.5), (("half", "a"), 0.5), (("a", "half"), 0.5),
        (("a", "quarter", "of", "an"), 0.25), (("quarter", "of", "an"), 0.25),
        (("three", "quarters", "of", "an"), 0.75), (("a", "couple", "of"), 2), (("an",), 1),
        (("half",), 0.5),
    )  # fmt: skip
    for phrase, value in phrases:
        if tuple(words[start : start + len(phrase)]) == phrase:
            return value, start + len(phrase)
    reading = read_number(words, start)
    if reading is not None:
        return reading
    return 1, start + (words[start] == "a")


def _relative(words: Words, start: int) -> Clock | None:
    position = start + (words[start] == "a")
    word = words[position] if position < len(words) else ""
    of_hours = False
    if word in ("half", "quarter"):
        minutes, position = {"half": 30, "quarter": 15}[word], position + 1
    else:
        reading = read_number(words, start)
        if reading is None or not 1 <= reading[0] <= 59 or reading[0] % 1:
            return None
        minutes, position = int(reading[0]), reading[1]
        named = position < len(words) and words[position] in ("minutes", "minute")
        position += named
        of_hours = not named and (minutes % 5 > 0 or words[start - 1 : start] == ["from"])
    side = words[position] if position < len(words) else ""
    hour = read_number(words, position + 1)
    if side not in ("past", "after", "to", "till") or hour is None or not 1 <= hour[0] <= 12:
        return None
    value, end = int(hour[0]), hour[1]
    end += end < len(words) and words[end] in _OCLOCK
    if side in ("past", "after"):
        return Clock(value, minutes, end, relative=True)
    if of_hours:  # "from six to eight" is no six minutes to eight
        return None
    return Clock(value - 1 or 12, 60 - minutes, end, relative=True)


def _figures(words: Words, start: int) -> Clock | None:
    match = _FIGURES.fullmatch(words[start])
    if match is None or int(match[1]) > 23 or int(match[2] or 0) > 59:
        return None
    half = (match[3] or "").replace(".", "")
    end = start + 1
    oclock = end < len(words) and words[end] in _OCLOCK
    spaced = not (match[2] or half or oclock) and _hour_and_minute(words, start)
    if spaced and spaced.explicit:
        return spaced
    explicit = ":" in words[start] or bool(half) or oclock
    return Clock(int(match[1]), int(match[2] or 0), end + oclock, half, explicit)


def _hour_and_minute(words: Words, start: int) -> Clock | None:
    hour = read_number(words, start)
    if hour is None or not 0 <= hour[0] <= 23 or hour[0] % 1:
        return None
    value, end = int(hour[0]), hour[1]
    if end < len(words) and words[end] in _OCLOCK:
        return Clock(value, 0, end + 1)
    oh = end < len(words) - 1 and words[end] in ("oh", "o", "zero")
    minute = read_number(words, end + oh)
    if minute is not None and (1 <= minute[0] <= 9 if oh else 10 <= minute[0] <= 59):
        after = words[minute[1]] if minute[1] < len(words) else ""
        if minute[0] % 1 == 0 and after not in UNIT_SECONDS and after not in ("percent", "degrees"):
            return Clock(value, int(minute[0]), minute[1])
    return Clock(value, 0, end, explicit=False)


def _read_half(words: Words, start: int) -> tuple[str, int]:
    rest = list(words[start : start + 3])
    if rest[:1] and rest[0] in _AM | _PM:
        return rest[0].replace(".", ""), start + 1
    if rest[:2] in (["a", "m"], ["p", "m"]):
        return rest[0] + "m", start + 2
    return "", start


def _half_of_day(words: Words, hour: int) -> str:
    if "morning" in words:
        return "am"
    if {"evening", "afternoon", "tonight"} & set(words):
        return "pm"
    return "pm" if "night" in words and 6 <= hour < 12 else ""
