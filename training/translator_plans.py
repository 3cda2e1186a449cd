"""What somebody is doing, going to or visiting: sentences in the present progressive.

Tatoeba has next to none with a place or a month ("is visiting" occurs twice in 164,551 pairs), so
that a model reads "is visiting" as a passive. `texts/verbs.tsv` gives a verb's six persons and the
rest of the sentence. Some places are held out for each verb.
"""

import random
import re
from dataclasses import dataclass
from functools import cache

from edgeasr.figures import LANGUAGES
from training.manifest import in_held_out_share
from training.translator_data import Pair, split_of
from training.translator_nouns import Form, Phrases
from training.translator_values import TEXTS, word_phrases

__all__ = ["plan_pairs"]

HELD_OUT_SHARE = 0.12
SALT = "plans 2"
"""Holds out "visiting Africa" among others"""
_VOWELS = "aeiouyéèêâAEIOUYÉÈÎ"
_BE = ("am", "are", "is", "are", "are", "are")
_NOT = {"am": "am not", "are": "aren't", "is": "isn't"}
_SUBJECTS = (
    ("I", 0, "je", "ich", "yo"), ("you", 1, "tu", "du", "tú"), ("he", 2, "il", "er", "él"),
    ("she", 2, "elle", "sie", "ella"), ("we", 3, "nous", "wir", "nosotros"),
    ("they", 5, "ils", "sie", "ellos"),
    ("my sister", 2, "ma sœur", "meine Schwester", "mi hermana"),
    ("my brother", 2, "mon frère", "mein Bruder", "mi hermano"),
    ("my parents", 5, "mes parents", "meine Eltern", "mis padres"),
    ("our neighbour", 2, "notre voisin", "unser Nachbar", "nuestro vecino"),
)  # fmt: skip
_WHEN = (
    ("", "", "", ""), ("next year", "l'année prochaine", "nächstes Jahr", "el año que viene"),
    ("next month", "le mois prochain", "nächsten Monat", "el mes que viene"),
    ("this summer", "cet été", "diesen Sommer", "este verano"),
    ("next summer", "l'été prochain", "nächsten Sommer", "el próximo verano"),
    ("at the moment", "en ce moment", "im Moment", "en este momento"),
)  # fmt: skip


@dataclass(frozen=True)
class _Subject:
    english: str
    person: int
    """0 to 5: I, you, he or she, we, you all, they"""
    words: dict[str, str]


def plan_pairs(language: str, split: str, count: int) -> list[Pair]:
    """Return `count` different sentences of a split, train or test; the same on every call."""
    draw = random.Random(f"plans {split}")
    found: dict[str, Pair] = {}
    for _ in range(40 * count):
        pair = _draw(language, split, draw)
        if pair is not None and (split != "train" or split_of(pair.english) == "train"):
            found.setdefault(pair.english, pair)
        if len(found) == count:
            break
    return list(found.values())


def _draw(language: str, split: str, draw: random.Random) -> Pair | None:
    verb = draw.choice(_table("verbs"))
    slots = {name: _SLOTS[name](draw) for name in _SLOTS if f"{{{name}}}" in verb["en"]}
    phrase = verb["en"].format(**{name: forms["en"] for name, forms in slots.items()})
    held_out = in_held_out_share(phrase, HELD_OUT_SHARE, salt=SALT)
    if held_out != (split == "test") or any(not forms[language] for forms in slots.values()):
        return None
    subject, when, kind = _subject(draw), _when(draw), draw.choices("+-?", (6, 2, 2))[0]
    english = _english(subject, f"{phrase} {when['en']}".strip(), kind, draw)
    forms, rest = _persons(verb[language])
    values = {name: phrases[language] for name, phrases in slots.items()}
    write = {"fr": _french, "de": _german, "es": _spanish}[language]
    form = forms[subject.person]
    other = write(subject.words[language], form, (rest, values), str(when[language]), kind)
    other = " ".join(other.split())
    return Pair(english, other[0].upper() + other[1:] if other[0] != "¿" else other, "plans")


def _persons(text: str) -> tuple[list[str], str]:
    """Return the six forms, each of which may hold a pronoun ("me rends"), and the rest."""
    *first, last = text.split("/")
    words = 2 if " " in first[0] else 1
    ending = last.split(" ")
    return [*first, " ".join(ending[:words])], " ".join(ending[words:])


def _english(subject: _Subject, phrase: str, kind: str, draw: random.Random) -> str:
    be = _BE[subject.person]
    if kind == "?":
        return f"{be.capitalize()} {subject.english} {phrase}?"
    verb = f" {be}" if kind == "+" else draw.choice((f" {be} not", f" {_NOT[be]}"))
    if kind == "+" and " " not in subject.english and draw.random() < 0.25:
        verb = {"am": "'m", "are": "'re", "is": "'s"}[be]
    text = f"{subject.english}{verb} {phrase}."
    return text[0].upper() + text[1:]


