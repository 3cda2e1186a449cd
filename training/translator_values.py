"""Values that commands name: numbers, words of lists, first names."""

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

from edgeasr.figures import DECIMAL, LANGUAGES, THOUSANDS
from training.translator_nouns import Form, Phrases
from training.translator_times import clock_time, duration

__all__ = ["VALUES", "word_phrases"]

TEXTS = Path(__file__).parent / "texts"
_ARTICLES = (("du ", "le "), ("de la ", "la "), ("des ", "les "), ("de l'", "l'"))
_SIZES = ((2, 12), (13, 99), (13, 99), (100, 999), (1000, 99_999))


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
    "oven": _oven, "n": _number, "dur": duration, "time": clock_time, "name": _name,
    "many": _many, "age": _age, "year": _year, "phone": _telephone,
}  # fmt: skip
