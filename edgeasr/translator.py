"""Text in, text out: the encoder once, the decoder step by step under a beam search.

The networks are a GRU encoder-decoder with additive attention (Cho 2014; Bahdanau 2014). The
weights of attention come back with each translation and say which source piece a word came from.
"""

import math
import re

import numpy as np
import sentencepiece as spm

from edgeasr.beam import BeamConfig, Hypothesis, Step, beam_search
from edgeasr.bundle import Bundle
from edgeasr.errors import TextError
from edgeasr.faithful import Faithful
from edgeasr.figures import LANGUAGES
from edgeasr.numbers_en import clock_figures, with_right_ordinals
from edgeasr.session import Array
from edgeasr.time_words_fr import clock_figures_fr
from edgeasr.translation import Alternative, TranslationResult

__all__ = ["Translator", "confidence_features"]

MAX_WORDS = 2000
MAX_CHARACTERS = 20_000
MAX_BEAM = 64
BEGIN, END = 2, 3
_SENTENCE_END = re.compile(
    r"(?<=[.!?…])(?<!\bmr\.)(?<!\bmrs\.)(?<!\bdr\.)(?<!\bst\.)\s+", re.IGNORECASE
)
_CLOCKS = {"en": clock_figures, "fr": clock_figures_fr}
"""Writes times as the networks know them, by source language"""
_BREAKS = (re.compile(r"(?<=[,;:])\s+"), re.compile(r"\s+"))
"""Where a sentence too long is cut: between clauses, else between words"""


class Translator:
    """A loaded translator bundle. Keeps nothing between calls."""

    def __init__(self, bundle: Bundle) -> None:
        """Load networks and sub-words. Raises BundleError."""
        self._encoder = bundle.session("encoder.onnx")
        self._decoder = bundle.session("decoder.onnx")
        self._source = spm.SentencePieceProcessor(model_file=str(bundle.path("source.model")))
        self._target = spm.SentencePieceProcessor(model_file=str(bundle.path("target.model")))
        settings = bundle.settings
        self.source_language: str = settings["source_language"]
        self.target_language: str = settings["target_language"]
        self._alpha: float = settings["alpha"]
        self._longest: int = settings["longest_source"]
        self._confidence: list[float] = settings["confidence"]
        self._doubt_below: float = settings["doubt_below"]

    def translate(
        self, text: str, *, beam: int = 4, n_best: int = 1, alpha: float | None = None
    ) -> TranslationResult:
        """Return the translation of a sentence or a few; long ones are cut at their marks.

        `alpha` overrules the length normalisation tuned for the model. Raises TextError when the
        text is empty, too long or not text.
        """
        if not 1 <= beam <= MAX_BEAM:
            raise TextError(f"a beam of {beam} can not be searched; give 1 to {MAX_BEAM}")
        text = _checked(text)
        text = _CLOCKS.get(self.source_language, str)(text)
        parts = [
            self._part(part, ids, (beam, n_best, self._alpha if alpha is None else alpha))
            for part, ids in self._cut(text)
        ]
        return parts[0] if len(parts) == 1 else _joined(parts)

    def score(self, source: str, target: str) -> Hypothesis:
        """Return `target`, forced through the decoder, as a hypothesis with its log-probability."""
        step, state = self._encode(self._ids(source))
        tokens = [*self._target.encode(target), END]
        found, attention = list[float](), list[Array]()
        for before, token in zip([BEGIN, *tokens[:-1]], tokens, strict=True):
            scores, state, weights = step(np.array([before], np.int64), state)
            found.append(float(scores[0, token]))
            attention.append(weights[0])
        return Hypothesis(
            tuple(tokens[:-1]), sum(found), tuple(found), tuple(attention), ended=True
        )

    def _part(
        self, text: str, source: list[int], search: tuple[int, int, float]
    ) -> TranslationResult:
        """Return the translation of a part, its names and numbers kept where stand-ins help."""
        plain = self._sentence(source, *search)
        languages = (self.source_language, self.target_language)
        whole = self._ids(text) == source  # else a slice of an endless word
        if not whole or not set(languages) <= set(LANGUAGES):
            return plain
        faithful = Faithful(
            *languages, translate=lambda other: self._sentence(self._ids(other), *search),
            pieces=lambda word: len(self._source.encode(word)), doubt_below=self._doubt_below,
        )  # fmt: skip
        return faithful.improve(text, plain)

    def _sentence(
        self, source: list[int], beam: int, n_best: int, alpha: float
    ) -> TranslationResult:
        step, state = self._encode(source)
        config = BeamConfig(
            begin=BEGIN,
            end=END,
            max_length=2 * len(source) + 10,
            width=max(beam, n_best),
            n_best=max(n_best, 1),
            alpha=alpha,
        )
        found = beam_search(step, state, config)
        best = found[0]
        confidence = self._confidence_of(best, len(source))
        pieces = [self._target.id_to_piece(token) for token in best.tokens]
        return TranslationResult(
            text=self._text(best),
            confidence=confidence,
            doubtful=confidence < self._doubt_below,
            score=best.score(alpha),
            source_tokens=tuple(self._source.id_to_piece(token) for token in source),
            tokens=(*pieces, "</s>") if best.ended else tuple(pieces),
            attention=np.stack(best.attention),
            n_best=tuple(
                Alternative(self._text(one), one.score(alpha)) for one in found[: max(n_best, 1)]
            ),
        )

    def _ids(self, text: str) -> list[int]:
        return [*self._source.encode(text), END]

    def _encode(self, source: list[int]) -> tuple[Step, Array]:
        """Return a decoder step over the encoded source, and the first state."""
        encoded = self._encoder.run({"source": np.array([source], np.int64)})
        fixed = {"memory": encoded["memory"], "keys": encoded["keys"]}

        def step(tokens: Array, state: Array) -> tuple[Array, Array, Array]:
            out = self._decoder.run({"token": tokens, "state": state, **fixed})
            return out["log_probabilities"], out["next_state"], out["attention"]

        return step, encoded["state"]

    def _text(self, hypothesis: Hypothesis) -> str:
        text: str = self._target.decode(list(hypothesis.tokens)).strip()
        return with_right_ordinals(text) if self.target_language == "en" else text

    def _confidence_of(self, best: Hypothesis, source_pieces: int) -> float:
        """Return the logistic of log-probabilities, calibrated at export."""
        weights = np.array(self._confidence)
        return float(1 / (1 + math.exp(-float(weights @ confidence_features(best, source_pieces)))))

    def _cut(self, text: str) -> list[tuple[str, list[int]]]:
        """Return the parts that the model can take at once, and their pieces with end marks."""
        parts = list[tuple[str, list[int]]]()
        for sentence in _SENTENCE_END.split(text):
            for group in self._grouped(sentence, _BREAKS):
                ids = self._source.encode(group)
                for start in range(0, len(ids), self._longest):
                    parts.append((group, [*ids[start : start + self._longest], END]))
        return parts

    def _grouped(self, text: str, breaks: tuple[re.Pattern[str], ...]) -> list[str]:
        """Return `text` whole if short enough, else in parts as long as may be."""
        if len(self._source.encode(text)) <= self._longest or not breaks:
            return [text]
        groups, current = list[str](), ""
        for part in breaks[0].split(text):
            longer = f"{current} {part}".strip()
            if current and len(self._source.encode(longer)) > self._longest:
                groups += self._grouped(current, breaks[1:])
                current = part
            else:
                current = longer
        return [*groups, *self._grouped(current, breaks[1:])]


