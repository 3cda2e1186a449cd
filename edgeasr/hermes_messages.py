"""Payloads of the Hermes protocol (Snips, as extended by Rhasspy 2.5): made, and read with care.

JSON with camelCase keys; every optional key is sent, as null, since some clients look it up.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from edgeasr.bridge import Reaction
from edgeasr.events import Intent, Transcript
from edgeasr.mqtt_topics import Message, encode

__all__ = [
    "DEFAULT_SITE",
    "Fields",
    "Requests",
    "captured",
    "error",
    "flag_of",
    "intent_fields",
    "level",
    "message",
    "parse",
    "say",
    "text_of",
    "texts_of",
    "tokens_of",
]

Fields = Mapping[str, Any]

DEFAULT_SITE = "default"
MAX_JSON_BYTES = 64_000
MAX_TEXT_CHARS = 2_000
_MOST_REQUESTS = 64

Item = TypeVar("Item")


class Requests(Generic[Item]):
    """What was asked of the daemon and is not answered yet; the oldest go when there are many."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._items: dict[str, Item] = {}
        self._count = 0

    def keep(self, item: Item) -> str:
        """Return a new id for the request."""
        self._count += 1
        request = f"{self._prefix}-{self._count}"
        if len(self._items) >= _MOST_REQUESTS:
            self._items.pop(next(iter(self._items)))
        self._items[request] = item
        return request

    def take(self, request: str | None) -> Item | None:
        """Return and forget what was kept under an id, None when it is no request of ours."""
        return self._items.pop(request, None) if request is not None else None


def say(*messages: Message) -> Reaction:
    """Return messages as what is to be done."""
    return Reaction(messages=messages)


def message(topic: str, *, qos: int = 1, **fields: object) -> Message:
    """Return a message; keys are given in snake_case."""
    return Message(topic=topic, body=encode(_camel(fields)), qos=qos)


def error(part: str, text: str, *, site: str, session: str | None) -> Reaction:
    """Return a message on `hermes/error/...`."""
    return say(
        message(f"hermes/error/{part}", error=text, site_id=site, context=None, session_id=session)
    )


def captured(
    transcript: Transcript | None,
    *,
    site: str,
    session: str | None,
    wakeword: str | None = None,
    lang: str | None = None,
) -> Message:
    """Return `textCaptured`; with an empty text when nothing was understood.

    `seconds` is the stream time from the last word to the result.
    """
    return message(
        "hermes/asr/textCaptured",
        text=transcript.text if transcript else "",
        likelihood=round(transcript.confidence, 3) if transcript else 0.0,
        seconds=round(max(0.0, transcript.at_s - transcript.end_s), 3) if transcript else 0.0,
        site_id=site,
        session_id=session,
        wakeword_id=wakeword,
        asr_tokens=tokens_of(transcript) if transcript else [[]],
        lang=lang,
    )


def parse(body: bytes) -> Fields | None:
    """Return the object in a payload, or None for what is none: another client's mistake."""
    if len(body) > MAX_JSON_BYTES:
        return None
    try:
        fields = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def text_of(fields: Fields, key: str) -> str | None:
    """Return a text, None when it is missing or none."""
    value = fields.get(key)
    return value[:MAX_TEXT_CHARS] if isinstance(value, str) else None


def texts_of(fields: Fields, key: str) -> tuple[str, ...] | None:
    """Return a list of texts, None when it is missing or none."""
    value = fields.get(key)
    if not isinstance(value, list):
        return None
    return tuple(text for text in value[:1000] if isinstance(text, str))


def flag_of(fields: Fields, key: str, *, default: bool) -> bool:
    """Return true or false."""
    value = fields.get(key)
    return value if isinstance(value, bool) else default


def level(text: str) -> str:
    """Return the text as one level of a topic: brokers disconnect for characters like U+0001."""
    return re.sub(r"[^\w.:@-]+", "_", text)[:64] or "none"


def tokens_of(transcript: Transcript) -> list[list[dict[str, Any]]]:
    """Return `asrTokens`: a list per invocation of the recogniser, times from its first word."""
    tokens, at = [], 0
    for word in transcript.words:
        start = max(at, transcript.text.find(word.word, at))
        at = start + len(word.word)
        tokens.append(
            {
                "value": word.word,
                "confidence": round(word.confidence, 3),
                "range_start": start,
                "range_end": at,
                "time": {
                    "start": round(word.start_s - transcript.start_s, 3),
                    "end": round(word.end_s - transcript.start_s, 3),
                },
            }
        )
    return [tokens]


def intent_fields(intent: Intent) -> dict[str, Any]:
    """Return `intent` and `slots` of an event."""
    return {
        "intent": {
            "intent_name": intent.intent,
            "confidence_score": round(intent.confidence, 3),
        },
        "slots": [_slot(slot) for slot in intent.to_fields()["slots"]],
    }


def _slot(slot: Fields) -> dict[str, Any]:
    name, raw = slot["name"], slot["text"]
    start, end = slot["start"], slot["end"]
    value = slot["normalised"]
    return {
        "entity": name,
        "slot_name": name,
        "value": {"kind": "Custom", "value": slot["value"] if value is None else value},
        "raw_value": raw,
        "confidence": 1.0,  # known of the intent as a whole only
        "range": {"start": start, "end": end, "raw_start": start, "raw_end": end},
    }


def _camel(value: object) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping):
        return {_camel_key(key): _camel(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_camel(item) for item in value]
    return value


def _camel_key(key: str) -> str:
    head, *tail = key.split("_")
    return head + "".join(part.capitalize() for part in tail)
