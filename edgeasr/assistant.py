"""The whole pipeline as a value: blocks in, events out. No thread, no clock, no input or output.

Time is counted in samples, so a replayed file gives exactly what the microphone gave.

    idle  --wake word or listen()-->  listening  --end of speech, stop() or cancel()-->  idle
"""

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np

from edgeasr.audio import SAMPLE_RATE, VAD_SAMPLES, Pcm, Reblocker
from edgeasr.endpoint import SpeechFlag
from edgeasr.errors import EdgeasrError
from edgeasr.events import Error, Event, NoSpeech, Partial, Transcript, Translation, Wake
from edgeasr.features import FRAME_S, Frames, Frontend, LogMel
from edgeasr.loading import Models
from edgeasr.loudness import snr_db
from edgeasr.recogniser import Hints
from edgeasr.settings import Settings, WordSettings
from edgeasr.translation import TranslationResult, translation_event
from edgeasr.utterance import Utterance
from edgeasr.wake import Detection, WakeDetector

__all__ = ["Assistant", "AssistantState"]

AssistantState = Literal["idle", "listening"]

_PREROLL_FRAMES = 300  # 3 s: the longest wake word, the delay of its detection, a margin
_WAKE_LEAD_S = 1.5  # audio before the end of the wake word that the recogniser gets
_LISTEN_LEAD_S = 0.3  # audio before a listen command, which a finger gives a little late


