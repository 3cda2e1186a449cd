"""Values that commands name: numbers, durations, clock times, words of lists, first names."""

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

from edgeasr.figures import DECIMAL, LANGUAGES, THOUSANDS
from training.translator_nouns import Form

__all__ = ["VALUES", "Phrases", "word_phrases"]

Phrases = dict[str, Form]
"""Language -> phrase"""
TEXTS = Path(__file__).parent / "texts"
_ARTICLES = (("du ", "le "), ("de la ", "la "), ("des ", "les "), ("de l'", "l'"))
_SIZES = ((2, 12), (13, 99), (13, 99), (100, 999), (1000, 99_999))
_UNITS = {
    "second": ("seconde", "Sekunde", "segundo"),
    "minute": ("minute", "Minute", "minuto"),
    "hour": ("heure", "Stunde", "hora"),
}


def _percentage(draw: random.Random) -> Phrases:
    number = draw.choice([*range(5, 101, 5), *range(10, 101, 10), draw.randint(1, 100)])
    written = Form(f"{number} %")
    english = draw.choice((f"{number}%", f"{number} percent"))
    return {"en": Form(english), "fr": written, "de": written, "es": written}


def _degrees_between(low: int, high: int) -> Callable[[random.Random], Phrases]:
    def make(draw: random.Random) -> Phrases:
        number = draw.randint(low, high) * (10 if low > 10 and high > 100 else 1)
        many = "" if number == 1 else "s"
        return {
            "en": Form(f"{number} degree{many}"),
            "fr": Form(f"{number} degré{many}"),
            "de": Form("ein Grad" if number == 1 else f"{number} Grad"),
            "es": Form(f"{number} grado{many}"),
        }

    return make


def _temperature(draw: random.Random) -> Phrases:
    """Return degrees of a room, now and then with a half, or in Fahrenheit."""
    if draw.random() < 0.6:
        return _degrees_between(5, 30)(draw)
    if draw.random() < 0.6:
        return _degrees_between(31, 99)(draw)
    number = draw.randint(10, 29)
    names = {"en": "degrees", "fr": "degrés", "de": "Grad", "es": "grados"}
    return {
        language: Form(f"{number}{DECIMAL[language]}5 {name}") for language, name in names.items()
    }


def _many(draw: random.Random) -> Phrases:
    """Return a number of any size that people name, thousands set apart."""
    low, high = draw.choice(_SIZES)
    number = draw.randint(low, high)
    if number >= 1000 and draw.random() < 0.6:
        number = round(number, -2)
    return {
        language: Form(f"{number:,}".replace(",", mark)) for language, mark in THOUSANDS.items()
    }


def _age(draw: random.Random) -> Phrases:
    return dict.fromkeys(LANGUAGES, Form(str(draw.randint(2, 104))))


def _year(draw: random.Random) -> Phrases:
    low, high = draw.choice(((1100, 1899), (1900, 1999), (1900, 1999), (2000, 2040)))
    return dict.fromkeys(LANGUAGES, Form(str(draw.randint(low, high))))


def _telephone(draw: random.Random) -> Phrases:
    length = draw.choice((4, 5, 6, 7, 8))
    return dict.fromkeys(LANGUAGES, Form("".join(draw.choices("0123456789", k=length))))


def _oven(draw: random.Random) -> Phrases:
    number = draw.randrange(120, 260, 10)
    return {
        "en": Form(f"{number} degrees"), "fr": Form(f"{number} degrés"),
        "de": Form(f"{number} Grad"), "es": Form(f"{number} grados"),
    }  # fmt: skip


def _number(draw: random.Random) -> Phrases:
    high = draw.choice((30, 30, 100, 999))
    return dict.fromkeys(LANGUAGES, Form(str(draw.randint(1, high))))


def _one_unit(number: int, unit: str) -> Phrases:
    french, german, spanish = _UNITS[unit]
    if number == 1:
        one = "una" if spanish.endswith("a") else "un"
        return {
            "en": Form(f"1 {unit}", bare=f"1 {unit}"),
            "fr": Form(f"une {french}", de=f"d'une {french}"),
            "de": Form(f"eine {german}", dat=f"einer {german}"),
            "es": Form(f"{one} {spanish}"),
        }
    return {
        "en": Form(f"{number} {unit}s", bare=f"{number} {unit}"),
        "fr": Form(f"{number} {french}s", de=f"de {number} {french}s"),
        "de": Form(f"{number} {german}n", dat=f"{number} {german}n"),
        "es": Form(f"{number} {spanish}s"),
    }


def _halves(draw: random.Random) -> Phrases:
    if draw.random() < 0.5:
        return {
            "en": Form("half an hour", bare="half hour"),
            "fr": Form("une demi-heure", de="d'une demi-heure"),
            "de": Form("eine halbe Stunde", dat="einer halben Stunde"),
            "es": Form("media hora"),
        }
    return {
        "en": Form("an hour and a half", bare="one and a half hour"),
        "fr": Form("une heure et demie", de="d'une heure et demie"),
        "de": Form("eineinhalb Stunden", dat="eineinhalb Stunden"),
        "es": Form("una hora y media"),
    }


