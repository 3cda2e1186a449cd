"""French commands to English: what French people say, with one English wording for each meaning.

The rows of `texts/commands.tsv` give the meanings; `texts/wordings.fr.tsv` adds other French
wordings to a row, by the row's first English one, and `texts/frames.fr.tsv` what is put around
them, {i} saying "tu", {v} "vous", {f} the infinitive. Wordings added may be held out.
"""

import random
import re
from dataclasses import replace
from functools import cache

from training.manifest import in_held_out_share
from training.translator_commands import (
    DEV_SHARE,
    NEGATIVE,
    TEST_SHARE,
    agree,
    draw_slots,
    templates,
    two_forms,
)
from training.translator_data import Pair
from training.translator_templates import Template, draw_pairs
from training.translator_values import TEXTS

__all__ = ["french_command_pairs", "french_templates"]

_POLITE = {
    "mets": "mettez", "éteins": "éteignez", "ouvre": "ouvrez", "réduis": "réduisez",
    "reprends": "reprenez", "reviens": "revenez", "envoie": "envoyez", "nettoie": "nettoyez",
    "renvoie": "renvoyez", "prends": "prenez", "lis": "lisez", "rappelle": "rappelez",
    "appelle": "appelez", "règle": "réglez", "lève": "levez", "répète": "répétez",
    "enlève": "enlevez", "remets": "remettez", "rétablis": "rétablissez", "descends": "descendez",
    "ralentis": "ralentissez", "éclaircis": "éclaircissez", "fais": "faites", "écris": "écrivez",
    "interromps": "interrompez", "accélère": "accélérez", "ramène": "ramenez",
    "nourris": "nourrissez", "rafraîchis": "rafraîchissez",
}  # fmt: skip
"""The imperatives to "vous" that are not the one to "tu" with a z"""
_SPELLED = (
    (r"\bi\b", "I"), (r"\btv\b", "TV"), (r"\bled\b", "LED"), (r"\bchristmas\b", "Christmas"),
    (r"\b(mon|tues|wednes|thurs|fri|satur|sun)day\b", lambda m: m[0].capitalize()),
    (r"\b(\d+) percent\b", r"\1%"), (r"\b(a) (8|11|18|8\d)\b", r"an \2"),
)  # fmt: skip


@cache
def french_templates() -> tuple[Template, ...]:
    """Return a template by French wording; its `english` is the row's first."""
    rows = (TEXTS / "wordings.fr.tsv").read_text(encoding="utf-8").splitlines()[1:]
    more = dict(row.split("\t") for row in rows)
    found, seen = list[Template](), set[int]()
    for template in templates():
        if id(template.targets) in seen:
            continue
        seen.add(id(template.targets))
        others = more.pop(template.english, "")
        wordings = [template.targets["fr"], *(others.split(" | ") if others else [])]
        found += [
            replace(template, targets={"fr": wording}, split=_split(wording, rank))
            for rank, wording in enumerate(wordings)
        ]
    if more:
        raise ValueError(f"wordings.fr.tsv: no row begins with {sorted(more)}")
    return tuple(found)


def _split(wording: str, rank: int) -> str:
    for split, share in (("test", TEST_SHARE), ("dev", DEV_SHARE)):
        if rank and in_held_out_share(wording, share, salt=f"french-{split}"):
            return split
    return "train"


def french_command_pairs(split: str, count: int) -> list[Pair]:
    """Return `count` draws of one split, `other` being what is said; the same on every call."""
    draw = random.Random(f"french {split}")
    return draw_pairs(
        french_templates(), split, count, draw,
        make=lambda template: _draw_pair(template, draw), said=lambda pair: pair.other,
    )  # fmt: skip


def _draw_pair(template: Template, draw: random.Random) -> Pair:
    slots = draw_slots(template.english, draw, plain=True)
    english = template.english.format(**{name: forms["en"] for name, forms in slots.items()})
    parts = {name: forms["fr"] for name, forms in slots.items()}
    wording = template.targets["fr"]
    informal, infinitive = two_forms(wording)
    french, around = "{i}", "{i}."
    if template.form == "!":
        french, around = _frame(template, draw, bare=informal == infinitive)
    elif template.form == "?":
        around = "{i}?"
    said = french.format(i=informal, v=_polite(wording), f=infinitive).format(**parts)
    text = around.format(i=agree(english, slots))
    for pattern, spelled in _SPELLED:
        text = re.sub(pattern, spelled, text)
    text = text[0].upper() + text[1:]
    if draw.random() < 0.5:
        mark = " ?" if text.endswith("?") else draw.choice((".", ".", " !", ""))
        said = said[0].upper() + said[1:] + mark
    return Pair(text, said, "commands", wording)


def _frame(template: Template, draw: random.Random, *, bare: bool) -> tuple[str, str]:
    """Return what is said around the French and the English wording."""
    frames = _frames()
    if bare:
        frames = [row for row in frames if "{i}" in row[1]]
    elif template.english.startswith(NEGATIVE):
        frames = [row for row in frames if "{f}" not in row[1]]
    _, french, english = draw.choices(frames, [weight for weight, *_ in frames])[0]
    return french, english


@cache
def _frames() -> list[tuple[float, str, str]]:
    lines = (TEXTS / "frames.fr.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return [(float(weight), french, english) for weight, french, english in
            (line.split("\t") for line in lines)]  # fmt: skip


def _polite(wording: str) -> str:
    """Return the imperative to "vous" of a wording with imperative and infinitive."""
    if " || " in wording:
        said = wording.split(" || ", maxsplit=1)[0]
        return re.sub(r"^((?:n'|ne |me )*)(\w+)", lambda m: m[1] + _to_vous(m[2]), said)
    pattern = r"<(\w+)([^|>]*)\|[^>]*>"
    return re.sub(pattern, lambda m: _to_vous(m[1]) + m[2].replace("-toi", "-vous"), wording)


def _to_vous(verb: str) -> str:
    return _POLITE.get(verb, f"{verb}z")
