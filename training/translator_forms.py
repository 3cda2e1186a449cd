"""Text forms: as published, and as a recogniser writes it (lower case, words for numbers)."""

import random
import re

from edgeasr.number_words import CARDINALS, ORDINALS

__all__ = ["normal_key", "number_words", "ordinal_words", "plain_form", "slips", "spoken_form"]

_ORDINAL_OF = {value: word for word, value in ORDINALS.items()}

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]

SOUNDS_LIKE = (
    ("to", "two", "too"), ("there", "their", "they're"), ("for", "four"), ("your", "you're"),
    ("it's", "its"), ("know", "no"), ("right", "write"), ("hear", "here"), ("by", "buy"),
    ("whole", "hole"), ("would", "wood"), ("one", "won"), ("be", "bee"), ("sea", "see"),
    ("week", "weak"), ("our", "hour"), ("than", "then"), ("who's", "whose"), ("an", "and"),
    ("in", "and"), ("a", "the"), ("is", "as"), ("light", "lights"), ("lamp", "lamps"),
)  # fmt: skip
_SWAPS = {
    word: [other for group in SOUNDS_LIKE if word in group for other in group if other != word]
    for group in SOUNDS_LIKE
    for word in group
}


def normal_key(text: str) -> str:
    """Return the sentence without case, punctuation and spacing: what splits are made by."""
    return " ".join(re.findall(r"[\w']+", text.lower().replace("’", "'")))


def number_words(number: int) -> str:
    """Return an English cardinal, 0 to 999,999, as it is said."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens] + (f" {_ONES[ones]}" if ones else "")
    size, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    many, rest = divmod(number, size)
    return f"{number_words(many)} {name}" + (f" {number_words(rest)}" if rest else "")


def ordinal_words(number: int) -> str:
    """Return an English ordinal, 1 to 999,999, as it is said."""
    *before, last = number_words(number).split()
    value = CARDINALS.get(last)
    return " ".join([*before, f"{last}th" if value is None else _ORDINAL_OF[value]])


def _ordinal_as_said(match: re.Match[str]) -> str:
    number = int(match[1])
    return ordinal_words(number) if 0 < number < 1_000_000 else match[0]


def _year_words(number: int) -> str:
    century, rest = divmod(number, 100)
    if rest == 0:
        return f"{number_words(century)} hundred"
    return f"{number_words(century)} {'oh ' if rest < 10 else ''}{number_words(rest)}"


def _digits_as_said(match: re.Match[str]) -> str:
    digits = match.group().replace(",", "")
    number = int(digits)
    if len(digits) > 6 or (len(digits) > 1 and digits[0] == "0"):
        return " ".join(_ONES[int(digit)] for digit in digits)
    if 1100 <= number < 2000 and "," not in match.group():
        return _year_words(number)
    return number_words(number)


def _clock_as_said(match: re.Match[str]) -> str:
    hour, minute = int(match.group(1)), int(match.group(2))
    if minute == 0:
        return number_words(hour)
    return f"{number_words(hour)} {'oh ' if minute < 10 else ''}{number_words(minute)}"


def spoken_form(text: str) -> str:
    """Return English `text` as a recogniser writes it: no capitals, no marks, number words."""
    text = text.lower().replace("’", "'").replace("%", " percent").replace("°", " degrees ")
    text = re.sub(r"\$(\d[\d,]*)", r"\1 dollars", text).replace("&", " and ")
    text = re.sub(r"\b([ap])\.m\b\.?", r"\1m", text)
    text = re.sub(r"\b(\d{1,2}):(\d\d)\b", _clock_as_said, text)
    text = re.sub(r"(\d)\.(\d)", r"\1 point \2", text)
    text = re.sub(r"\b(\d+)(?:st|nd|rd|th)\b", _ordinal_as_said, text)
    text = re.sub(r"\d[\d,]*\d|\d", _digits_as_said, text)
    text = re.sub(r"[^\w' ]|_", " ", text)
    return " ".join(word for word in (w.strip("'") for w in text.split()) if word)


def plain_form(text: str, language: str) -> str:
    """Return a text without capitals and marks, in English as a recogniser writes it."""
    if language == "en":
        return spoken_form(text)
    return " ".join(re.sub(r"[^\w'’% -]", " ", text.lower()).split())


def slips(text: str, draw: random.Random) -> str:
    """Return a spoken form with one small recognition error: a word confused, lost or doubled."""
    words = text.split()
    at = draw.randrange(len(words))
    kind = draw.random()
    swaps = [i for i, word in enumerate(words) if word in _SWAPS]
    if swaps and kind < 0.7:
        at = draw.choice(swaps)
        words[at] = draw.choice(_SWAPS[words[at]])
    elif kind < 0.8 and len(words) > 3:
        words.insert(at, words[at])
    elif len(words) > 3 and words[at] in {"the", "a", "of", "is", "to", "that", "please"}:
        del words[at]
    return " ".join(words)
