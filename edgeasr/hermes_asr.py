"""The recogniser of our own microphone as Hermes sees it: start, stop, texts, sound."""

from dataclasses import dataclass, replace

import numpy as np

from edgeasr.audio import SAMPLE_RATE, Pcm
from edgeasr.bridge import NOTHING, Reaction
from edgeasr.commands import Cancel, Listen, Stop
from edgeasr.events import NoSpeech, Partial, Transcript
from edgeasr.hermes_audio import write_wav
from edgeasr.hermes_messages import (
    Fields,
    Requests,
    captured,
    flag_of,
    level,
    message,
    say,
    text_of,
)
from edgeasr.mqtt_topics import Message

__all__ = ["Hearing", "Microphone"]

_MAX_CAPTURED_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """An utterance at our own microphone."""

    session: str | None
    wakeword: str | None = None
    send_audio: bool = False
    lang: str | None = None


class Microphone:
    """What is being heard, for whom."""

    def __init__(self, site: str, *, frames: str) -> None:
        self.hearing: Hearing | None = None
        self.is_off = False
        """Switched off by `asr/toggleOff`"""
        self._site = site
        self._frames = frames
        self._captured: list[Pcm] = []
        self._requests: Requests[Hearing] = Requests("hermes-asr")

    def start(self, fields: Fields) -> Reaction:
        """Take `startListening`; the wake word may have started it already."""
        if self.is_off:
            return NOTHING
        hearing = Hearing(
            session=text_of(fields, "sessionId"),
            wakeword=text_of(fields, "wakewordId"),
            send_audio=flag_of(fields, "sendAudioCaptured", default=False),
            lang=text_of(fields, "lang"),
        )
        if self.hearing is None:
            return Reaction(commands=(Listen(id=self._requests.keep(hearing)),))
        self.hearing = replace(hearing, wakeword=hearing.wakeword or self.hearing.wakeword)
        return NOTHING

    def stop(self, fields: Fields) -> Reaction:
        """Take `stopListening`: recognise what was heard so far."""
        session = text_of(fields, "sessionId")
        if self.hearing is None or session not in (None, self.hearing.session):
            return NOTHING
        return Reaction(commands=(Stop(),))

    def switch(self, *, on: bool) -> Reaction:
        """Take what the reasons of `asr/toggleOn` and `toggleOff` come to."""
        self.is_off = not on
        return Reaction(commands=(Cancel(),)) if self.hearing and self.is_off else NOTHING

    def hears(self, hearing: Hearing) -> None:
        """Begin an utterance."""
        self._captured.clear()
        self.hearing = hearing

    def asked(self, request: str | None) -> Hearing | None:
        """Return the hearing that a `startListening` asked for."""
        return self._requests.take(request)

    def partial(self, event: Partial) -> Reaction:
        """Return the words so far."""
        if self.hearing is None:
            return NOTHING
        return say(
            message(
                "hermes/asr/partialTextCaptured", qos=0, text=event.text, likelihood=1.0,
                seconds=0.0, site_id=self._site, session_id=self.hearing.session,
            )
        )  # fmt: skip

    def finish(self, event: Transcript | NoSpeech) -> tuple[Hearing | None, Reaction]:
        """Return what ended, and its final words."""
        hearing, self.hearing = self.hearing, None
        if hearing is None:
            return None, NOTHING
        transcript = event if isinstance(event, Transcript) else None
        messages = [
            message(
                "rhasspy/asr/recordingFinished", site_id=self._site, session_id=hearing.session
            ),
            captured(
                transcript, site=self._site, session=hearing.session, wakeword=hearing.wakeword,
                lang=hearing.lang,
            ),
        ]  # fmt: skip
        if hearing.send_audio:
            topic = f"rhasspy/asr/{self._site}/{level(hearing.session or '')}/audioCaptured"
            pcm = np.concatenate([np.zeros(0, np.int16), *self._captured])
            messages.append(Message(topic=topic, body=write_wav(pcm), qos=0))
        self._captured.clear()
        return hearing, say(*messages)

    def sound(self, pcm: Pcm) -> Reaction:
        """Take int16 [n]; return it as a frame where one is wanted."""
        server = f"hermes/audioServer/{self._site}"
        if self._frames == "always":
            return say(Message(topic=f"{server}/audioFrame", body=write_wav(pcm), qos=0))
        if self.hearing is None:
            return NOTHING
        if self.hearing.send_audio and self._room_left:
            self._captured.append(pcm)
        if self._frames == "session":
            topic = f"{server}/{level(self.hearing.session or '')}/audioSessionFrame"
            return say(Message(topic=topic, body=write_wav(pcm), qos=0))
        return NOTHING

    @property
    def _room_left(self) -> bool:
        return sum(map(len, self._captured)) < _MAX_CAPTURED_S * SAMPLE_RATE
