"""Intents as Hermes tells them: of what the microphone heard, and of texts others send."""

from edgeasr.bridge import NOTHING, Reaction
from edgeasr.commands import Understand
from edgeasr.events import Intent, IntentNotRecognised, Transcript
from edgeasr.hermes_asr import Hearing
from edgeasr.hermes_dialogue import Dialogue
from edgeasr.hermes_messages import (
    Fields,
    Requests,
    error,
    intent_fields,
    level,
    message,
    say,
    text_of,
    texts_of,
    tokens_of,
)
from edgeasr.mqtt_topics import Message

__all__ = ["Nlu"]


class Nlu:
    """Queries out and in, and intents."""

    def __init__(self, site: str, dialogue: Dialogue, *, understands: bool) -> None:
        self._site = site
        self._dialogue = dialogue
        self._understands = understands
        self._queries: Requests[Fields] = Requests("hermes-nlu")
        self._heard: tuple[Hearing, Transcript] | None = None

    def query(self, fields: Fields) -> Reaction:
        """Take `nlu/query`."""
        text = text_of(fields, "input")
        if not self._understands or text is None:
            return NOTHING
        if not text.strip():
            return say(self._failure(fields))
        return Reaction(commands=(Understand(text=text, id=self._queries.keep(fields)),))

    def refused(self, request: str, text: str) -> Reaction | None:
        """Tell that a query could not be answered; None when it was none."""
        query = self._queries.take(request)
        if query is None:
            return None
        return error("nlu", text, site=self._site, session=text_of(query, "sessionId"))

    def heard(self, hearing: Hearing, transcript: Transcript) -> Reaction:
        """Wait for the intent of a transcript; ask others for it when we have no means."""
        self._heard = (hearing, transcript)
        session = self._dialogue.session
        if self._understands or session is None:
            return NOTHING
        self._dialogue.understood()
        return say(
            message(
                "hermes/nlu/query", input=transcript.text, site_id=self._site, id=hearing.session,
                intent_filter=session.intent_filter, session_id=hearing.session,
                wakeword_id=hearing.wakeword, lang=hearing.lang, custom_data=session.custom_data,
                asr_confidence=transcript.confidence, custom_entities=None,
            )
        )  # fmt: skip

    def event(self, event: Intent | IntentNotRecognised, request: str | None) -> Reaction:
        """Tell what was understood, of the last transcript or of a query."""
        query = self._queries.take(request)
        if query is not None:
            wanted = texts_of(query, "intentFilter")
            if isinstance(event, Intent) and (wanted is None or event.intent in wanted):
                return self._answer(query, event)
            return say(self._failure(query))
        heard, self._heard = self._heard, None
        if heard is None or not self._dialogue.is_on:
            return NOTHING  # another dialogue manager sends the text as a query
        about = _about(*heard)
        if not isinstance(event, Intent) or not self._dialogue.allows(event.intent):
            return say(self._failure(about)) + self._dialogue.not_understood(heard[1].text)
        self._dialogue.understood()
        return self._answer(about, event)

    def not_understood_elsewhere(self, fields: Fields) -> Reaction:
        """Take `intentNotRecognized` of another service."""
        session = self._dialogue.session
        if self._understands or session is None or text_of(fields, "sessionId") != session.id:
            return NOTHING
        return self._dialogue.not_understood(text_of(fields, "input") or "")

    def _answer(self, about: Fields, intent: Intent) -> Reaction:
        session = self._dialogue.session
        parsed = {
            "input": text_of(about, "input"),
            **intent_fields(intent),
            "site_id": self._site,
            "id": text_of(about, "id"),
            "session_id": text_of(about, "sessionId"),
        }
        own = session.custom_data if session and session.id == parsed["session_id"] else None
        full = {
            **parsed,
            "custom_data": text_of(about, "customData") or own,
            "asr_tokens": about.get("asrTokens") or [[]],
            "asr_confidence": about.get("asrConfidence"),
            "raw_input": parsed["input"],
            "wakeword_id": text_of(about, "wakewordId"),
            "lang": text_of(about, "lang"),
        }
        topic = f"hermes/intent/{level(intent.intent)}"
        return say(message("hermes/nlu/intentParsed", **parsed), message(topic, **full))

    def _failure(self, about: Fields) -> Message:
        return message(
            "hermes/nlu/intentNotRecognized", input=text_of(about, "input"), site_id=self._site,
            id=text_of(about, "id"), custom_data=text_of(about, "customData"),
            session_id=text_of(about, "sessionId"),
        )  # fmt: skip


def _about(hearing: Hearing, transcript: Transcript) -> Fields:
    return {
        "input": transcript.text,
        "sessionId": hearing.session,
        "wakewordId": hearing.wakeword,
        "lang": hearing.lang,
        "asrConfidence": transcript.confidence,
        "asrTokens": tokens_of(transcript),
    }
