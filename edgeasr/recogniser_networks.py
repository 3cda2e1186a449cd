"""A recogniser's bundle: networks, units, language model, and the search for the final words."""

from collections.abc import Sequence
from io import StringIO
from typing import Any

import numpy as np
import sentencepiece

from edgeasr.attention_search import Candidate, Fusion, SearchConfig, search
from edgeasr.bpe import Bpe
from edgeasr.bundle import Bundle
from edgeasr.encoder import EncoderNets
from edgeasr.errors import BundleError
from edgeasr.features import Frames
from edgeasr.hints import Hints, HintTree
from edgeasr.ngram import Trigrams
from edgeasr.partials import PartialDecoder, decoder_memory, most_units
from edgeasr.session import Array
from edgeasr.transcription import as_spoken

__all__ = ["RecogniserNetworks"]

_READING = ("subsample.onnx", "encoder.onnx", "ctc.onnx", "ctc.model")
_TRIGRAMS = "trigrams.npz"
_SPECIALS = ("<|startoftranscript|>", "<|notimestamps|>", "<|endoftext|>")


class RecogniserNetworks:
    """What a bundle of kind `recogniser` holds, and the search over it; no stream state."""

    def __init__(self, bundle: Bundle) -> None:
        """Load the networks. Raises BundleError."""
        self.settings: dict[str, Any] = bundle.settings
        self.digest = "-".join(bundle.manifest.files[name][:8] for name in _READING)
        """Changes with what the CTC branch reads; triggers are fitted to it"""
        self.bpe = _bpe(bundle)
        try:
            self.pieces = sentencepiece.SentencePieceProcessor(str(bundle.path("ctc.model")))
            start, plain, self.end = (self.bpe.ids[name] for name in _SPECIALS)
        except (KeyError, OSError, RuntimeError) as error:
            raise BundleError(f"{bundle.folder} has unusable tokens: {error!r}") from error
        self.start = [start, plain]
        self.set_hint_bonus(float(self.settings["hint_bonus"]))
        self.fusion = self._fusion(bundle)
        self.starts_word = np.array([unit.startswith("Ġ") for unit in self.bpe.units])
        self.nets = EncoderNets(
            bundle.session("subsample.onnx"),
            bundle.session("encoder.onnx"),
            bundle.session("ctc.onnx"),
            chunk=int(self.settings["chunk_frames"]),
            ahead=int(self.settings.get("ahead_frames", 0)),
            left=int(self.settings["left_frames"]),
        )
        self.memory = bundle.session("memory.onnx")
        self.decoder = bundle.session("decoder.onnx")

    def set_hint_bonus(self, bonus: float) -> None:
        """Choose what a hint adds for its rarest units; units are in the order of their use."""
        units = len(self.bpe.units)
        rarity = np.log1p(np.arange(units)) / np.log(units)  # Zipf: log of the rank
        self._hint_bonuses: list[float] = (bonus * rarity**2).tolist()

    def hint_tree(self, hints: Hints) -> HintTree:
        """Return the tree of hints over the decoder's units."""
        return HintTree(hints, self.bpe.encode, bonuses=self._hint_bonuses)

    def _fusion(self, bundle: Bundle) -> Fusion | None:
        weight, reward = (float(value) for value in self.settings["language_model"])
        if not weight:
            return None
        return Fusion(model=Trigrams(bundle.path(_TRIGRAMS)), weight=weight, reward=reward)

    def partials(self, prefix: str) -> PartialDecoder:
        """Return a decoder of partial results that are to follow `prefix`."""
        start = [*self.start, *self.bpe.encode(prefix)]
        return PartialDecoder(self.memory, self.decoder, start=start, end=self.end)

    def text(self, units: Sequence[int]) -> str:
        """Return the words of decoder units."""
        return as_spoken(self.bpe.decode(units))

    def search(self, x: Frames, tree: HintTree | None, prefix: str) -> list[Candidate]:
        """Return hypotheses for the convolutions' output, float32 [T, W], best first."""
        memory = decoder_memory(self.memory, self.nets.encode_whole(x))

        def step(units: Array, cache: Array) -> tuple[Array, Array]:
            out = self.decoder.run({"units": units, "past": cache, **memory})
            return out["log_probs"][:, -1], out["now"]

        start = [*self.start, *self.bpe.encode(prefix)]
        config = SearchConfig(
            start=start,
            end=self.end,
            width=int(self.settings["beam"]),
            most_units=most_units(len(x), len(start)),
            banned=self.start,
            starts_word=self.starts_word,
            fusion=self.fusion,
        )
        return search(step, self.decoder.zeros("past", beams=1, past=0), config, tree)


def _bpe(bundle: Bundle) -> Bpe:
    """Return the units.

    What is parsed goes through one text each, so that none of it is left when the tables are
    made: its tens of thousands of little lists would leave as many holes in the memory.
    """
    units, merges = _lines(bundle)
    pairs = (line.rstrip("\n").split(" ", 1) for line in StringIO(merges))
    return Bpe(units.split("\n"), ((left, right) for left, right in pairs))


def _lines(bundle: Bundle) -> tuple[str, str]:
    content = bundle.json("tokens.json")
    return "\n".join(content["units"]), "\n".join(" ".join(pair) for pair in content["merges"])
