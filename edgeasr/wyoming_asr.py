"""The Wyoming recogniser: an utterance in, words as they come, then the transcript."""

import asyncio
from collections.abc import Mapping, Sequence

from wyoming.asr import (
    Transcribe,
    Transcript,
    TranscriptChunk,
    TranscriptStart,
    TranscriptStop,
)
from wyoming.audio import AudioChunk
from wyoming.event import Event
from wyoming.info import Info

from edgeasr.audio import SAMPLE_RATE, Pcm
from edgeasr.errors import AudioError, ConfigError
from edgeasr.features import Frontend, LogMel
from edgeasr.numbers_en import display
from edgeasr.recogniser import Hints, Recogniser
from edgeasr.wyoming_audio import ChunkReader
from edgeasr.wyoming_serving import Handler, Late, Reaction

__all__ = ["AsrHandler", "Steady"]

LANGUAGE = "en"
MAX_AUDIO_S = 120.0
MAX_HINTS = 2_000
MAX_HINT_CHARS = 200


class Steady:
    """Turns hypotheses that may be corrected into words that may be shown for good.

    A word counts when two hypotheses in a row agree on it and all before it, and another follows.
    """

    def __init__(self) -> None:
        self._told: list[str] = []
        self._last: list[str] = []

    def add(self, text: str) -> str:
        """Return the words that have become sure, with a leading space after the first."""
        words, count = text.split(), 0
        for before, now in zip(self._last, words[:-1], strict=False):
            if before != now:
                break
            count += 1
        self._last = words
        if words[: len(self._told)] != self._told:
            return ""  # corrected what was told already: wait for the end
        return self._tell(words[:count])

    def end(self, text: str) -> str:
        """Return what follows the told words in the final text."""
        return self._tell(text.split())

    def _tell(self, words: list[str]) -> str:
        new = words[len(self._told) :]
        lead = " " if self._told and new else ""
        self._told += new
        return lead + " ".join(new)


class _Utterance:
    """The recogniser's stream of one utterance; used in a worker thread."""

    def __init__(self, recogniser: Recogniser, phrases: Sequence[str]) -> None:
        self._frontend = Frontend(LogMel())
        self._stream = recogniser.stream(hints=Hints(list(phrases)) if phrases else None)

    def hear(self, pcm: Pcm) -> str | None:
        """Take int16 [n]; return the words so far when there is news."""
        hypothesis = self._stream.push(self._frontend.push(pcm))
        return None if hypothesis is None else hypothesis.text

    def finish(self, pcm: Pcm) -> tuple[str, float]:
        """Take the last samples; return the final words and their confidence."""
        self._stream.push(self._frontend.push(pcm))
        result = self._stream.finish()
        return result.text, result.confidence


class AsrHandler(Handler):
    """One client of the recogniser."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        info: Info,
        recogniser: Late[Recogniser],
        hints: Sequence[str] = (),
        min_confidence: float = 0.0,
    ) -> None:
        super().__init__(reader, writer, info=info)
        self._recogniser = recogniser
        self._always = tuple(hints)
        self._hints = self._always
        self._min_confidence = min_confidence
        self._utterance: _Utterance | None = None
        self._chunks = ChunkReader()
        self._steady = Steady()
        self._samples = 0

    @property
    def reactions(self) -> Mapping[str, Reaction]:
        """The events of a recogniser's client."""
        return {
            "transcribe": self._transcribe,
            "audio-start": self._start,
            "audio-chunk": self._hear,
            "audio-stop": self._stop,
        }

    async def _transcribe(self, event: Event) -> bool:
        wanted = Transcribe.from_event(event)
        language = wanted.language or LANGUAGE
        if str(language).replace("_", "-").split("-")[0].lower() != LANGUAGE:
            raise ConfigError(f"language {str(language)[:20]!r}: this recogniser knows English, en")
        # Names go first: they matter more, and the list may be cut.
        given = [*(wanted.transcript_names or ()), *(wanted.transcript_terms or ())]
        phrases = [text.strip() for text in given if isinstance(text, str)]
        short = [text for text in phrases if 0 < len(text) <= MAX_HINT_CHARS]
        self._hints = tuple(dict.fromkeys([*short[:MAX_HINTS], *self._always]))
        self._recogniser.begin()
        return True

    async def _start(self, _event: Event) -> bool:
        await self._begin()
        return True

    async def _begin(self) -> _Utterance:
        recogniser = await self._recogniser.get()
        self._utterance = _Utterance(recogniser, self._hints)
        self._chunks, self._steady, self._samples = ChunkReader(), Steady(), 0
        await self.write_event(TranscriptStart(language=LANGUAGE).event())
        return self._utterance

    async def _hear(self, event: Event) -> bool:
        chunk = AudioChunk.from_event(event)
        utterance = self._utterance or await self._begin()
        pcm = self._chunks.read(chunk)
        self._samples += len(pcm)
        if self._samples > MAX_AUDIO_S * SAMPLE_RATE:
            raise AudioError(f"an utterance of more than {MAX_AUDIO_S:g} s; send audio-stop before")
        text = await asyncio.to_thread(utterance.hear, pcm)
        if text is not None:
            await self._tell(self._steady.add(text))
        return True

    async def _stop(self, _event: Event) -> bool:
        """Decode, answer, and be ready for another utterance."""
        utterance, self._utterance = self._utterance, None
        if utterance is None:
            raise AudioError("audio-stop came before any sound; send audio-start and audio-chunk")
        text, confidence = await asyncio.to_thread(utterance.finish, self._chunks.flush())
        if confidence < self._min_confidence:
            text = ""
        await self._tell(self._steady.end(text))
        await self.write_event(TranscriptStop().event())
        shown = display(text) if text else ""
        await self.write_event(Transcript(text=shown, language=LANGUAGE).event())
        return True

    async def _tell(self, words: str) -> None:
        if words:
            await self.write_event(TranscriptChunk(text=words).event())
