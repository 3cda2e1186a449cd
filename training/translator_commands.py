"""Commands in both languages from templates with the same slots; a share of templates is held out.

`texts/commands.tsv` gives a meaning per row: English wordings, and what a native speaker says in
French, German and Spanish, `<imperative|infinitive>` or `imperative || infinitive`. A wording other
than the row's first may be held out with all its sentences, under every frame.
"""

import random
import re
from functools import cache

from edgeasr.figures import LANGUAGES
from training.manifest import in_held_out_share
from training.translator_data import Pair, tidy_target
from training.translator_nouns import Form, Noun, Phrases, named_place, phrase, where
from training.translator_templates import SLOT, Template, draw_pairs
from training.translator_times import date
from training.translator_values import TEXTS, VALUES, word_phrases

__all__ = [
    "DEV_SHARE", "NEGATIVE", "TEST_SHARE", "agree", "command_pairs", "draw_slots", "templates",
    "two_forms",
]  # fmt: skip

CORE = {"switch on {}", "volume down", "turn it down", "turn {} down"}
"""Too common to be held out"""
DATE_SHARE = 0.2  # of days
TEST_SHARE, DEV_SHARE = 0.12, 0.06
NEGATIVE = ("don't", "do not", "never")
_WISHES = ("i want", "i would like")
_NO_FRAME = (
    "lights o", "{", "all ", "brightness", "volume", "louder", "quieter", "next",
    "previous", "timer", "alarm", "mute", "music",
)  # fmt: skip


@cache
def _nouns() -> dict[str, list[Noun]]:
    lines = (TEXTS / "nouns.tsv").read_text(encoding="utf-8").splitlines()
    classes: dict[str, list[Noun]] = {}
    for line in lines[1:]:
        names, *words = line.split("\t")
        noun = Noun(tuple(names.split(",")), dict(zip(LANGUAGES, words, strict=True)))
        for name in noun.classes:
            classes.setdefault(name, []).append(noun)
    return classes


