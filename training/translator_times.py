"""Durations, clock times and dates that commands name, in every language."""

import random

from edgeasr.numbers_en import ordinal
from training.translator_nouns import Form, Phrases

__all__ = ["clock_time", "date", "duration"]

_UNITS = {
    "second": ("seconde", "Sekunde", "segundo"),
    "minute": ("minute", "Minute", "minuto"),
    "hour": ("heure", "Stunde", "hora"),
}
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


def duration(draw: random.Random) -> Phrases:
    """Return a time span of one unit or two."""
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


def clock_time(draw: random.Random) -> Phrases:
    """Return an hour, now and then noon, midnight or one of the 24 hour clock."""
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


def date(draw: random.Random) -> Phrases:
    """Return the day of a month, as a command names when something is to be done."""
    english, days, french, german, spanish = draw.choice(_MONTHS)
    day = draw.randint(1, days)
    said = draw.choice((f"on {english} {ordinal(day)}", f"on the {ordinal(day)} of {english}"))
    return {
        "en": Form(said), "fr": Form(f"le {'1er' if day == 1 else day} {french}"),
        "de": Form(f"am {day}. {german}"), "es": Form(f"el {day} de {spanish}"),
    }  # fmt: skip