def confidence_features(best: Hypothesis, source_pieces: int) -> Array:
    """Return float64 [5]: one, mean and worst log-probability, length ratio, cut short."""
    found = np.array(best.token_log_probabilities)
    ratio = abs(math.log((len(found) + 1) / (source_pieces + 1)))
    worst = float(np.sort(found)[: max(1, len(found) // 5)].mean())
    return np.array([1.0, found.mean(), worst, ratio, 0.0 if best.ended else 1.0])


def _checked(text: str) -> str:
    """Return the text with single spaces. Raises TextError."""
    if not isinstance(text, str):
        raise TextError(f"{type(text).__name__} is not text; give a string")
    if len(text) > MAX_CHARACTERS or len(text.split()) > MAX_WORDS:
        raise TextError(
            f"the text has {len(text.split())} words, {len(text)} characters; "
            f"give at most {MAX_WORDS} words, {MAX_CHARACTERS} characters at a time"
        )
    text = " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())
    if not any(mark.isalnum() for mark in text):
        raise TextError("the text is empty: there is no word to translate; give a sentence")
    return text


def _joined(parts: list[TranslationResult]) -> TranslationResult:
    """Return the parts as one result: the least confidence, block-wise attention."""
    rows = sum(len(part.tokens) for part in parts)
    attention = np.zeros((rows, sum(len(part.source_tokens) for part in parts)), np.float32)
    row = column = 0
    for part in parts:
        high, wide = part.attention.shape
        attention[row : row + high, column : column + wide] = part.attention
        row, column = row + high, column + wide
    text = " ".join(part.text for part in parts)
    score = float(np.mean([part.score for part in parts]))
    return TranslationResult(
        text=text,
        confidence=min(part.confidence for part in parts),
        doubtful=any(part.doubtful for part in parts),
        score=score,
        source_tokens=tuple(token for part in parts for token in part.source_tokens),
        tokens=tuple(token for part in parts for token in part.tokens),
        attention=attention,
        n_best=(Alternative(text, score),),
    )
