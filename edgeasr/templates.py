"""Home Assistant's own sentences, matched by hassil against the names of a site.

The places of persons are the site's too: with the library's "who is {any words}" every question
about a person of public life asked for somebody of the home.

The two libraries are loaded when the first `Templates` is built, not on import.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from edgeasr.extra_sentences import EXTRA_SENTENCES, PREFERRED, ROOM_KNOWN
from edgeasr.number_words import plain
from edgeasr.site import Site

if TYPE_CHECKING:
    from hassil import Intents, RecognizeResult, TextSlotList

__all__ = ["Match", "MatchedSlot", "Templates"]

_UNKNOWN_AREA = "\0"  # lets "how warm is it in here" match; never leaves this module


@dataclass(frozen=True)
class MatchedSlot:
    """A slot of a template; `text` is empty for what the template implies ("lights" -> domain)."""

    name: str
    value: str | int | float
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Match:
    """A sentence that fits a template word by word."""

    intent: str
    slots: tuple[MatchedSlot, ...]
    free: bool
    """Whether a part was taken as it came ("add ... to my list", "play ...")"""


class Templates:
    """The English sentences with a site's names. Holds no state between texts."""

    def __init__(self, site: Site) -> None:
        """Parse the sentences (about half a second on a Raspberry Pi 4)."""
        import hassil  # noqa: PLC0415 - loaded only where it is used
        from home_assistant_intents import get_intents  # noqa: PLC0415

        content = get_intents("en")
        assert content is not None
        for intent, groups in EXTRA_SENTENCES.items():
            content["intents"][intent]["data"] += groups
        self._intents: Intents = hassil.Intents.from_dict(content)
        self._lists = _slot_lists(site)
        self._context: dict[str, Any] = {"area": site.here or _UNKNOWN_AREA}
        if site.here:
            self._context[ROOM_KNOWN] = True

    def match(self, text: str) -> Match | None:
        """Return the best fitting template, or None when the text fits none."""
        from hassil import recognize_best  # noqa: PLC0415

        result = recognize_best(
            text, self._intents, slot_lists=self._lists, intent_context=dict(self._context),
            language="en", best_metadata_key=PREFERRED, best_slot_name="name",
        )  # fmt: skip
        return None if result is None else _match(result, text, self._intents)


def _slot_lists(site: Site) -> dict[str, Any]:
    from hassil import TextSlotList  # noqa: PLC0415

    def of(names: list[tuple[Any, ...]]) -> "TextSlotList":
        return TextSlotList.from_tuples(names, allow_template=False)

    devices: list[tuple[Any, ...]] = []
    for device in site.devices:
        context = {"domain": device.domain}
        if device.device_class:
            context["device_class"] = device.device_class
        devices += [(spoken, device.name, context) for spoken in (device.name, *device.aliases)]
    return {
        "area": of([(name, name) for name in site.areas]),
        "floor": of([(name, name) for name in site.floors]),
        "name": of(devices),
        "zone": of([(name, name) for name in site.zones]),
    }


def _match(result: "RecognizeResult", text: str, intents: "Intents") -> Match:
    slots: list[MatchedSlot] = []
    position = 0
    for entity in result.entities_list:
        if entity.value == _UNKNOWN_AREA:
            continue
        start, end = _locate(entity.text, text, position)
        position = max(position, end)
        value = text[start:end] if entity.is_wildcard and end else entity.value
        if isinstance(value, float):
            value = plain(value)
        if isinstance(value, int):
            value *= _missing_sign(result, intents, entity.name, value)
        slots.append(MatchedSlot(entity.name, value, text[start:end], start, end))
    free = any(entity.is_wildcard for entity in result.entities_list)
    return Match(result.intent.name, tuple(slots), free)


def _locate(words: str, text: str, position: int) -> tuple[int, int]:
    """Return where the words of a slot stand, at best after `position`; (0, 0) for implied ones.

    hassil's own spans are off once it has left out words ("please") or matched several numbers.
    """
    parts = [re.escape(word) for word in re.findall(r"[^\s_-]+", words)]
    if not parts:
        return 0, 0
    joined = r"[\s_-]+".join(parts)
    pattern = re.compile(rf"(?<!\w){joined}(?!\w)", re.IGNORECASE)
    found = pattern.search(text, position) or pattern.search(text)
    return found.span() if found else (0, 0)


def _missing_sign(
    result: "RecognizeResult", intents: "Intents", name: str, value: float
) -> Literal[-1, 1]:
    """Return -1 where a list counts downwards and hassil left that out, as it does for words."""
    sentence = result.intent_sentence.text if result.intent_sentence else ""
    for list_name in re.findall(rf"\{{(\w+):{re.escape(name)}\}}", sentence or ""):
        factor = getattr(intents.slot_lists.get(list_name), "multiplier", None)
        if factor is not None and factor < 0 < value:
            return -1
    return 1
