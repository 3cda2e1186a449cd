"""English number words: reading cardinals, ordinals and decimals out of a list of words.

Readers take `words` (lower case) and the index where to start, and return the value with the
index after it, or None when no number starts there. "and" is part of a number only where English
has it ("two hundred and five"), so that "two and three" stays two numbers.
"""

import re
from collections.abc import Sequence

__all__ = [
    "CARDINALS", "ORDINALS", "Words", "number", "plain", "read_digits", "read_number",
    "read_ordinal",
]  # fmt: skip

Words = Sequence[str]
Reading = tuple[float, int]

_ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
    "eighteen", "nineteen",
)  # fmt: skip
_TENS_NAMES = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_UNITS = {word: value for value, word in enumerate(_ONES, 1)}
_SMALL = {"zero": 0, **_UNITS, **{word: value for value, word in enumerate(_TEENS, 10)}}
_TENS = {word: value * 10 for value, word in enumerate(_TENS_NAMES, 2)}
CARDINALS = {**_SMALL, **_TENS}
"""Numbers of one word"""
_SCALES = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_DIGITS = {"zero": 0, "oh": 0, "o": 0, **_UNITS}

ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12,
    **{f"{word}th": value for word, value in _SMALL.items()
       if word not in ("zero", "one", "two", "three", "five", "eight", "nine", "twelve")},
    **{f"{word[:-1]}ieth": value for word, value in _TENS.items()},
}  # fmt: skip
"""Ordinals of one word"""

_FIGURE = re.compile(r"-?\d{1,12}(\.\d{1,6})?")
_GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+")
_LEADING = {"to", "at", "by", "about", "around", "of", "for", "number", "the", "in", "on"}
_TRAILING = {
    "percent", "per", "cent", "%", "degree", "degrees", "celsius", "fahrenheit", "times", "people",
    "stars", "star", "points", "point", "kelvin", "lux", "volume", "level", "dollars", "euros",
}  # fmt: skip
_FRACTIONS = {"half": 0.5, "quarter": 0.25}


def plain(value: float) -> int | float:
    """Return whole values as int, others with at most six decimals."""
    return int(value) if value == int(value) else round(value, 6)


def number(text: str) -> int | float | None:
    """Return the number that `text` is ("twenty percent" -> 20), or None when it is none.

    Units and prepositions around it are allowed, other words are not.
    """
    words = text.lower().replace("%", " percent").replace("°", " degrees ").replace("-", " - ")
    parts = re.sub(r"(?<=[a-z]) - (?=[a-z])", " ", words).replace(" - ", " -").split()
    while parts and parts[0] in _LEADING:
        del parts[0]
    while len(parts) > 1 and parts[-1].strip(".?!,") in _TRAILING:
        del parts[-1]
    for reading in (read_number(parts, 0), read_ordinal(parts, 0), _fraction(parts)):
        if reading is not None and reading[1] == len(parts):
            return plain(reading[0])
    return None


def read_number(words: Words, start: int) -> Reading | None:
    """Read a cardinal in words or figures, with a decimal part: "twenty one point five"."""
    if start >= len(words):
        return None
    if words[start] in ("minus", "negative"):
        positive = read_number(words, start + 1)
        return (-positive[0], positive[1]) if positive else None
    reading = _figure(words[start], start) or _cardinal(words, start)
    if reading is None:
        return None
    value, end = reading
    if tuple(words[end : end + 3]) == ("and", "a", "half"):
        return value + 0.5, end + 3
    if end + 1 < len(words) and words[end] == "point":
        decimals, after = read_digits(words, end + 1)
        if decimals:
            return float(f"{value:.0f}.{decimals}"), after
    return reading


def read_digits(words: Words, start: int) -> tuple[str, int]:
    """Read digits spoken one by one: "four oh seven" -> "407"; empty when there are none."""
    end = start
    while end < len(words) and words[end] in _DIGITS:
        end += 1
    return "".join(str(_DIGITS[word]) for word in words[start:end]), end


def read_ordinal(words: Words, start: int) -> Reading | None:
    """Read an ordinal up to 99: "twenty first", "third", "21st"."""
    if start >= len(words):
        return None
    word = words[start]
    if match := re.fullmatch(r"(\d{1,4})(st|nd|rd|th)", word):
        return int(match[1]), start + 1
    if word in ORDINALS:
        return ORDINALS[word], start + 1
    following = words[start + 1] if start + 1 < len(words) else ""
    if word in _TENS and 0 < ORDINALS.get(following, 0) < 10:
        return _TENS[word] + ORDINALS[following], start + 2
    return None


def _figure(word: str, start: int) -> Reading | None:
    if _GROUPED.fullmatch(word):
        return float(word.replace(",", "")), start + 1
    return (float(word), start + 1) if _FIGURE.fullmatch(word) else None


def _cardinal(words: Words, start: int) -> Reading | None:
    total, position, limit = 0.0, start, float("inf")
    while True:
        after_and = position > start and position < len(words) and words[position] == "and"
        group = _below_thousand(words, position + after_and)
        if group is None:
            break
        value, end = group
        scale = _SCALES.get(words[end], 1) if end < len(words) else 1
        if scale >= limit or (value == 0 and position > start):
            break
        total, position, limit = total + value * scale, end + (scale > 1), scale
        if scale == 1:
            break
    return (total, position) if position > start else None


def _below_thousand(words: Words, start: int) -> Reading | None:
    following = words[start + 1] if start + 1 < len(words) else ""
    if start < len(words) and words[start] == "a" and following in ("hundred", *_SCALES):
        first: Reading | None = (1, start + 1)
    else:
        first = _below_hundred(words, start)
    if first is None or first[1] >= len(words) or words[first[1]] != "hundred" or not first[0]:
        return first
    value, end = first[0] * 100, first[1] + 1
    has_and = end < len(words) and words[end] == "and"
    rest = _below_hundred(words, end + has_and)
    if rest is None or rest[0] == 0:
        return value, end
    return value + rest[0], rest[1]


def _below_hundred(words: Words, start: int) -> Reading | None:
    if start >= len(words):
        return None
    word = words[start]
    if word in _SMALL:
        return _SMALL[word], start + 1
    if word not in _TENS:
        return None
    following = words[start + 1] if start + 1 < len(words) else ""
    if following in _UNITS:
        return _TENS[word] + _UNITS[following], start + 2
    return _TENS[word], start + 1


def _fraction(words: Words) -> Reading | None:
    bare = [word for word in words if word not in ("a", "an", "one")]
    if len(bare) == 1 and bare[0] in _FRACTIONS:
        return _FRACTIONS[bare[0]], len(words)
    if bare == ["three", "quarters"]:
        return 0.75, len(words)
    return None
