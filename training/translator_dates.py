"""Dates that commands name, in every language."""

import random

from training.translator_nouns import Form
from training.translator_values import Phrases

__all__ = ["date_phrases"]

_MONTHS = (
    ("January", 31, "janvier", "Januar", "enero"),
    ("February", 29, "février", "Februar", "febrero"),
    ("March", 31, "mars", "März", "marzo"), ("April", 30, "avril", "April", "abril"),
    ("May", 31, "mai", "Mai", "mayo"), ("June", 30, "juin", "Juni", "junio"),
    ("July", 31, "juillet", "Juli", "julio"), ("August", 31, "août", "August", "agosto"),
    ("September", 30, "septembre", "September", "septiembre"),
    ("October", 31, "octobre", "Oktober", "octubre"),
    ("November", 30, "novembre", "November", "noviembre"),
    ("December", 31, "décembre", "Dezember", "diciembre"),
)  # fmt: skip
_MARKS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}


def date_phrases(draw: random.Random) -> Phrases:
    """Return the day of a month, as a command names when something is to be done."""
    english, days, french, german, spanish = draw.choice(_MONTHS)
    day = draw.randint(1, days)
    number = f"{day}{_MARKS.get(day, 'th')}"
    said = draw.choice((f"on {english} {number}", f"on the {number} of {english}"))
    return {
        "en": Form(said), "fr": Form(f"le {'1er' if day == 1 else day} {french}"),
        "de": Form(f"am {day}. {german}"), "es": Form(f"el {day} de {spanish}"),
    }  # fmt: skip
