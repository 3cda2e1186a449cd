"""The Wyoming wake server: sound in, `detection` as soon as a word is heard."""

import asyncio
from collections.abc import Mapping

import numpy as np
from wyoming.audio import AudioChunk, AudioStart
from wyoming.event import Event
from wyoming.info import Info
from wyoming.wake import Detect, Detection, NotDetected

from edgeasr.audio import Pcm
from edgeasr.errors import ConfigError
from edgeasr.features import FRAME_S, Frontend, LogMel
from edgeasr.wake import Detection as Found
from edgeasr.wake import WakeDetector, WakeModel
from edgeasr.wyoming_audio import ChunkReader
from edgeasr.wyoming_info import event_name
from edgeasr.wyoming_serving import Handler, Late, Reaction

__all__ = ["Trigger", "WakeHandler"]


class Trigger:
    """Front-end and detector of one stream of sound."""

    def __init__(
        self, model: WakeModel, words: Mapping[str, float | None], *, refractory_s: float
    ) -> None:
        """Listen for `words` at their thresholds, None for the model's. Raises ConfigError."""
        thresholds = {
            word: model.thresholds.get(word, 0.5) if own is None else own
            for word, own in words.items()
        }
        self._frontend = Frontend(LogMel())
        self._detector = WakeDetector(model, thresholds, refractory_s=refractory_s)

    def reset(self) -> None:
        """Forget the stream: the next sample is sample 0."""
        self._frontend.reset()
        self._detector.reset()

    def hear(self, pcm: Pcm) -> list[Found]:
        """Take int16 [n] more samples; return what was detected."""
        return self._detector.push(self._frontend.push(pcm))


class WakeHandler(Handler):
    """One client of the wake server."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        info: Info,
        model: Late[WakeModel],
        words: Mapping[str, float | None],
        refractory_s: float,
    ) -> None:
        super().__init__(reader, writer, info=info)
        self._model = model
        self._words = dict(words)
        self._wanted = dict(words)
        self._refractory_s = refractory_s
        self._trigger: Trigger | None = None
        self._chunks = ChunkReader()
        self._began_ms = 0
        self._detected = False

    @property
    def reactions(self) -> Mapping[str, Reaction]:
        """The events of a wake client."""
        return {
            "detect": self._detect,
            "audio-start": self._start,
            "audio-chunk": self._hear,
            "audio-stop": self._stop,
        }

    async def _detect(self, event: Event) -> bool:
        names = Detect.from_event(event).names
        known = {event_name(word): word for word in self._words}
        if names:
            unknown = [name for name in names if event_name(str(name)) not in known]
            if unknown:
                raise ConfigError(f"no wake word {unknown[0]!r}; there are: {', '.join(known)}")
            chosen = [known[event_name(name)] for name in names]
            self._wanted = {word: self._words[word] for word in chosen}
        else:
            self._wanted = dict(self._words)
        self._trigger = None
        await self._model.get()  # loaded before the first sound comes
        return True

    async def _start(self, event: Event) -> bool:
        await self._begin(AudioStart.from_event(event).timestamp)
        return True

    async def _begin(self, timestamp_ms: int | None) -> Trigger:
        self._trigger = Trigger(
            await self._model.get(), self._wanted, refractory_s=self._refractory_s
        )
        self._chunks = ChunkReader()
        self._began_ms = timestamp_ms or 0
        self._detected = False
        return self._trigger

    async def _hear(self, event: Event) -> bool:
        chunk = AudioChunk.from_event(event)
        trigger = self._trigger or await self._begin(chunk.timestamp)
        await self._push(trigger, self._chunks.read(chunk))
        return True

    async def _push(self, trigger: Trigger, pcm: Pcm) -> None:
        for found in await asyncio.to_thread(trigger.hear, pcm):
            self._detected = True
            at_ms = self._began_ms + round(found.at_frame * FRAME_S * 1000)
            detection = Detection(name=event_name(found.word), timestamp=at_ms)
            await self.write_event(detection.event())

    async def _stop(self, _event: Event) -> bool:
        if self._trigger is not None:
            # Half a second of silence lets a word at the very end be found.
            rest = np.concatenate([self._chunks.flush(), np.zeros(8000, np.int16)])
            await self._push(self._trigger, rest)
        if not self._detected:
            await self.write_event(NotDetected().event())
        self._trigger = None
        self._detected = False
        return True
