"""The numbers of a text, and which of them a translation lost.

A network may drop or misspell a number that it seldom met. What is checked are figures; a small
number may be written out in the translation, an hour may be told by the other clock.
"""

import re
from collections import Counter
from dataclasses import dataclass

from edgeasr.number_words import CARDINALS

__all__ = [
    "DECIMAL", "LANGUAGES", "THOUSANDS", "Figure", "figures", "lost_figures", "names", "written",
]  # fmt: skip

LANGUAGES = ("en", "fr", "de", "es")
THOUSANDS = {"en": ",", "fr": " ", "de": ".", "es": "."}
DECIMAL = {"en": ".", "fr": ",", "de": ",", "es": ","}
_GROUP_MARKS = {"en": ",", "fr": " .\u202f\xa0", "de": " .\u202f\xa0", "es": " .\u202f\xa0"}
_AN_HOUR = re.compile(r":\d|\s?(?:[ap]\.?m\b|o'clock|h\b|uhr)", re.IGNORECASE)
_ORDINAL = re.compile(r"(?:st|nd|rd|th|e|er|ème)\b|\.\s[a-zä]")  # 3rd, 3e, German "3. Mai"
_MOST_SPELLED = 12
"""Ordinals up to here are words in other languages"""
_ENGLISH = {str(value): word for word, value in CARDINALS.items() if value > 1}
_NAMES = {"en": _ENGLISH} | {
    language: dict(zip(_ENGLISH, names.split(), strict=True)) for language, names in {
        "fr": "deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze "
        "seize dix-sept dix-huit dix-neuf vingt trente quarante cinquante soixante soixante-dix "
        "quatre-vingts quatre-vingt-dix",
        "de": "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn "
        "fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig dreißig vierzig fünfzig sechzig "
        "siebzig achtzig neunzig",
        "es": "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
        "dieciséis diecisiete dieciocho diecinueve veinte treinta cuarenta cincuenta sesenta "
        "setenta ochenta noventa",
    }.items()
}  # fmt: skip
"""Numbers of one word (in English), by language"""
_LONG = 5  # digits of telephone numbers, whose groups may differ
_HUNDREDS = {
    "en": {"100": r"hundred", "1000": r"thousand"}, "fr": {"100": r"cent", "1000": r"mille"},
    "de": {"100": r"hundert", "1000": r"tausend"}, "es": {"100": r"cien\w*", "1000": r"mil"},
}  # fmt: skip
_PARTS = {
    "en": {"15": "quarter", "30": "half", "45": "quarter"},
    "fr": {"15": "quart", "30": "demie?", "45": "quart"},
    "de": {"15": "viertel", "30": "halb", "45": "viertel"},
    "es": {"15": "cuarto", "30": "media", "45": "cuarto"},
}
"""Minutes that have names"""


@dataclass(frozen=True)
class Figure:
    """A number as it stands in a text."""

    start: int
    end: int
    value: str
    """Digits, with a point before decimals; zeros in front stay"""
    hour: bool
    """Whether it is the hour of a time"""
    ordinal: bool


def figures(text: str, language: str) -> list[Figure]:
    """Return the numbers that are written in digits; "1" is left out, it may be an article."""
    marks, point = re.escape(_GROUP_MARKS[language]), re.escape(DECIMAL[language])
    grouped = rf"\d{{1,3}}(?:[{marks}]\d{{3}})+(?!\d)(?:{point}\d+)?"
    pattern = rf"{grouped}|\d{{3,}}(?: \d{{2,}})+|\d+(?:{point}\d{{1,2}}(?!\d))?"
    found = []
    for match in re.finditer(pattern, text):
        whole, _, decimals = match.group().partition(DECIMAL[language])
        value = re.sub(r"\D", "", whole) + (f".{decimals}" if decimals else "")
        if value == "1":
            continue
        hour = bool(_AN_HOUR.match(text, match.end())) and len(value) < 3
        ordinal = bool(_ORDINAL.match(text, match.end()))
        found.append(Figure(match.start(), match.end(), value, hour, ordinal))
    return found


def lost_figures(text: str, translation: str, source: str, target: str) -> list[Figure]:
    """Return the numbers of `text` that its translation does not hold; both in LANGUAGES."""
    left = Counter(figure.value for figure in figures(translation, target))
    digits = re.sub(r"(?<=\d)[ .\u202f\xa0-](?=\d)", "", translation)
    lost = []
    for figure in figures(text, source):
        if len(figure.value) >= _LONG and figure.value in digits:
            continue
        same = next((value for value in _same(figure) if left[value]), None)
        if same is not None:
            left[same] -= 1
        elif not _may_go(figure, text) and not _spelled(figure.value, translation, target):
            lost.append(figure)
    return lost


def written(figure: Figure, said: str, language: str) -> str:
    """Return a number as `language` writes it; `said` tells whether thousands are set apart."""
    whole, _, decimals = figure.value.partition(".")
    if re.match(r"\d{1,3}\D\d{3}", said):
        whole = f"{int(whole):,}".replace(",", THOUSANDS[language])
    return whole + (f"{DECIMAL[language]}{decimals}" if decimals else "")


def _same(figure: Figure) -> list[str]:
    """Return what a number may be in the translation."""
    plain = figure.value.lstrip("0") or "0"
    if not figure.hour or "." in plain:
        return [figure.value, plain]
    hour = int(plain)
    return [figure.value, plain, str((hour + 12) % 24), str(hour % 12)]


def _may_go(figure: Figure, text: str) -> bool:
    """Return whether a good translation may do without: 7:00, the 1960s, 3rd."""
    if text[: figure.start].endswith(":") and not figure.value.strip("0"):
        return True
    return text[figure.end :].startswith("s") or (
        figure.ordinal and float(figure.value) <= _MOST_SPELLED
    )


def _spelled(value: str, translation: str, language: str) -> bool:
    return bool(re.search(rf"(?i)\b(?:{'|'.join(names(value, language))})", translation))


def names(value: str, language: str) -> list[str]:
    """Return patterns of what a number may be called; at least one, which may match nothing."""
    tables = (_NAMES[language], _HUNDREDS[language], _PARTS[language])
    return [table[value] for table in tables if value in table] or [r"(?!)"]
