"""The streaming recogniser: partial words while one speaks, a second look for the final ones.

Frames go through a chunked encoder as they come; a CTC prefix beam tells when words were said, an
attention decoder spells them. At the end the encoder sees the utterance whole once more, the
decoder searches over that, and the CTC branch may have a say in which hypothesis wins (two
passes; Watanabe et al. 2017, Zhang et al. 2020).
"""

import numpy as np

from edgeasr.attention_search import Candidate
from edgeasr.confidence import confidence, confidence_features
from edgeasr.ctc import PrefixBeam, label_score
from edgeasr.encoder import EncoderStream
from edgeasr.errors import AudioError
from edgeasr.features import FeatureSpec, Frames
from edgeasr.hints import Hints, HintTree
from edgeasr.recogniser_networks import RecogniserNetworks
from edgeasr.session import Array
from edgeasr.transcription import Hypothesis, Result, join
from edgeasr.word_times import SpokenWord, word_confidences, word_spans

__all__ = ["Hints", "Hypothesis", "Recogniser", "RecogniserStream", "Result", "SpokenWord"]

STEP_S = 0.04  # of the CTC branch
_CUT_AT_PAUSE_S = 18.0  # an utterance longer than this is cut at its next pause
_CUT_ANYWAY_S = 27.0  # Whisper's positions end at 30 s
_PAUSE_STEPS = 10
_LEAST_STEPS = 1  # CTC steps with a unit, for anything to have been said
_SILENCE = np.full((30, FeatureSpec.mels), np.log10(FeatureSpec.floor), np.float32)
_TAIL_S = 0.15  # the CTC branch may still spell the wake word this long after its end


class Recogniser(RecogniserNetworks):
    """Starts streams over a bundle's networks."""

    def stream(
        self, *, hints: Hints | None = None, prefix: str = "", skip_s: float = 0.0
    ) -> "RecogniserStream":
        """Start an utterance.

        When the audio begins with a wake word, `prefix` is that word and `skip_s` where it ends,
        seconds from the first frame: the words of the result come after it.
        """
        tree = None if hints is None else self.hint_tree(hints)
        return RecogniserStream(self, tree, prefix, skip_s)


