"""Speaks Hermes (Snips, Rhasspy 2.5) for one site: wake word, recogniser, intents, dialogue.

There is no Hermes topic for translations; they stay on edgeasr's own, with the same `session`.
"""

from collections.abc import Callable, Mapping, Sequence

from edgeasr.audio import Pcm
from edgeasr.bridge import NOTHING, Bridge, Reaction
from edgeasr.commands import Attend
from edgeasr.events import (
    Error,
    Event,
    Intent,
    IntentNotRecognised,
    NoSpeech,
    Partial,
    Transcript,
    Wake,
)
from edgeasr.hermes_asr import Hearing, Microphone
from edgeasr.hermes_dialogue import Dialogue
from edgeasr.hermes_messages import DEFAULT_SITE, Fields, error, level, message, parse, say, text_of
from edgeasr.hermes_nlu import Nlu
from edgeasr.hermes_remote import RemoteMicrophones

__all__ = ["HermesBridge"]

_MOST_REASONS = 100
_ENDINGS = {"cancelled": "abortedByUser", "rejected": "intentNotRecognized"}  # else timeout
_ERRORS = {"microphone": "audioServer/record", "assistant": "asr", "recogniser": "asr"}


class HermesBridge(Bridge):
    """One site on the Hermes bus."""

    name = "hermes"

    def __init__(
        self,
        site: str,
        *,
        words: Sequence[str],
        understands: bool,
        dialogue: bool = True,
        rooms: Sequence[str] = (),
        audio_frames: str = "off",
    ) -> None:
        """Serve `site`, and the microphones of `rooms`, whose sound comes as audioFrame.

        `understands` tells whether `intent` events can be expected. `dialogue` False leaves the
        sessions to another dialogue manager on the broker.
        """
        self._site = site
        self._words = tuple(words)
        self._off: dict[str, set[str]] = {"hotword": set(), "asr": set()}
        self._dialogue = Dialogue(site, is_on=dialogue)
        self._microphone = Microphone(site, frames=audio_frames)
        self._listens_in: str | None = None
        self._nlu = Nlu(site, self._dialogue, understands=understands)
        self._remote = RemoteMicrophones(rooms)
        self._siteless: Mapping[str, Callable[[Fields], Reaction]] = {
            "hermes/dialogueManager/continueSession": self._dialogue.continues,
            "hermes/dialogueManager/endSession": self._dialogue.ends,
        }
        self._handlers = self._table()
        self.subscriptions = (*self._siteless, *self._handlers, *self._remote.subscriptions)

    def on_message(self, topic: str, body: bytes, *, retained: bool) -> Reaction:
        """Take a Hermes message; one for other sites, or no message at all, is ignored."""
        if retained:
            return NOTHING
        frame = self._remote.frame(topic, body)
        if frame is not None:
            return frame
        fields = parse(body)
        if fields is None:
            return NOTHING
        if topic in self._siteless:
            return self._siteless[topic](fields)
        site = text_of(fields, "siteId") or DEFAULT_SITE
        if topic.startswith("hermes/asr/") and self._remote.serves(site):
            return self._remote.message(topic, site, fields)
        handler = self._handlers.get(topic)
        return handler(fields) if handler is not None and site == self._site else NOTHING

    def on_event(  # noqa: PLR0911 - a case each
        self, event: Event, *, request: str | None
    ) -> Reaction:
        """Tell an event in Hermes' words."""
        remote = self._remote.answer(event, request)
        if remote is not None:
            return remote
        match event:
            case Wake():
                return self._woken(event, request)
            case Partial():
                return self._microphone.partial(event)
            case Transcript() | NoSpeech() if event.session == self._listens_in:
                return self._ended(event)  # another session's is of a recording
            case Error():
                part = _ERRORS.get(event.source)
                return self._error(part, event.message, event.session) if part else NOTHING
            case Intent() | IntentNotRecognised():
                return self._nlu.event(event, request)
        return NOTHING

    def on_refused(self, request: str, message: str) -> Reaction:
        """Tell who asked that it will not happen."""
        for told in (self._remote.refused(request, message), self._nlu.refused(request, message)):
            if told is not None:
                return told
        session = self._dialogue.session
        if session is not None and session.id == request:
            return self._error("asr", message, session.id) + self._dialogue.end("error")
        hearing = self._microphone.asked(request)
        return self._error("asr", message, hearing.session) if hearing else NOTHING

    def on_sound(self, pcm: Pcm) -> Reaction:
        """Send frames where they are wanted, and let the dialogue's time pass."""
        return self._microphone.sound(pcm) + self._dialogue.heard(len(pcm))

    def _table(self) -> dict[str, Callable[[Fields], Reaction]]:
        return {
            "hermes/hotword/toggleOn": lambda fields: self._toggle("hotword", fields, on=True),
            "hermes/hotword/toggleOff": lambda fields: self._toggle("hotword", fields, on=False),
            "hermes/asr/toggleOn": lambda fields: self._toggle("asr", fields, on=True),
            "hermes/asr/toggleOff": lambda fields: self._toggle("asr", fields, on=False),
            "hermes/asr/startListening": self._microphone.start,
            "hermes/asr/stopListening": self._microphone.stop,
            "hermes/nlu/query": self._nlu.query,
            "hermes/nlu/intentNotRecognized": self._nlu.not_understood_elsewhere,
            "hermes/dialogueManager/startSession": self._dialogue.start,
            "hermes/dialogueManager/configure": self._dialogue.configure,
            "hermes/tts/sayFinished": self._dialogue.said,
            "rhasspy/hotword/getHotwords": self._hotwords,
        }

    def _toggle(self, part: str, fields: Fields, *, on: bool) -> Reaction:
        """Keep the set of reasons: on again only when all are gone; "" takes them all away."""
        reasons, reason = self._off[part], text_of(fields, "reason") or ""
        before = bool(reasons)
        if not on and len(reasons) < _MOST_REASONS:
            reasons.add(reason)
        elif on and not reason:
            reasons.clear()
        elif on:
            reasons.discard(reason)
        if bool(reasons) == before:
            return NOTHING
        if part == "asr":
            return self._microphone.switch(on=not reasons)
        return Reaction(commands=(Attend(on=not reasons),))

    def _hotwords(self, fields: Fields) -> Reaction:
        models = [
            {"model_id": level(word), "model_words": word, "model_version": "",
             "model_type": "universal"}
            for word in self._words
        ]  # fmt: skip
        return say(
            message(
                "rhasspy/hotword/hotwords", models=models, site_id=self._site,
                id=text_of(fields, "id"),
            )
        )  # fmt: skip

    def _woken(self, event: Wake, request: str | None) -> Reaction:
        self._listens_in = event.session
        asked = self._microphone.asked(request)
        session = self._dialogue.session
        if asked is not None:
            self._microphone.hears(asked)
            return NOTHING
        if session is not None and request == session.id:
            self._microphone.hears(Hearing(session=session.id, lang=session.lang))
            return NOTHING
        word = level(event.word) if event.word else None
        self._microphone.hears(Hearing(session=event.session, wakeword=word))
        told = NOTHING
        if word is not None:
            told = say(
                message(
                    f"hermes/hotword/{word}/detected", model_id=word, model_version="",
                    model_type="universal", current_sensitivity=1.0, site_id=self._site,
                    session_id=event.session, send_audio_captured=None, lang=None,
                    custom_entities=None,
                )
            )  # fmt: skip
        return told + (self._dialogue.woken(event.session) if event.session else NOTHING)

    def _ended(self, event: Transcript | NoSpeech) -> Reaction:
        hearing, told = self._microphone.finish(event)
        if hearing is None:
            return NOTHING
        if isinstance(event, Transcript):
            return told + self._nlu.heard(hearing, event)
        return told + self._dialogue.end(_ENDINGS.get(event.reason, "timeout"))

    def _error(self, part: str, text: str, session: str | None) -> Reaction:
        return error(part, text, site=self._site, session=session)