def _french(
    subject: str, form: str, rest: tuple[str, dict[str, Form]], when: str, kind: str
) -> str:
    tail = f"{rest[0].format(**rest[1])} {when}".strip()
    if kind == "-":
        form = f"{'n' + chr(39) if form[0] in _VOWELS else 'ne '}{form} pas"
    if subject == "je" and form[0] in _VOWELS:
        subject, form = "", f"j'{form}"
    clause = f"{subject} {form} {tail}".strip()
    if kind == "?":
        return f"Est-ce {'qu' + chr(39) if clause[0] in _VOWELS else 'que '}{clause} ?"
    return f"{clause}."


def _german(
    subject: str, form: str, rest: tuple[str, dict[str, Form]], when: str, kind: str
) -> str:
    no = kind == "-"
    words = {"nicht": "nicht" if no else "", "kein": "kein" if no else "ein",
             "keine": "keine" if no else "eine", "when": when}  # fmt: skip
    tail = rest[0].format(**rest[1], **words)
    if kind == "?":
        return " ".join(f"{form[0].upper()}{form[1:]} {subject} {tail}".split()) + "?"
    return " ".join(f"{subject} {form} {tail}".split()) + "."


def _spanish(
    subject: str, form: str, rest: tuple[str, dict[str, Form]], when: str, kind: str
) -> str:
    tail = " ".join(rest[0].format(**rest[1], when=when).split())
    pronoun = subject in {"yo", "tú", "nosotros"}
    if kind == "?":
        clause = f"{form} {'' if pronoun else subject} {tail}"
        return f"¿{clause[0].upper()}{' '.join(clause[1:].split())}?"
    return f"{'' if pronoun else subject} {'no' if kind == '-' else ''} {form} {tail}."


def _subject(draw: random.Random) -> _Subject:
    if draw.random() < 0.5:
        name = draw.choice(_first_names())
        return _Subject(name, 2, dict.fromkeys(LANGUAGES[1:], name))
    english, person, *others = draw.choice(_SUBJECTS)
    return _Subject(english, person, dict(zip(LANGUAGES[1:], others, strict=True)))


def _when(draw: random.Random) -> Phrases:
    kind = draw.random()
    if kind < 0.45:
        row = _places("month", "month-vowel", draw)
        return {
            "en": Form(f"in {row['en']}"), "fr": Form(f"en {row['fr']}"),
            "de": Form(f"im {row['de']}"), "es": Form(f"en {row['es']}"),
        }  # fmt: skip
    if kind < 0.7:
        day = word_phrases("day", draw)
        return {**day, "en": Form(re.sub("on (.)", lambda m: f"on {m[1].upper()}", day["en"]))}
    return dict(zip(LANGUAGES, map(Form, draw.choice(_WHEN)), strict=True))


def _land(draw: random.Random) -> Phrases:
    row = _places("country-f", "country-vowel", "country-m", "city", "city-vowel", draw)
    french, kind = row["fr"], row["kind"]
    definite, to = {
        "country-f": (f"la {french}", f"en {french}"),
        "country-vowel": (f"l'{french}", f"en {french}"),
        "country-m": (f"le {french}", f"au {french}"),
    }.get(kind, (french, f"à {french}"))
    forms = {language: Form(row[language]) for language in LANGUAGES}
    return {**forms, "fr": Form(french, le=definite, a=to)}


def _language(draw: random.Random) -> Phrases:
    row = _places("language", "language-vowel", draw)
    vowel = row["kind"].endswith("vowel")
    forms = {language: Form(row[language]) for language in LANGUAGES}
    return {**forms, "fr": Form(row["fr"], le=f"{'l' + chr(39) if vowel else 'le '}{row['fr']}")}


def _name(draw: random.Random) -> Phrases:
    return dict.fromkeys(LANGUAGES, Form(draw.choice(_first_names())))


_SLOTS = {"land": _land, "language": _language, "name": _name}


def _places(*arguments: str | random.Random) -> dict[str, str]:
    *kinds, draw = arguments
    assert isinstance(draw, random.Random)
    return draw.choice([row for row in _table("swaps") if row["kind"] in kinds])


@cache
def _table(name: str) -> list[dict[str, str]]:
    header, *lines = (TEXTS / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    names = header.split("\t")
    return [dict(zip(names, line.split("\t"), strict=True)) for line in lines]


@cache
def _first_names() -> list[str]:
    return [
        name
        for kind in ("men", "women")
        for name in (TEXTS / f"{kind}.txt").read_text(encoding="utf-8").split()
    ]
