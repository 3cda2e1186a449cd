"""One utterance being listened to: recogniser and endpoint, from wake to the final words."""

from collections.abc import Sequence

from edgeasr.audio import SAMPLE_RATE, VAD_SAMPLES
from edgeasr.endpoint import EndpointConfig, EndpointState, Mark, step
from edgeasr.events import Transcript, Word
from edgeasr.features import Frames
from edgeasr.numbers_en import display
from edgeasr.recogniser import RecogniserStream, Result

__all__ = ["Utterance"]

_VAD_MS = VAD_SAMPLES * 1000 // SAMPLE_RATE


class Utterance:
    """What listening must remember between blocks."""

    def __init__(
        self,
        stream: RecogniserStream,
        *,
        session: str,
        start_s: float,
        targets: tuple[str, ...],
        endpoint: EndpointConfig,
    ) -> None:
        """Listen with `stream`, whose first frame lies at `start_s` of the audio."""
        self.session = session
        self.targets = targets
        self.text = ""
        self._stream = stream
        self._start_s = start_s
        self._config = endpoint
        self._endpoint = EndpointState()
        self._last_word_s: float | None = None

    def hear(self, frames: Frames) -> str | None:
        """Take float32 [k, mels] more frames; return the words so far when they changed."""
        hypothesis = self._stream.push(frames)
        if hypothesis is None:
            return None
        if hypothesis.text and hypothesis.last_token_s is not None:
            self._last_word_s = self._start_s + hypothesis.last_token_s
        if not hypothesis.text:
            self._last_word_s = None
        changed = hypothesis.text != self.text
        self.text = hypothesis.text
        return self.text if changed and self.text else None

    def ends(self, speech: Sequence[bool], now_s: float) -> Mark | None:
        """Advance the endpoint by the 10 ms flags of a block that ends at `now_s`."""
        for left, is_speech in zip(range(len(speech) - 1, -1, -1), speech, strict=True):
            age_ms = None
            if self._last_word_s is not None:
                age_ms = round((now_s - self._last_word_s) * 1000) - left * _VAD_MS
            self._endpoint, mark = step(
                self._endpoint,
                is_speech=is_speech,
                block_ms=_VAD_MS,
                word_age_ms=age_ms,
                config=self._config,
            )
            if mark is not None:
                return mark
        return None

    def transcript(self, *, at_s: float, reason: str) -> Transcript:
        """Return the final words, in stream time; `text` is empty when there were none."""
        result = self._stream.finish()
        words = tuple(self._shift(result))
        return Transcript(
            at_s=at_s,
            session=self.session,
            text=result.text,
            display=display(result.text),
            confidence=result.confidence,
            words=words,
            start_s=words[0].start_s if words else self._start_s,
            end_s=words[-1].end_s if words else at_s,
            reason=reason,
        )

    def _shift(self, result: Result) -> list[Word]:
        offset = self._start_s
        return [
            Word(
                word=word.word,
                start_s=offset + word.start_s,
                end_s=offset + word.end_s,
                confidence=word.confidence,
            )
            for word in result.words
        ]