class RecogniserStream:
    """One utterance, or minutes of speech cut at pauses, in constant memory."""

    def __init__(
        self, recogniser: Recogniser, tree: HintTree | None, prefix: str, skip_s: float
    ) -> None:
        self._recogniser = recogniser
        self._tree = tree
        self._sealed: list[Result] = []
        self._begin(0.0, prefix, skip_s)

    def push(self, frames: Frames) -> Hypothesis | None:
        """Take log10 mel, float32 [k, mels], any k; return the words so far, None if unchanged.

        Raises AudioError for NaN.
        """
        if not np.isfinite(frames).all():
            raise AudioError("the features hold NaN or infinite values; drop this audio")
        size, advanced = self._recogniser.nets.chunk, False
        for start in range(0, len(frames), size):
            advanced |= self._advance(frames[start : start + size])
        return self._hypothesis() if advanced else None

    def expect(self, tree: HintTree | None) -> None:
        """Change the hints of what is not yet final."""
        self._tree = tree

    def finish(self) -> Result:
        """Return the final words of what was pushed. The stream can go on afterwards.

        Silence is heard behind it: where a word is the last sound the decoder would begin again.
        """
        ended, outputs = self.encoder.rest(_SILENCE)
        last = self._decode(ended, [*self._log_probs, *outputs])
        return join([*self._sealed, last])

    def _begin(self, start_s: float, prefix: str, skip_s: float) -> None:
        self._start_s, self._prefix, self._skip_s = start_s, prefix, skip_s
        self.encoder = EncoderStream(self._recogniser.nets)
        """Of the part since the last cut"""
        self._beam = PrefixBeam()
        self._partial = self._recogniser.partials(prefix)
        self._log_probs: list[Array] = []
        self._pending: Frames = np.zeros((0, FeatureSpec.mels), np.float32)
        """Frames that are not yet encoded; a cut hands them on"""
        self._pause = 0

    def _advance(self, frames: Frames) -> bool:
        """Take at most half a chunk; return whether that completed one."""
        self._pending = np.concatenate([self._pending, frames])
        outputs = self.encoder.push(frames)
        for log_probs in outputs:
            self._pending = self._pending[2 * self._recogniser.nets.chunk :]
            self._partial.hear(self.encoder.states, self.encoder.states_ahead)
            self._take(log_probs)
        if self._should_cut():
            self._cut()
        return bool(outputs)

    def _take(self, log_probs: Array) -> None:
        self._beam.push(log_probs)
        self._log_probs.append(log_probs)
        for is_blank in (log_probs.argmax(axis=1) == 0).tolist():
            self._pause = self._pause + 1 if is_blank else 0

    def _should_cut(self) -> bool:
        seconds = self.encoder.frames * STEP_S / 2
        paused = self._pause >= _PAUSE_STEPS
        return seconds > _CUT_ANYWAY_S or (seconds > _CUT_AT_PAUSE_S and paused)

    def _cut(self) -> None:
        self._sealed.append(self._decode(self.encoder, self._log_probs))
        pending = self._pending
        self._begin(self._start_s + self.encoder.frames * STEP_S / 2, "", 0.0)
        self._advance(pending)

    def _hypothesis(self) -> Hypothesis:
        """Return the decoder's words, once the CTC branch has heard any; it tells when."""
        before = [result.text for result in self._sealed if result.text]
        steps = [step for step in self._beam.best().steps if step >= self._first_step()]
        if not steps:
            return Hypothesis(" ".join(before), None)
        text = self._recogniser.text(self._partial.spell())
        words = " ".join([*before, text] if text else before)
        return Hypothesis(words, self._start_s + (steps[-1] + 1) * STEP_S)

    def _first_step(self) -> int:
        return int((self._skip_s + _TAIL_S) / STEP_S) if self._prefix else 0

    def _decode(self, encoder: EncoderStream, outputs: list[Array]) -> Result:
        if encoder.frames == 0:
            return Result("", 0.0)
        log_probs = np.concatenate(outputs)[self._first_step() :]
        if np.count_nonzero(log_probs.argmax(axis=1)) < _LEAST_STEPS:
            return Result("", 0.0)  # hardly a unit stands out: nobody spoke
        found = self._recogniser.search(encoder.x, self._tree, self._prefix)
        spoken = [candidate for candidate in found if candidate.units]
        return self._result(self._best(spoken or found, log_probs), log_probs)

    def _best(self, found: list[Candidate], log_probs: Array) -> Candidate:
        """Rescore with CTC, which knows how much was said and never repeats itself."""
        weight = float(self._recogniser.settings["ctc_weight"])
        if not weight:
            return found[0]
        scores = [
            candidate.score + weight * self._ctc_score(candidate, log_probs) for candidate in found
        ]
        return found[int(np.argmax(scores))]

    def _ctc_labels(self, text: str) -> list[int]:
        return [unit + 1 for unit in self._recogniser.pieces.encode(text)]

    def _ctc_score(self, candidate: Candidate, log_probs: Array) -> float:
        text = self._recogniser.text(candidate.units)
        return label_score(log_probs, self._ctc_labels(text))

    def _result(self, best: Candidate, log_probs: Array) -> Result:
        recogniser = self._recogniser
        text = recogniser.text(best.units)
        if not text:
            return Result("", 0.0)
        spans = word_spans(text, log_probs, recogniser.pieces)
        offset = self._start_s + self._first_step() * STEP_S
        sure = word_confidences(best, recogniser.bpe.units)
        words = tuple(
            SpokenWord(word, offset + first * STEP_S, offset + (last + 1) * STEP_S, confidence)
            for word, (first, last), confidence in zip(text.split(), spans, sure, strict=True)
        )
        features = confidence_features(best.log_probs, log_probs, self._ctc_labels(text))
        return Result(text, confidence(features, recogniser.settings["confidence"]), words)