class Assistant:
    """Wake, endpoint, recognition and translation of one audio stream.

    Example::

        assistant = Assistant(load_models())
        for pcm in audio_chunks(Path("recording.wav")):
            for event in assistant.push(pcm):
                print(event.to_fields())
        for event in assistant.finish():
            print(event.to_fields())
    """

    def __init__(
        self, models: Models, settings: Settings | None = None, *, session_prefix: str = ""
    ) -> None:
        """Start at 0 s with `settings`, or with every wake word and French.

        Raises ConfigError when they ask for a wake word or language that no model serves.
        """
        self._models = models
        self._session_prefix = session_prefix
        self._sessions = 0
        self._frontend = Frontend(LogMel())
        self._reblocker = Reblocker()
        self.settings = settings or Settings(words=models.all_words())
        """The settings in force; changed by `apply`"""
        self.translations: dict[str, TranslationResult] = {}
        """The latest translation to each language, with what its words looked at"""
        self.apply(self.settings)
        self.reset()

    @property
    def state(self) -> AssistantState:
        """`listening` from the wake word to the end of speech, else `idle`."""
        return "idle" if self._utterance is None else "listening"

    @property
    def now_s(self) -> float:
        """Stream time: seconds of audio taken in whole blocks."""
        return self._samples / SAMPLE_RATE

    @property
    def latest_scores(self) -> Mapping[str, float]:
        """The highest smoothed score of each wake word in the latest block."""
        return self._detector.latest_scores

    def reset(self) -> None:
        """Forget the stream: the next sample is at 0 s. Sessions keep counting."""
        self._frontend.reset()
        self._reblocker.reset()
        self._samples = 0
        self._frames = 0
        self._preroll: Frames = np.zeros((0, 0), np.float32)
        self._speech = SpeechFlag(self.settings.endpoint.vad_mode)
        self._detector.reset()
        self._utterance: Utterance | None = None

    def apply(self, settings: Settings) -> None:
        """Change the settings from the next block on; a running utterance keeps its own.

        Raises ConfigError, and changes nothing, for a word or language that no model serves.
        """
        self._models.check(settings)
        self.settings = settings
        self._hints = Hints(list(settings.hints)) if settings.hints else None
        self._speech = SpeechFlag(settings.endpoint.vad_mode)
        thresholds = {
            word: self._models.wake.thresholds[word] if own.threshold is None else own.threshold
            for word, own in settings.words.items()
        }
        own_s = {
            word: own.refractory_s
            for word, own in settings.words.items()
            if own.refractory_s is not None
        }
        self._detector = WakeDetector(
            self._models.wake, thresholds,
            refractory_s=settings.refractory_s, own_refractory_s=own_s,
        )  # fmt: skip

    def push(self, pcm: Pcm) -> list[Event]:
        """Take int16 [n] more samples at 16 kHz, any n; return what happened, in order."""
        return [event for block in self._reblocker.push(pcm) for event in self._block(block)]

    def finish(self) -> list[Event]:
        """Take the end of the audio: return what can still be said of it, and start afresh."""
        events = [event for block in self._reblocker.flush() for event in self._block(block)]
        if self._utterance is not None:
            events += self._end("end_of_stream")
        self.reset()
        return events

    def listen(self) -> list[Event]:
        """Start listening without a wake word, as a button or a command asks."""
        if self._utterance is not None:
            return []
        return list(self._listen("", score=1.0, word_end_s=self.now_s, lead_s=_LISTEN_LEAD_S))

    def stop(self) -> list[Event]:
        """End the utterance now and recognise what was heard."""
        return [] if self._utterance is None else self._end("stop")

    def cancel(self) -> list[Event]:
        """End the utterance now and drop it."""
        utterance, self._utterance = self._utterance, None
        if utterance is None:
            return []
        return [NoSpeech(at_s=self.now_s, session=utterance.session, reason="cancelled")]

    def translate(self, text: str, target: str, *, session: str | None = None) -> Translation:
        """Translate a text with the settings in force. Raises TextError and ConfigError."""
        translator = self._models.translator(target)
        result = translator.translate(text, beam=self.settings.beam)
        self.translations[target] = result
        languages = translator.source_language, target
        return translation_event(result, text, languages, at_s=self.now_s, session=session)

    def _block(self, block: Pcm) -> Iterator[Event]:
        frames = self._frontend.push(block)
        self._samples += len(block)
        self._frames += len(frames)
        self._remember(frames)
        speech = [self._speech(part) for part in block.reshape(-1, VAD_SAMPLES)]
        detections = self._detector.push(frames)
        if self._utterance is not None:
            yield from self._follow(self._utterance, frames, speech)
        elif detections:
            yield from self._wake(max(detections, key=lambda found: found.score))

    def _remember(self, frames: Frames) -> None:
        joined = np.concatenate([self._preroll, frames]) if len(self._preroll) else frames
        self._preroll = joined[-_PREROLL_FRAMES:]

    def _wake(self, found: Detection) -> Iterator[Event]:
        return self._listen(
            found.word,
            score=found.score,
            word_end_s=found.end_frame * FRAME_S,
            lead_s=_WAKE_LEAD_S,
            snr_db=snr_db(self._preroll),
        )

    def _listen(
        self, word: str, *, score: float, word_end_s: float, lead_s: float, snr_db: float = 0.0
    ) -> Iterator[Event]:
        self._sessions += 1
        first = self._frames - len(self._preroll)
        start = min(max(first, round((word_end_s - lead_s) / FRAME_S)), self._frames)
        start_s = start * FRAME_S
        own = self.settings.words.get(word, WordSettings()).targets
        stream = self._models.recogniser.stream(
            hints=self._hints, prefix=word, skip_s=word_end_s - start_s if word else 0.0
        )
        utterance = Utterance(
            stream,
            session=f"{self._session_prefix}{self._sessions}",
            start_s=start_s,
            targets=self.settings.targets if own is None else own,
            endpoint=self.settings.endpoint,
        )
        self._utterance = utterance
        yield Wake(
            at_s=self.now_s,
            session=utterance.session,
            word=word,
            score=score,
            word_end_s=word_end_s,
            latency_s=self.now_s - word_end_s,
            snr_db=snr_db,
        )
        yield from self._follow(utterance, self._preroll[start - first :], [])

    def _follow(
        self, utterance: Utterance, frames: Frames, speech: list[bool]
    ) -> Iterator[Event]:
        text = utterance.hear(frames)
        if text is not None:
            yield Partial(at_s=self.now_s, session=utterance.session, text=text)
        mark = utterance.ends(speech, self.now_s)
        if mark is not None:
            yield from self._end(mark.value)

    def _end(self, reason: str) -> list[Event]:
        assert self._utterance is not None
        utterance = self._utterance
        transcript = utterance.transcript(at_s=self.now_s, reason=reason)
        self._utterance = None  # not before: one that can not be recognised is still to be ended
        if not transcript.text or transcript.confidence < self.settings.min_confidence:
            why = "rejected" if transcript.text else "silence"
            if reason == "end_of_stream" and not transcript.text:
                why = reason
            return [NoSpeech(at_s=self.now_s, session=utterance.session, reason=why)]
        return [transcript, *self._interpret(transcript, utterance.targets)]

    def _interpret(self, transcript: Transcript, targets: tuple[str, ...]) -> Iterator[Event]:
        session = transcript.session
        if self._models.understander is not None:
            yield self._models.understander.event(
                transcript.text, at_s=self.now_s, session=session
            )
        for target in targets:
            try:
                yield self.translate(transcript.text, target, session=session)
            except EdgeasrError as error:
                yield Error(
                    at_s=self.now_s, session=session, source="translator", message=str(error)
                )

