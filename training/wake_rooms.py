"""Rooms: measured impulse responses and simple made ones, for far-field training and tests."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from edgeasr.audio import SAMPLE_RATE, Pcm
from edgeasr.errors import AudioError
from edgeasr.sources import read_audio

__all__ = ["made_room", "measured_rooms", "reverberate"]

Response = NDArray[np.float32]
_MAX_S = 0.8


def measured_rooms(folder: Path) -> list[Response]:
    """Return the impulse responses below `folder`, float32 [n], from their direct sound on."""
    responses = []
    for path in sorted(folder.rglob("*.flac")) + sorted(folder.rglob("*.wav")):
        try:
            raw = read_audio(path).astype(np.float32)
        except AudioError:
            continue
        direct = int(np.abs(raw).argmax())
        response = raw[max(0, direct - 8) : direct + int(_MAX_S * SAMPLE_RATE)]
        responses.append(response / np.sqrt(np.square(response).sum()))
    return responses


def made_room(rng: np.random.Generator) -> Response:
    """Return a response of a direct sound, six echoes and a decaying tail that loses its treble.

    Reverberation time 0.15-0.8 s, direct sound 6 dB below to 10 dB above the rest.
    """
    count = int(_MAX_S * SAMPLE_RATE)
    at_s = np.arange(count) / SAMPLE_RATE
    decay_s = rng.uniform(0.15, 0.8)
    tail = rng.standard_normal(count) * 10 ** (-3 * at_s / decay_s)
    tail = np.where(at_s < 0.003, 0, tail)
    damped = np.convolve(tail, np.ones(4) / 4, mode="same")
    fade = np.clip(at_s / 0.15, 0, 1)
    tail = (1 - fade) * tail + fade * damped
    for echo_s in rng.uniform(0.002, 0.03, size=6):
        tail[int(echo_s * SAMPLE_RATE)] += rng.choice([-1, 1]) * rng.uniform(1, 6)
    tail /= np.sqrt(np.square(tail).sum())
    tail[0] += 10 ** (rng.uniform(-6, 10) / 20)
    response: Response = (tail / np.sqrt(np.square(tail).sum())).astype(np.float32)
    return response


def reverberate(pcm: Pcm, response: Response) -> Pcm:
    """Return int16 [n] as heard in the room, as loud as before and as long."""
    dry = pcm.astype(np.float32)
    wet = fftconvolve(dry, response)[: len(dry)]
    gain = np.sqrt(np.square(dry).mean() / max(1e-9, float(np.square(wet).mean())))
    gain = min(gain, 32000 / max(1.0, float(np.abs(wet).max())))
    heard: Pcm = (wet * gain).astype(np.int16)
    return heard
