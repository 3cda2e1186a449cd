"""French clock times in words, written in figures as a translator knows them."""

import re

from edgeasr.figures import names

__all__ = ["clock_figures_fr"]

_TENS = (20, 30, 40, 50)


def _values() -> dict[str, int]:
    """Return the numbers of a clock by name, with spaces for hyphens."""
    small = {0: "zéro", 1: "une"} | {value: names(str(value), "fr")[0] for value in range(2, 20)}
    known = {word.replace("-", " "): value for value, word in small.items()} | {"un": 1}
    for value in _TENS:
        ten = names(str(value), "fr")[0]
        known |= {ten: value, f"{ten} et un": value + 1, f"{ten} et une": value + 1}
        known |= {f"{ten} {small[ones]}": value + ones for ones in range(2, 10)}
    return known


_NUMBERS = _values()
_NUMBER = "|".join(sorted((name.replace(" ", "[ -]") for name in _NUMBERS), key=len, reverse=True))
_HOUR = rf"(?P<hour>\d{{1,2}}|{_NUMBER})[ \u00a0\u202f]?(?:heures?\b|(?P<sign>h)(?![^\W\d_]))"
_MINUTE = (
    rf"et (?P<part>demie?|quart)|moins (?P<less>le quart|quart|{_NUMBER}|\d{{1,2}})"
    rf"|(?P<minute>\d{{1,2}}|{_NUMBER})(?![ -]?(?:minutes?|%|degrés?|euros?)\b)"
)
_HALF = r"(?P<half> du matin| du soir| de l['’]après-midi)?"
_CLOCK = re.compile(
    rf"(?i)\b(?:{_HOUR}|(?P<noon>midi|minuit)\b)(?:[ \u00a0\u202f]?(?:{_MINUTE})\b)?{_HALF}"
)
_AT = re.compile(r"(?i)\b(?:à|vers|dès|avant|après|est|alarme pour|réveil pour) $")
"""What comes before a clock time; else "deux heures et demie" is a time span"""
_NAMED = {"midi": 12, "minuit": 24}
_PARTS = {"demi": 30, "demie": 30, "quart": 15, "le quart": 15}


def clock_figures_fr(text: str) -> str:
    """Return `text` with times of minutes, or of a half of the day, in figures.

    "à sept heures et demie" -> "à 7 h 30", "à sept heures du soir" -> "à 19 h"; "7h30" -> "7 h 30".
    """
    return _CLOCK.sub(_written, text)


def _written(found: re.Match[str]) -> str:
    sign = found["sign"] is not None and found["hour"].isdigit()
    if not (sign or _AT.search(found.string, 0, found.start())):
        return found[0]
    minute = _minute(found)
    if minute is None and not found["half"] and not sign:
        return found[0]  # "à sept heures" is known as it is
    hour = _NAMED[found["noon"].lower()] if found["noon"] else _value(found["hour"])
    if minute is not None and minute < 0:
        hour, minute = (hour - 1) or 12, 60 + minute
    if found["half"] and "matin" not in found["half"] and hour < 12:
        hour += 12
    if hour not in range(25) or minute not in (None, *range(60)):
        return found[0]
    return f"{hour % 24} h" + (f" {minute:02}" if minute is not None else "")


def _minute(found: re.Match[str]) -> int | None:
    """Return minutes past the hour, less than 0 before it, None without any."""
    if found["part"]:
        return _PARTS[found["part"].lower()]
    if found["less"]:
        less = found["less"].lower()
        return -_PARTS[less] if less in _PARTS else -_value(less)
    return _value(found["minute"]) if found["minute"] else None


def _value(text: str) -> int:
    return int(text) if text.isdigit() else _NUMBERS[text.lower().replace("-", " ")]
