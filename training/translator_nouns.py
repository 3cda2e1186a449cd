"""Noun phrases with the articles, contractions and agreement of four languages."""

import re
from dataclasses import dataclass
from typing import Self

__all__ = ["Form", "Noun", "Phrases", "named_place", "phrase", "where"]

GERMAN = {
    "m": ("der", "den", "dem", "des"),
    "f": ("die", "die", "der", "der"),
    "n": ("das", "das", "dem", "des"),
    "p": ("die", "die", "den", "der"),
}
"""Articles by gender: nominative, accusative, dative, genitive"""
_PARTICIPLES = {
    "fr": ("allumé", "fermé", "verrouillé", "déverrouillé", "éteint", "ouvert"),
    "es": ("encendid", "apagad", "abiert", "cerrad"),
}


class Form(str):
    """A phrase in its usual form, with its other forms as attributes for `str.format`."""

    __slots__ = ("__dict__",)

    def __new__(cls, text: str, **forms: str) -> Self:
        """Make a phrase; `forms` are read in templates as `{slot.name}`."""
        form = super().__new__(cls, text)
        form.__dict__.update(forms)
        return form


Phrases = dict[str, Form]
"""Language -> phrase"""


@dataclass(frozen=True)
class Noun:
    """A noun of the word list in all languages, each as `word gender`."""

    classes: tuple[str, ...]
    words: dict[str, str]

    def word(self, language: str) -> str:
        """Return the word without its gender mark."""
        text = self.words[language]
        return text if language == "en" else text.rsplit(" ", 1)[0]

    def gender(self, language: str) -> str:
        """Return m, f, n, p (German plural), mp or fp."""
        return self.words[language].rsplit(" ", 1)[1]

    @property
    def plural(self) -> bool:
        """Whether the English noun is plural."""
        return self.words["en"].endswith("s")


def _french(noun: Noun) -> dict[str, str]:
    word, gender = noun.word("fr"), noun.gender("fr")
    if gender.endswith("p"):
        return {"the": f"les {word}", "of": f"des {word}", "to": f"aux {word}"}
    if re.match(r"[aeiouyéèêhAEIOUÉ]", word) and not word.startswith(("hall", "haut")):
        return {"the": f"l'{word}", "of": f"de l'{word}", "to": f"à l'{word}"}
    if gender == "m":
        return {"the": f"le {word}", "of": f"du {word}", "to": f"au {word}"}
    return {"the": f"la {word}", "of": f"de la {word}", "to": f"à la {word}"}


def _spanish(noun: Noun) -> dict[str, str]:
    word, gender = noun.word("es"), noun.gender("es")
    article = {"m": "el", "f": "la", "mp": "los", "fp": "las"}[gender]
    of = f"del {word}" if article == "el" else f"de {article} {word}"
    return {"the": f"{article} {word}", "of": of, "in": f"en {article} {word}"}


def _german(noun: Noun) -> dict[str, str]:
    word, gender = noun.word("de"), noun.gender("de")
    nominative, accusative, dative, genitive = GERMAN[gender]
    if word.startswith(("erster", "zweiter")):
        stem, head = word.split(" ", 1)
        stem = stem.removesuffix("r")
        return {
            "nom": f"der {stem} {head}", "acc": f"den {stem}n {head}", "in": f"im {stem}n {head}",
            "dat": f"dem {stem}n {head}", "gen": f"des {stem}n {head}s",
        }  # fmt: skip
    ending = "n" if gender == "p" and not word.endswith(("n", "s")) else ""
    preposition = "auf" if "room-on" in noun.classes or noun.word("de") == "Dachboden" else "in"
    inside = "im" if preposition == "in" and dative == "dem" else f"{preposition} {dative}"
    return {
        "nom": f"{nominative} {word}",
        "acc": f"{accusative} {word}",
        "dat": f"{dative} {word}{ending}",
        "gen": f"{genitive} {word}{'s' if gender in 'mn' else ''}",
        "in": f"{inside} {word}",
    }


def where(place: Noun, language: str) -> Form:
    """Return a place as an adverb: "in the kitchen", "dans la cuisine", "in der Küche"."""
    on = "room-on" in place.classes or "floor" in place.classes
    if language == "en":
        word = place.words["en"]
        adverb = "adverb" in place.classes
        return Form(word if adverb else f"{'on' if on else 'in'} the {word}", bare=word)
    if language == "fr":
        forms = _french(place)
        inside = f"{'sur' if on else 'dans'} {forms['the']}"
        level = "floor" in place.classes or place.word("fr") == "sous-sol"
        return Form(inside, de=forms["of"], dans=forms["to"] if level else inside)
    if language == "de":
        return Form(_german(place)["in"], **{"in": _german(place)["in"]})
    forms = _spanish(place)
    return Form(forms["in"], de=forms["of"], en=forms["in"])


def named_place(place: Noun, language: str) -> Form:
    """Return a room as an object: "the kitchen", "la cuisine", "die Küche"."""
    inside = where(place, language)
    if language == "en":
        return Form(f"the {place.words['en']}")
    if language == "de":
        return Form(_german(place)["acc"], **inside.__dict__)
    return Form((_french if language == "fr" else _spanish)(place)["the"], **inside.__dict__)


def phrase(noun: Noun, place: Noun | None, language: str) -> Form:
    """Return a device, with its room where given, in every form templates ask for."""
    if language == "fr":
        return _french_phrase(noun, place)
    if language == "es":
        return _spanish_phrase(noun, place)
    tail = "" if place is None else f" {where(place, 'de')}"
    forms = {case: text + tail for case, text in _german(noun).items()}
    return Form(forms["acc"], ist="sind" if noun.gender("de") == "p" else "ist", **forms)


def _french_phrase(noun: Noun, place: Noun | None) -> Form:
    forms, gender = _french(noun), noun.gender("fr")
    tail = "" if place is None else f" {_french(place)['of']}"
    ending = {"m": "", "f": "e", "mp": "s", "fp": "es"}[gender]
    agreed = {word: word + ending for word in _PARTICIPLES["fr"]}
    return Form(
        forms["the"] + tail, de=forms["of"] + tail,
        est="sont" if gender.endswith("p") else "est",
        il={"m": "il", "f": "elle", "mp": "ils", "fp": "elles"}[gender], **agreed,
    )  # fmt: skip


def _spanish_phrase(noun: Noun, place: Noun | None) -> Form:
    forms, gender = _spanish(noun), noun.gender("es")
    tail = "" if place is None else f" {_spanish(place)['of']}"
    ending = {"m": "o", "f": "a", "mp": "os", "fp": "as"}[gender]
    agreed = {word + "o": word + ending for word in _PARTICIPLES["es"]}
    return Form(
        forms["the"] + tail, de=forms["of"] + tail,
        está="están" if gender.endswith("p") else "está", **agreed,
    )  # fmt: skip
