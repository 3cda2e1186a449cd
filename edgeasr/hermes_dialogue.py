"""The dialogue sessions of one site: who talks with the user, until when, and who is next.

As much as a satellite needs: one session at a time, others queued; started by the wake word or by a
skill; continued and ended by skills. Time is counted in the microphone's samples.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from edgeasr.audio import SAMPLE_RATE
from edgeasr.bridge import NOTHING, Reaction
from edgeasr.commands import Listen
from edgeasr.hermes_messages import Fields, error, flag_of, message, say, text_of, texts_of

__all__ = ["Dialogue", "Session"]

_TOPIC = "hermes/dialogueManager/"
_QUEUE = 16
_PATIENCE_S = 30.0  # for a skill to continue or end, or for a voice to finish speaking


@dataclass(kw_only=True)
class Session:
    """A conversation."""

    id: str
    custom_data: str | None = None
    lang: str | None = None
    text: str | None = None
    """To be said first"""
    listens: bool = True
    """False for a notification"""
    intent_filter: tuple[str, ...] | None = None
    send_not_recognised: bool = False
    speaks: str | None = field(default=None, init=False)
    """Id of the text being said"""
    waits: bool = field(default=False, init=False)
    """For somebody else: a voice or a skill"""


class Dialogue:
    """The dialogue manager of one site; `is_on` False leaves it to another on the broker."""

    def __init__(self, site: str, *, is_on: bool) -> None:
        self.session: Session | None = None
        self.is_on = is_on
        self._site = site
        self._queue: deque[Session] = deque()
        self._disabled: set[str] = set()
        self._count = 0
        self._waited = 0

    def woken(self, session_id: str) -> Reaction:
        """Start a session for the wake word, which ends any other."""
        if not self.is_on:
            return NOTHING
        ended = NOTHING
        if self.session is not None:
            ended = self._ended("timeout" if self.session.waits else "abortedByUser")
        self.session = Session(id=session_id)
        return ended + self._tell("sessionStarted", self.session, lang=None)

    def start(self, fields: Fields) -> Reaction:
        """Take `startSession`."""
        init = fields.get("init")
        if not self.is_on or not isinstance(init, dict):
            return NOTHING
        self._count += 1
        session = Session(
            id=f"{self._site}-skill-{self._count}",
            custom_data=text_of(fields, "customData"),
            lang=text_of(fields, "lang"),
            text=text_of(init, "text"),
            listens=init.get("type") != "notification",
            intent_filter=texts_of(init, "intentFilter"),
            send_not_recognised=flag_of(init, "sendIntentNotRecognized", default=False),
        )
        if self.session is None:
            return self._begin(session)
        may_wait = not session.listens or flag_of(init, "canBeEnqueued", default=False)
        if not may_wait or len(self._queue) >= _QUEUE:
            return error(
                "dialogueManager", "busy: another session is running", site=self._site,
                session=session.id,
            )  # fmt: skip
        self._queue.append(session)
        return self._tell("sessionQueued", session)

    def continues(self, fields: Fields) -> Reaction:
        """Take `continueSession`: say the text, then listen again."""
        session = self._current(fields)
        if session is None:
            return NOTHING
        session.custom_data = text_of(fields, "customData") or session.custom_data
        session.intent_filter = texts_of(fields, "intentFilter")
        session.send_not_recognised = flag_of(fields, "sendIntentNotRecognized", default=False)
        session.text, session.listens = text_of(fields, "text"), True
        return self._go_on(session)

    def ends(self, fields: Fields) -> Reaction:
        """Take `endSession`."""
        session = self._current(fields)
        if session is None:
            return NOTHING
        session.custom_data = text_of(fields, "customData") or session.custom_data
        said = self._say(session, text_of(fields, "text"))
        return said + self.end("nominal")

    def configure(self, fields: Fields) -> Reaction:
        """Take `configure`: which intents count."""
        items = fields.get("intents")
        for item in items if isinstance(items, list) else ():
            name = text_of(item, "intentId") if isinstance(item, dict) else None
            if name and flag_of(item, "enable", default=True):
                self._disabled.discard(name)
            elif name and len(self._disabled) < 1000:
                self._disabled.add(name)
        return NOTHING

    def said(self, fields: Fields) -> Reaction:
        """Take `tts/sayFinished`: go on with what comes after the words."""
        session = self.session
        if session is None or session.speaks is None or text_of(fields, "id") != session.speaks:
            return NOTHING
        return self._after_words(session)

    def allows(self, intent: str) -> bool:
        """Whether the intent counts in this session."""
        wanted = self.session.intent_filter if self.session else None
        return intent not in self._disabled and (wanted is None or intent in wanted)

    def understood(self) -> None:
        """Wait for the skill that was told the intent."""
        if self.session is not None:
            self._wait(self.session)

    def not_understood(self, text: str) -> Reaction:
        """Hand the session to its skill if it asked for that, else end it."""
        session = self.session
        if session is None:
            return NOTHING
        if not session.send_not_recognised:
            return self.end("intentNotRecognized")
        self._wait(session)
        return self._tell("intentNotRecognized", session, input=text)

    def end(self, reason: str) -> Reaction:
        """End the session, and start the next one that waits."""
        if self.session is None:
            return NOTHING
        ended = self._ended(reason)
        if self._queue:
            return ended + self._begin(self._queue.popleft())
        return ended

    def heard(self, samples: int) -> Reaction:
        """Let time pass: somebody who keeps the session waiting loses it."""
        if self.session is None or not self.session.waits:
            return NOTHING
        self._waited += samples
        if self._waited < _PATIENCE_S * SAMPLE_RATE:
            return NOTHING
        return self.end("timeout")

    def _current(self, fields: Fields) -> Session | None:
        session = self.session
        if session is None or text_of(fields, "sessionId") != session.id:
            return None
        return session

    def _begin(self, session: Session) -> Reaction:
        self.session = session
        started = self._tell("sessionStarted", session, lang=session.lang)
        return started + self._go_on(session)

    def _go_on(self, session: Session) -> Reaction:
        if session.text:
            self._count += 1
            session.speaks = f"{session.id}-say-{self._count}"
            self._wait(session)
            return self._say(session, session.text)
        return self._after_words(session)

    def _after_words(self, session: Session) -> Reaction:
        session.speaks, session.waits = None, False
        if not session.listens:
            return self.end("nominal")
        return Reaction(commands=(Listen(id=session.id),))

    def _say(self, session: Session, text: str | None) -> Reaction:
        if not text:
            return NOTHING
        return say(
            message(
                "hermes/tts/say", text=text, site_id=self._site, lang=session.lang,
                id=session.speaks, session_id=session.id, volume=None,
            )
        )  # fmt: skip

    def _wait(self, session: Session) -> None:
        session.waits, self._waited = True, 0

    def _ended(self, reason: str) -> Reaction:
        assert self.session is not None
        session, self.session = self.session, None
        return self._tell("sessionEnded", session, termination={"reason": reason})

    def _tell(self, name: str, session: Session, **more: Any) -> Reaction:  # noqa: ANN401 - JSON
        return say(
            message(
                _TOPIC + name, session_id=session.id, site_id=self._site,
                custom_data=session.custom_data, **more,
            )
        )  # fmt: skip
