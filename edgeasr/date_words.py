"""English dates in words, without a clock: "tomorrow" -> P1D, "next monday" -> XXXX-WXX-1.

Values are those of TIMEX3 (ISO 24617-1): days from today as a duration, what is open as X. Who
knows today's date makes a day of them; words that can mean two days ("next friday" on a monday)
are left to him the same way.
"""

from edgeasr.number_words import Words, read_number, read_ordinal

__all__ = ["date_value"]

_DAYS = {
    "yesterday": "-P1D", "today": "P0D", "tonight": "P0D", "tomorrow": "P1D",
    "the day after tomorrow": "P2D", "day after tomorrow": "P2D",
    "the day before yesterday": "-P2D", "day before yesterday": "-P2D",
    "next week": "P1W", "this week": "P0W", "last week": "-P1W",
    "next month": "P1M", "this month": "P0M", "next year": "P1Y", "this year": "P0Y",
    "this weekend": "XXXX-WXX-WE", "the weekend": "XXXX-WXX-WE", "weekend": "XXXX-WXX-WE",
}  # fmt: skip
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_BEFORE_DAY = {"on", "this", "next", "coming", "for", "the"}
_PART_OF_DAY = {"morning", "afternoon", "evening", "night"}
_UNITS = {"day": "D", "week": "W", "month": "M", "year": "Y"}


def date_value(text: str) -> str | None:
    """Return the date that `text` names as a TIMEX3 value, or None when it is more or none."""
    words = text.lower().replace(",", " ").replace("-", " ").rstrip("?!. ").split()
    words = [word.removesuffix("'s") for word in words]
    while words and words[-1] in _PART_OF_DAY:
        del words[-1]
    fixed = _DAYS.get(" ".join(word for word in words if word not in ("on", "for")))
    return fixed or _weekday(words) or _distance(words) or _day_of_month(words)


def _weekday(words: Words) -> str | None:
    if not words or not set(words[:-1]) <= _BEFORE_DAY:
        return None
    day = words[-1].removesuffix("s").removesuffix("'")
    return f"XXXX-WXX-{_WEEK.index(day) + 1}" if day in _WEEK else None


def _distance(words: Words) -> str | None:
    """Read "in three days", "two weeks from now", "a month ago"."""
    ahead = words[:1] == ["in"]
    amount = (1.0, ahead + 1) if words[ahead : ahead + 1] == ["a"] else read_number(words, ahead)
    if amount is None or amount[0] % 1 or amount[1] >= len(words):
        return None
    unit = _UNITS.get(words[amount[1]].removesuffix("s"))
    rest = " ".join(words[amount[1] + 1 :])
    # "three days" alone lasts, it is no date
    if unit is None or rest not in (("",) if ahead else ("ago", "from now")):
        return None
    return f"{'-' if rest == 'ago' else ''}P{amount[0]:.0f}{unit}"


def _day_of_month(words: Words) -> str | None:
    """Read "november the fourth", "the 4th of november 2026", "march 3", "in may"."""
    named = [word for word in words if word not in ("on", "in", "the", "of", "for", "next", "this")]
    at = next((place for place, word in enumerate(named) if word in _MONTHS), None)
    if at is None:
        return None
    month, rest = f"{_MONTHS.index(named[at]) + 1:02}", at + 1
    day = read_ordinal(named, 0 if at else rest) or read_number(named, 0 if at else rest)
    if at and (day is None or day[1] != at):
        return None
    if day is not None and not at:
        rest = day[1]
    year = named[rest] if rest < len(named) else "XXXX"
    if rest < len(named) - 1 or not (year == "XXXX" or (year.isdigit() and len(year) == 4)):
        return None
    if day is None:
        return f"{year}-{month}"
    return f"{year}-{month}-{day[0]:02.0f}" if 1 <= day[0] <= 31 else None
