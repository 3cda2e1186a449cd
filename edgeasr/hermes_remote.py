"""Microphones in other rooms: their frames become whole utterances for our recogniser."""

from collections.abc import Sequence

from edgeasr.bridge import NOTHING, Reaction
from edgeasr.commands import Transcribe
from edgeasr.errors import AudioError
from edgeasr.events import Event, NoSpeech, Transcript
from edgeasr.hermes_audio import RemoteUtterance, read_wav
from edgeasr.hermes_messages import (
    Fields,
    Requests,
    captured,
    error,
    flag_of,
    level,
    message,
    say,
    text_of,
)
from edgeasr.mqtt_topics import Message

__all__ = ["RemoteMicrophones"]


class RemoteMicrophones:
    """Serves `startListening` of other sites: sound from the bus, a recording to the daemon."""

    def __init__(self, rooms: Sequence[str]) -> None:
        self._rooms = tuple(rooms)
        self._open: dict[str, RemoteUtterance] = {}
        self._requests: Requests[RemoteUtterance] = Requests("hermes-room")
        self.subscriptions = tuple(
            f"hermes/audioServer/{room}/{frames}"
            for room in self._rooms
            for frames in ("audioFrame", "+/audioSessionFrame")
        )

    def serves(self, site: str) -> bool:
        """Whether the site is one of the rooms."""
        return site in self._rooms

    def frame(self, topic: str, body: bytes) -> Reaction | None:
        """Take a WAV frame; None when the topic is no frame's."""
        parts = topic.split("/")
        if parts[:2] != ["hermes", "audioServer"] or not parts[-1].endswith("Frame"):
            return None
        utterance = self._open.get(parts[2])
        if utterance is None or utterance.frames not in ("", parts[-1]):
            return NOTHING
        utterance.frames = parts[-1]
        try:
            over = utterance.push(read_wav(body))
        except AudioError as fault:
            del self._open[utterance.site]
            return error(
                "audioServer/record", str(fault), site=utterance.site, session=utterance.session
            )
        return self._finish(utterance) if over else NOTHING

    def message(self, topic: str, site: str, fields: Fields) -> Reaction:
        """Take a message to the recogniser of a room."""
        if topic.endswith("/startListening"):
            self._open[site] = RemoteUtterance(
                site=site,
                session=text_of(fields, "sessionId"),
                wakeword=text_of(fields, "wakewordId"),
                stop_on_silence=flag_of(fields, "stopOnSilence", default=True),
                send_audio=flag_of(fields, "sendAudioCaptured", default=False),
            )
        elif topic.endswith("/stopListening") and site in self._open:
            return self._finish(self._open[site])
        return NOTHING

    def answer(self, event: Event, request: str | None) -> Reaction | None:
        """Tell the room what was heard; None when the event is not for a room."""
        if not isinstance(event, Transcript | NoSpeech):
            return None
        utterance = self._requests.take(request)
        if utterance is None:
            return None
        return say(
            captured(
                event if isinstance(event, Transcript) else None,
                site=utterance.site,
                session=utterance.session,
                wakeword=utterance.wakeword,
            )
        )

    def refused(self, request: str, text: str) -> Reaction | None:
        """Tell the room that its recording could not be used; None when it is no room's."""
        utterance = self._requests.take(request)
        if utterance is None:
            return None
        return error("asr", text, site=utterance.site, session=utterance.session)

    def _finish(self, utterance: RemoteUtterance) -> Reaction:
        del self._open[utterance.site]
        wav = utterance.wav()
        messages = [
            message(
                "rhasspy/asr/recordingFinished",
                site_id=utterance.site,
                session_id=utterance.session,
            )
        ]
        if utterance.send_audio:
            session = level(utterance.session or "")
            topic = f"rhasspy/asr/{utterance.site}/{session}/audioCaptured"
            messages.append(Message(topic=topic, body=wav, qos=0))
        request = self._requests.keep(utterance)
        return say(*messages) + Reaction(commands=(Transcribe(audio=wav, id=request),))