@cache
def _frames() -> dict[str, tuple[float, dict[str, str]]]:
    """Return weight and targets by English frame; {i} is the imperative, {f} the infinitive."""
    lines = (TEXTS / "frames.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines[1:]]
    return {
        english: (float(weight), dict(zip(LANGUAGES[1:], others, strict=True)))
        for weight, english, *others in rows
    }


@cache
def templates() -> tuple[Template, ...]:
    """Return every wording with its split."""
    found = []
    lines = (TEXTS / "commands.tsv").read_text(encoding="utf-8").splitlines()
    for line in lines[1:]:
        form, english, *others = line.split("\t")
        targets = dict(zip(LANGUAGES[1:], others, strict=True))
        for rank, wording in enumerate(english.split(" | ")):
            found.append(Template(form, wording, targets, _split(wording, rank)))
    taught = {_bones(template.english) for template in found if template.split == "train"}
    return tuple(
        template if _bones(template.english) not in taught or template.split == "train"
        else Template(template.form, template.english, template.targets, "train")
        for template in found
    )  # fmt: skip


def _bones(wording: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", wording)


def _split(wording: str, rank: int) -> str:
    """Return the split of a wording; the first of a row is always taught."""
    bones = _bones(wording)
    if not rank or bones in CORE:
        return "train"
    if in_held_out_share(bones, TEST_SHARE, salt="template-test"):
        return "test"
    if in_held_out_share(bones, DEV_SHARE, salt="template-dev"):
        return "dev"
    return "train"


def command_pairs(language: str, split: str, count: int) -> list[Pair]:
    """Return `count` draws of one split of the templates; the same on every call."""
    draw = random.Random(f"commands {split}")
    return draw_pairs(
        templates(), split, count, draw,
        make=lambda template: _draw_pair(template, language, draw), said=lambda pair: pair.english,
    )  # fmt: skip


def _draw_pair(template: Template, language: str, draw: random.Random) -> Pair:
    slots = draw_slots(template.english, draw)
    english = template.english.format(**{name: forms["en"] for name, forms in slots.items()})
    english = agree(re.sub(r"\b([Aa]) (8|11|18|8\d)\b", r"\1n \2", english), slots)
    parts = {name: forms[language] for name, forms in slots.items()}
    imperative, infinitive = (
        text.format(**parts) for text in two_forms(template.targets[language])
    )
    english = english.replace(" for on ", " for ")  # "an alarm for monday"
    frame = _frame(template, draw)
    english = frame.format(i=english)
    if template.form == "!":
        target = _frames()[frame][1][language]
        target = target.format(i=imperative, f=infinitive)
    else:
        target = imperative + ("." if template.form == "." else "?")
        if language == "es" and template.form == "?":
            target = "¿" + target[0].upper() + target[1:]
    target = tidy_target(target[0].upper() + target[1:], language)
    return Pair(_written(english, template.form, frame, draw), target, "commands", template.english)


def _frame(template: Template, draw: random.Random) -> str:
    """Return an English frame.

    What is not to be done is at most asked with "please"; nobody wishes to "tell me a joke".
    """
    if template.form != "!" or template.english.startswith(_NO_FRAME):
        return "{i}"
    frames = _frames()
    if template.english.startswith(NEGATIVE):
        frames = {name: frame for name, frame in frames.items() if "{i}" in frame[1]["fr"]}
    if " me " in template.english:
        frames = {name: frame for name, frame in frames.items() if not name.startswith(_WISHES)}
    return draw.choices(list(frames), [weight for weight, _ in frames.values()])[0]


def draw_slots(wording: str, draw: random.Random, *, plain: bool = False) -> dict[str, Phrases]:
    """Return what stands in each slot of a wording; `plain`: English in its one usual form."""
    slots: dict[str, Phrases] = {}
    for name in dict.fromkeys(SLOT.findall(wording)):
        slots[name] = _draw_slot(name, draw, plain=plain)
        while slots[name]["en"] == slots.get(name[:-1], {}).get("en"):
            slots[name] = _draw_slot(name, draw, plain=plain)
    return slots


def two_forms(target: str) -> tuple[str, str]:
    """Return the imperative and the infinitive of a target."""
    if "||" in target:
        imperative, infinitive = target.split(" || ")
        return imperative, infinitive
    pattern = r"<([^|>]*)\|([^>]*)>"
    return re.sub(pattern, r"\1", target), re.sub(pattern, r"\2", target)


def _draw_slot(name: str, draw: random.Random, *, plain: bool) -> Phrases:
    kind = name.rstrip("2")
    if kind in VALUES:
        phrases = VALUES[kind](draw)
        return {**phrases, "en": getattr(phrases["en"], "plain", phrases["en"]) if plain else
                phrases["en"]}  # fmt: skip
    nouns = _nouns()
    if kind in ("where", "room"):
        spot = _place(draw, floors=kind == "where", plain=plain)
        make = where if kind == "where" else named_place
        return {language: make(spot, language) for language in LANGUAGES}
    if kind == "day" and draw.random() < DATE_SHARE:
        return date(draw)
    if kind not in nouns:
        return word_phrases(kind, draw, plain=plain)
    noun = draw.choice(nouns[kind])
    if plain:
        noun = _usual(noun, kind)
    share = {"light": 0.7, "dim": 0.6, "door": 1.0, "ownlock": 0.04, "owncover": 0.04}.get(
        kind, 0.5
    )
    place = _place(draw, floors=False, plain=plain) if draw.random() < share else None
    forms = {language: phrase(noun, place, language) for language in LANGUAGES[1:]}
    return {"en": _english(noun, place, None if plain else draw), **forms}


def _place(draw: random.Random, *, floors: bool, plain: bool) -> Noun:
    nouns = _nouns()
    if floors and draw.random() < 0.15:
        return draw.choice(nouns["floor"])
    kinds = ("room",) if draw.random() < 0.5 else ("room", "room-on")
    rooms = nouns["room"][:24] if len(kinds) == 1 else nouns["room"] + nouns["room-on"]
    place = draw.choice(rooms)
    return _usual(place, *kinds) if plain else place


def _usual(noun: Noun, *kinds: str) -> Noun:
    """Return the first noun with the same French: "living room" and not "lounge" for "salon"."""
    rows = [other for kind in kinds for other in _nouns()[kind]]
    return next(other for other in rows if other.words["fr"] == noun.words["fr"])


def _english(noun: Noun, place: Noun | None, draw: random.Random | None) -> Form:
    """Return a device in English, with the order and the articles of the usual form for no draw."""
    chance = draw.random if draw is not None else (lambda: 0.5)
    word = noun.words["en"]
    many = "many" if noun.plural else "one"
    if place is None:
        article = "" if chance() < 0.06 else "the "
        return Form(article + word, bare=word, number=many)
    room = place.words["en"]
    if chance() < 0.6:
        article = "" if chance() < 0.12 else "the "
        return Form(f"{article}{room} {word}", bare=f"{room} {word}", number=many)
    text = f"the {word} {where(place, 'en')}"
    return Form(text, bare=f"{room} {word}", number=many)


def agree(english: str, slots: dict[str, Phrases]) -> str:
    """Return a question with "is" or "are" as its first noun asks for."""
    counts = [getattr(forms["en"], "number", None) for forms in slots.values()]
    if counts and counts[0] and english.startswith(("is ", "are ")):
        verb = "are" if counts[0] == "many" else "is"
        return f"{verb} {english.split(' ', 1)[1]}"
    return english


def _written(english: str, form: str, frame: str, draw: random.Random) -> str:
    """Return the sentence as people type it: often with a capital and a final mark."""
    if draw.random() < 0.5:
        return english
    asks = form == "?" or frame.startswith(("can", "could", "would", "will"))
    return english[0].upper() + english[1:] + ("?" if asks else draw.choice((".", ".", "!", "")))
