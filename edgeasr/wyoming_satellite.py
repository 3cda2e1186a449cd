"""The Wyoming satellite: Home Assistant connects to it, and gets the sound after a wake word.

The microphone is open only between `run-satellite` and `pause-satellite` or the end of the
connection. Sound is read and searched in worker threads, so that a ping is answered at once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import numpy as np
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Info
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.satellite import StreamingStarted, StreamingStopped
from wyoming.snd import Played
from wyoming.wake import Detection

from edgeasr.audio import SAMPLE_RATE, Pcm
from edgeasr.capture import LiveSource
from edgeasr.features import FRAME_S
from edgeasr.wyoming_info import event_name
from edgeasr.wyoming_serving import Handler, Late, Reaction
from edgeasr.wyoming_wake import Trigger

__all__ = ["Satellite", "SatelliteHandler"]

_LOG = logging.getLogger(__name__)
_WAIT_S = 0.1
_KEPT_SAMPLES = 3 * SAMPLE_RATE  # a word's detection comes late; what follows it must not be lost
_MOST_S = 30.0  # of sound for one command, should the server never answer

Send = Callable[[Event], Awaitable[None]]


@dataclass
class _Command:
    """A command being streamed."""

    sent: int
    """Samples since the stream's start that were sent, or left out before the command"""
    until: int
    """The sample at which it ends at the latest"""


class Satellite:
    """One microphone for one server at a time; the latest to ask for it has it."""

    def __init__(self, source: LiveSource, trigger: Late[Trigger]) -> None:
        self._source = source
        self._trigger = trigger
        self._send: Send | None = None
        self._task: asyncio.Task[None] | None = None
        self._command: _Command | None = None
        self._asked = False
        self._samples = 0
        self._kept: Pcm = np.zeros(0, np.int16)

    async def run(self, send: Send, leave: Callable[[], None]) -> None:
        """Start listening for the server that `send` reaches; `leave` closes its connection."""
        await self.pause()
        self._send, self._asked = send, False
        self._task = asyncio.create_task(self._listen(send, leave))

    async def pause(self, send: Send | None = None) -> None:
        """Close the microphone; with `send`, only if that server has it."""
        if send is not None and send != self._send:
            return
        task, self._task, self._send = self._task, None, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def ask(self) -> None:
        """Start a command without a wake word."""
        self._asked = True

    def end_command(self) -> None:
        """Send no more sound: the server has heard enough."""
        if self._command is not None:
            self._command.until = 0

    async def _listen(self, send: Send, leave: Callable[[], None]) -> None:
        self._command, self._samples = None, 0
        try:
            trigger = await self._trigger.get()
            trigger.reset()
            await asyncio.to_thread(self._source.start)
            condition = ""
            while True:
                chunk = await asyncio.to_thread(self._source.read, _WAIT_S)
                if self._source.condition != condition:
                    condition = self._source.condition
                    _LOG.info("microphone %s %s", condition, self._source.detail)
                if chunk is not None:
                    await self._hear(chunk.pcm, trigger, send)
        except ConnectionError as error:
            _LOG.info("the server is gone: %s", error)
        except Exception:
            _LOG.exception("the satellite stops listening until the server connects again")
            leave()  # answering pings with no microphone, it would look well and be deaf
        finally:
            self._source.stop()

    async def _hear(self, pcm: Pcm, trigger: Trigger, send: Send) -> None:
        self._samples += len(pcm)
        self._kept = np.concatenate([self._kept, pcm])[-_KEPT_SAMPLES:]
        found = await asyncio.to_thread(trigger.hear, pcm)
        asked, self._asked = self._asked, False
        if self._command is not None:
            await self._stream(self._command, send)
        elif asked:
            await self._begin(send, word=None, start=self._samples - len(pcm))
        elif found:
            word = event_name(found[0].word)
            at_ms = round(found[0].at_frame * FRAME_S * 1000)
            await send(Detection(name=word, timestamp=at_ms).event())
            await self._begin(send, word=word, start=round(found[0].end_frame * FRAME_S * 16_000))

    async def _begin(self, send: Send, *, word: str | None, start: int) -> None:
        """Run the server's pipeline on the sound from sample `start` on."""
        run = RunPipeline(PipelineStage.ASR, PipelineStage.HANDLE, wake_word_name=word)
        await send(run.event())
        await send(StreamingStarted().event())
        first = max(start, self._samples - len(self._kept))
        self._command = _Command(sent=first, until=first + round(_MOST_S * SAMPLE_RATE))
        await self._stream(self._command, send)

    async def _stream(self, command: _Command, send: Send) -> None:
        if self._samples > command.until:
            self._command = None
            await send(AudioStop().event())
            await send(StreamingStopped().event())
            return
        new = self._kept[len(self._kept) - (self._samples - command.sent) :]
        at_ms = round(command.sent * 1000 / SAMPLE_RATE)
        command.sent = self._samples
        chunk = AudioChunk(
            rate=SAMPLE_RATE, width=2, channels=1, audio=new.tobytes(), timestamp=at_ms
        )
        await send(chunk.event())


class SatelliteHandler(Handler):
    """One server's connection to the satellite."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        info: Info,
        satellite: Satellite,
    ) -> None:
        super().__init__(reader, writer, info=info)
        self._satellite = satellite

    @property
    def reactions(self) -> Mapping[str, Reaction]:
        """The events of a server."""
        return {
            "run-satellite": self._run,
            "pause-satellite": self._pause,
            "run-pipeline": self._ask,
            "voice-stopped": self._enough,
            "transcript": self._transcript,
            "error": self._error,
            "audio-stop": self._played,
        }

    async def disconnect(self) -> None:
        """Close the microphone when its server leaves."""
        await self._satellite.pause(self.write_event)

    async def _run(self, _event: Event) -> bool:
        await self._satellite.run(self.write_event, self.writer.close)
        return True

    async def _pause(self, _event: Event) -> bool:
        await self._satellite.pause(self.write_event)
        return True

    async def _ask(self, _event: Event) -> bool:
        self._satellite.ask()
        return True

    async def _enough(self, _event: Event) -> bool:
        self._satellite.end_command()
        return True

    async def _transcript(self, event: Event) -> bool:
        _LOG.info("the server heard %r", Transcript.from_event(event).text)
        return await self._enough(event)

    async def _error(self, event: Event) -> bool:
        _LOG.warning("the server reports: %s", Error.from_event(event).text)
        return await self._enough(event)

    async def _played(self, _event: Event) -> bool:
        """There is no loudspeaker: say at once that an answer was played, so nobody waits."""
        await self.write_event(Played().event())
        return True
