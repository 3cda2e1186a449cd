"""The recogniser's encoder and CTC branch as a stream: frames in, CTC log probabilities out."""

import copy
from dataclasses import dataclass

import numpy as np

from edgeasr.features import Frames
from edgeasr.session import Array, OnnxSession

__all__ = ["EncoderNets", "EncoderStream", "normalise", "positions"]

_LOOK_BEHIND, _LOOK_AHEAD = 2, 1  # mel frames the convolutions see outside of a chunk
_DYNAMIC_RANGE = 8.0  # Whisper's floor: log10 below the loudest band so far


def positions(first: int, count: int, width: int) -> Frames:
    """Return sinusoidal positions (Vaswani et al. 2017), float32 [count, width], in halves."""
    rates = np.exp(-np.log(10_000) / (width // 2 - 1) * np.arange(width // 2))
    angles = np.arange(first, first + count)[:, None] * rates
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)


def normalise(log_mel: Frames, loudest: float = float("-inf")) -> tuple[Frames, float]:
    """Apply Whisper's floor and scale to log10 mel, float32 [k, mels].

    The floor lies below the loudest band so far, as a stream needs it; return the frames and that
    band's value, to be given with the next ones.
    """
    if not len(log_mel):
        return log_mel, loudest
    so_far = np.maximum.accumulate(np.maximum(log_mel.max(axis=1), loudest))
    floor = (so_far - _DYNAMIC_RANGE)[:, None]
    scaled = ((np.maximum(log_mel, floor) + 4.0) / 4.0).astype(np.float32)
    return scaled, float(so_far[-1])


@dataclass(frozen=True)
class EncoderNets:
    """The three networks, and the geometry of the stream in 20 ms frames."""

    subsample: OnnxSession
    encoder: OnnxSession
    ctc: OnnxSession
    chunk: int
    """Frames that see each other; even"""
    ahead: int
    """Further frames that a chunk sees; they are encoded again with the next one"""
    left: int
    """Frames of the past that are seen"""

    def encode_whole(self, x: Frames) -> Array:
        """Return the last layer, float32 [1, T, W], of all frames seeing each other.

        `x` is `EncoderStream.x`, float32 [T, W], without positions.
        """
        placed = (x + positions(0, *x.shape))[None]
        empty = self.encoder.zeros("past_keys", past=0)
        inputs = {"x": placed, "past_keys": empty, "past_values": empty}
        return self.encoder.run(inputs)["last"]


class EncoderStream:
    """One utterance's state."""

    def __init__(self, nets: EncoderNets) -> None:
        self._nets = nets
        self._loudest = float("-inf")
        self._mel: Frames = np.zeros((0, 0), np.float32)
        """Normalised frames from `_LOOK_BEHIND` before the next chunk on"""
        self._keys = nets.encoder.zeros("past_keys", past=0)
        self._values = self._keys
        self._ctc_state = nets.ctc.zeros("state")
        self._chunks: tuple[Frames, ...] = ()
        self.frames = 0
        """20 ms frames encoded so far"""
        self.states: Array = np.zeros((1, 0, 0), np.float32)
        """The last layer's output for the newest chunk, float32 [1, n, W]"""
        self.states_ahead: Array = self.states
        """The same for the frames that it saw ahead, to be replaced by the next chunk's"""

    @property
    def x(self) -> Frames:
        """The output of the convolutions so far, float32 [frames, W]."""
        return np.concatenate(self._chunks)

    def push(self, log_mel: Frames) -> list[Array]:
        """Take log10 mel, float32 [k, mels]; return CTC log P [steps, units] of whole chunks."""
        mel, self._loudest = normalise(log_mel, self._loudest)
        self._append(mel)
        needed = _LOOK_BEHIND + 2 * (self._nets.chunk + self._nets.ahead) + _LOOK_AHEAD
        outputs = []
        while len(self._mel) >= needed:
            outputs.append(self._advance(self._nets.chunk, self._mel[:needed]))
            self._mel = self._mel[2 * self._nets.chunk :]
        return outputs

    def rest(self, after: Frames | None = None) -> "tuple[EncoderStream, list[Array]]":
        """Return a copy of the stream that has ended here, and the CTC log P of what was left.

        `after` is log10 mel, float32 [k, mels], that the copy hears before it ends, if it has
        heard anything.
        """
        ended = copy.copy(self)  # nothing in it is ever written in place
        outputs = ended.push(after) if after is not None and len(self._mel) else []
        return ended, outputs + ended._last()  # noqa: SLF001 - the same class

    def _last(self) -> list[Array]:
        """Encode what is left; return its CTC log P."""
        left = len(self._mel) - _LOOK_BEHIND if len(self._mel) else 0
        frames = -(-left // 4) * 2  # whole 40 ms steps
        if frames <= 0:
            return []
        size = _LOOK_BEHIND + 2 * frames + _LOOK_AHEAD
        padded = np.zeros((size, self._mel.shape[1]), np.float32)
        padded[: len(self._mel)] = self._mel
        return [self._advance(frames, padded)]

    def _append(self, mel: Frames) -> None:
        if not len(mel):
            return
        if not len(self._mel):
            self._mel = np.zeros((_LOOK_BEHIND, mel.shape[1]), np.float32)
        self._mel = np.concatenate([self._mel, mel])

    def _advance(self, frames: int, mel: Frames) -> Array:
        """Encode `frames` more, which also see the rest of mel float32 [2 n + 3, mels].

        Return the CTC log P of the `frames`.
        """
        nets = self._nets
        keep = np.ones((1, 1, len(mel) - _LOOK_BEHIND), np.float32)
        if self.frames == 0:
            keep[0, 0, 0] = 0.0  # the second convolution's own padding
        x = nets.subsample.run({"mel": mel[None], "keep": keep})["x"]
        self._chunks = (*self._chunks, x[0, :frames])
        placed = x + positions(self.frames, *x.shape[1:])
        past = {"past_keys": self._keys, "past_values": self._values}
        out = nets.encoder.run({"x": placed, **past})
        self._keys = self._remembered(self._keys, out["keys"][:, :, :, :frames])
        self._values = self._remembered(self._values, out["values"][:, :, :, :frames])
        self.frames += frames
        self.states, self.states_ahead = np.split(out["last"], [frames], axis=1)
        states = {"last": self.states, "middle": out["middle"][:, :frames]}
        ctc = nets.ctc.run({**states, "state": self._ctc_state})
        self._ctc_state = ctc["next_state"]
        log_probs: Array = ctc["log_probs"][0]
        return log_probs

    def _remembered(self, past: Array, new: Array) -> Array:
        return np.concatenate([past, new], axis=3)[:, :, :, -self._nets.left :]
