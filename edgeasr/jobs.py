"""Recognition of recorded speech in small steps, so that live sound is heard in between."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from io import BytesIO

from edgeasr.assistant import Assistant
from edgeasr.audio import SAMPLE_RATE, Pcm
from edgeasr.errors import AudioError
from edgeasr.events import Event, NoSpeech, Transcript, Translation, Word
from edgeasr.features import Frontend, LogMel
from edgeasr.loading import Models, Understands
from edgeasr.numbers_en import display
from edgeasr.recogniser import Hints, Recogniser, Result
from edgeasr.settings import Settings
from edgeasr.sources import decode_audio
from edgeasr.stats import StageTimes

__all__ = ["MAX_AUDIO_S", "Recordings", "decode_message", "recording_job", "transcribe_job"]

MAX_AUDIO_S = 120.0
_STEP_SAMPLES = SAMPLE_RATE // 2


def decode_message(audio: bytes) -> Iterator[Pcm]:
    """Yield a recording that somebody sent, int16 [n] at 16 kHz mono. Raises AudioError.

    Of Ogg only Opus is taken: each damaged Vorbis file makes libsndfile lose some kilobytes.
    """
    if audio[:4] == b"OggS" and b"OpusHead" not in audio[:100]:
        raise AudioError("the recording is Ogg, but not Opus; send Opus, FLAC or WAV")
    yield from decode_audio(BytesIO(audio), name="the recording", max_s=MAX_AUDIO_S)


class Recordings:
    """Recognises recordings that commands bring, one at a time."""

    def __init__(self, models: Models, assistant: Assistant, stages: StageTimes) -> None:
        self.active = False
        """Whether one is being recognised"""
        self._models = models
        self._assistant = assistant
        self._stages = stages
        self._run = secrets.token_hex(3)
        self._count = 0

    def recognise(self, audio: bytes, show: Callable[[], None]) -> Iterator[Iterable[Event]]:
        """Yield events step by step, calling `show` before each. Raises AudioError."""
        self._count += 1
        session = f"{self._run}-recording-{self._count}"
        steps = transcribe_job(audio, self._models, self._assistant, session=session)
        self.active = True
        try:
            while True:
                show()
                with self._stages.timed("transcribe"):
                    events = next(steps, None)
                if events is None:
                    return
                yield events
        finally:
            self.active = False


def transcribe_job(
    audio: bytes, models: Models, assistant: Assistant, *, session: str
) -> Iterator[Iterable[Event]]:
    """Yield events after each step: nothing while listening, then what a voice would give.

    Times count from the start of the recording. Raises AudioError for what is not audio.
    """
    return recording_job(
        audio,
        models.recogniser,
        settings=assistant.settings,
        translate=lambda text, target: assistant.translate(text, target, session=session),
        session=session,
        understander=models.understander,
    )


def recording_job(
    audio: bytes,
    recogniser: Recogniser,
    *,
    settings: Settings,
    translate: Callable[[str, str], Translation],
    session: str,
    understander: Understands | None = None,
) -> Iterator[Iterable[Event]]:
    """Do the same with a recogniser alone; `translate` takes a text and a language."""
    hints = Hints(list(settings.hints)) if settings.hints else None
    frontend, stream = Frontend(LogMel()), recogniser.stream(hints=hints)
    samples = 0
    for pcm in decode_message(audio):
        for start in range(0, len(pcm), _STEP_SAMPLES):
            part = pcm[start : start + _STEP_SAMPLES]
            samples += len(part)
            stream.push(frontend.push(part))
            yield ()
    if not samples:
        raise AudioError("the recording holds no samples; send at least one word")
    at_s = samples / SAMPLE_RATE
    result = stream.finish()
    if not result.text or result.confidence < settings.min_confidence:
        reason = "rejected" if result.text else "silence"
        yield [NoSpeech(at_s=at_s, session=session, reason=reason)]
        return
    transcript = _transcript(result, session=session, at_s=at_s)
    yield [transcript]
    if understander is not None:
        yield [understander.event(transcript.text, at_s=at_s, session=session)]
    for target in settings.targets:
        yield [replace(translate(transcript.text, target), at_s=at_s)]


def _transcript(result: Result, *, session: str, at_s: float) -> Transcript:
    words = tuple(
        Word(word=word.word, start_s=word.start_s, end_s=word.end_s, confidence=word.confidence)
        for word in result.words
    )
    return Transcript(
        at_s=at_s,
        session=session,
        text=result.text,
        display=display(result.text),
        confidence=result.confidence,
        words=words,
        start_s=words[0].start_s if words else 0.0,
        end_s=words[-1].end_s if words else at_s,
        reason="end_of_stream",
    )