def _duration(draw: random.Random) -> Phrases:
    kind = draw.random()
    if kind < 0.08:
        return _halves(draw)
    unit = draw.choice(("second", "minute", "minute", "minute", "hour"))
    most = {"second": 90, "minute": 90, "hour": 12}[unit]
    number = draw.choice((1, 2, 3, 5, 10, 15, 20, 30, 45, draw.randint(1, most)))
    first = _one_unit(min(number, most), unit)
    if kind < 0.8 or unit == "second":
        return first
    below = {"hour": "minute", "minute": "second"}[unit]
    second = _one_unit(draw.choice((5, 10, 15, 20, 30, 45)), below)
    joined = {"en": draw.choice((" ", " and ")), "fr": " et ", "de": " und ", "es": " y "}
    return {
        language: Form(f"{first[language]}{joined[language]}{second[language]}", **{
            name: f"{text}{joined[language]}{getattr(second[language], name).removeprefix('de ')}"
            for name, text in first[language].__dict__.items()
        })
        for language in joined
    }  # fmt: skip


def _special_time(draw: random.Random) -> Phrases:
    if draw.random() < 0.5:
        return {
            "en": Form("noon"), "fr": Form("midi"), "de": Form("12 Uhr mittags"),
            "es": Form("mediodía", a="al mediodía", de="del mediodía", las="el mediodía"),
        }  # fmt: skip
    return {
        "en": Form("midnight"), "fr": Form("minuit"), "de": Form("Mitternacht"),
        "es": Form("medianoche", a="a medianoche", de="de medianoche", las="medianoche"),
    }  # fmt: skip


def _english_clock(hour: int, minute: int, draw: random.Random) -> str:
    if draw.random() < 0.2:
        words = {15: "quarter past", 30: "half past", 10: "ten past", 20: "twenty past"}
        if minute in words:
            return f"{words[minute]} {hour}"
        if minute == 45:
            return f"quarter to {hour % 12 + 1}"
    return f"{hour}:{minute:02d}" if minute else draw.choice((f"{hour}", f"{hour} o'clock"))


def _time(draw: random.Random) -> Phrases:
    if draw.random() < 0.06:
        return _special_time(draw)
    if draw.random() < 0.1:
        return _afternoon(draw)
    hour = draw.randint(1, 12)
    some = (draw.randrange(5, 60, 5), draw.randint(1, 59))
    minute = draw.choice((0, 0, 0, 0, 15, 30, 30, 45, 10, 20, *some))
    half = draw.choice(("", "", " am", " pm")) if hour < 12 else ""
    english = _english_clock(hour, minute, draw)
    if half:
        english = f"{hour}:{minute:02d}{half}" if minute else f"{hour}{half}"
    full = hour + 12 if half == " pm" else hour
    minutes = f":{minute:02d}" if minute else ""
    plain = f"{hour}{minutes} {'pm' if half == ' pm' or hour == 12 else 'am'}"
    part = "" if not half else " de la mañana" if half == " am" else (
        " de la tarde" if hour < 8 else " de la noche")  # fmt: skip
    las = f"{'la' if hour == 1 else 'las'} {hour}{f':{minute:02d}' if minute else ''}{part}"
    return {
        "en": Form(english, plain=Form(plain)),
        "fr": Form(f"{full} h {minute:02d}" if minute else f"{full} h"),
        "de": Form(f"{full}:{minute:02d} Uhr" if minute else f"{full} Uhr"),
        "es": Form(las, a=f"a {las}", de=f"de {las}", las=las),
    }


def _afternoon(draw: random.Random) -> Phrases:
    """Return a time of the 24 hour clock."""
    hour, minute = draw.randint(13, 23), draw.randint(0, 59)
    clock = f"{hour}:{minute:02d}"
    las = f"las {clock}"
    return {
        "en": Form(clock, plain=Form(clock)), "fr": Form(f"{hour} h {minute:02d}"),
        "de": Form(f"{clock} Uhr"), "es": Form(las, a=f"a {las}", de=f"de {las}", las=las),
    }  # fmt: skip


@cache
def _names() -> list[tuple[str, str]]:
    rows = []
    for kind, pronoun in (("men", "il"), ("women", "elle")):
        names = (TEXTS / f"{kind}.txt").read_text(encoding="utf-8").split()
        rows += [(name, pronoun) for name in names]
    return rows


def _name(draw: random.Random) -> Phrases:
    name, pronoun = draw.choice(_names())
    plain = Form(name)
    return {"en": plain, "fr": Form(name, il=pronoun), "de": plain, "es": plain}


@cache
def _words() -> dict[str, list[dict[str, str]]]:
    lines = (TEXTS / "words.tsv").read_text(encoding="utf-8").splitlines()
    kinds: dict[str, list[dict[str, str]]] = {}
    for line in lines[1:]:
        kind, *texts = line.split("\t")
        kinds.setdefault(kind, []).append(dict(zip(LANGUAGES, texts, strict=True)))
    return kinds


def word_phrases(kind: str, draw: random.Random, *, plain: bool = False) -> Phrases:
    """Return a word of a list (colour, day, item...) in every language. Raises KeyError.

    `plain` gives the list's first English for the same French, with a name's capitals.
    """
    row = draw.choice(_words()[kind])
    if plain:
        row = next(other for other in _words()[kind] if other["fr"] == row["fr"])
        if kind == "artist":
            row = {**row, "en": row["en"].title().replace("The ", "the ")}
    french = row["fr"]
    definite = french
    for partitive, article in _ARTICLES:
        if french.startswith(partitive):
            definite = french.replace(partitive, article, 1)
    of = f"d'{french}" if french[0] in "aeiouéh" else f"de {french}"
    forms = {language: Form(text) for language, text in row.items()}
    return {**forms, "fr": Form(french, de=of, le=definite)}


VALUES: dict[str, Callable[[random.Random], Phrases]] = {
    "pct": _percentage, "temp": _temperature, "degrees": _degrees_between(1, 5),
    "oven": _oven, "n": _number, "dur": _duration, "time": _time, "name": _name,
    "many": _many, "age": _age, "year": _year, "phone": _telephone,
}  # fmt: skip
