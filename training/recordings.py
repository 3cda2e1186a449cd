"""`python -m training recordings`: the recordings that ship, joined from real held-out voices.

No given corpus holds a wake word and an order from one mouth, so a wake word of one speaker is
followed, after a short pause, by a sentence of another. Nothing else is done to the sound but
levelling, 50 ms fades and the hiss of a quiet room.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from edgeasr.audio import SAMPLE_RATE
from edgeasr.sources import read_audio
from training.synthesis import trim

__all__ = ["RECORDINGS", "main"]

_LEVEL = 0.08  # RMS of speech, of full scale
_FADE = SAMPLE_RATE // 20


@dataclass(frozen=True)
class Recording:
    """What is joined, from files below the data folder."""

    name: str
    wake: str
    sentence: str
    pause_s: float


_PICOVOICE = "wake/picovoice/raw_audio_"
_COMMON_VOICE = "speech/commonvoice_misc/omnilingo_en_clips_common_voice_en_"
RECORDINGS = (
    Recording(
        "computer-forecast",
        f"{_PICOVOICE}computer_4c852044-cbb6-4d30-b9b4-0418b062fc65.opus",
        f"{_COMMON_VOICE}78545.opus",
        0.25,
    ),
    Recording(
        "jarvis-glasses",
        f"{_PICOVOICE}jarvis_0545db98-2cef-4b6f-8ba9-50410904e4fe.opus",
        "speech/speechocean762/WAVE_SPEAKER2089_020890219.opus",
        0.0,
    ),
    Recording(
        "alexa-passwords",
        f"{_PICOVOICE}alexa_138.opus",
        f"{_COMMON_VOICE}178693.opus",
        0.6,
    ),
)


def main(argv: list[str]) -> int:
    """Write the recordings as 16 kHz FLAC."""
    parser = argparse.ArgumentParser(prog="python -m training recordings", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("edgeasr/recordings"))
    options = parser.parse_args(argv)
    for recording in RECORDINGS:
        samples = _join(recording, options.data)
        soundfile.write(options.out / f"{recording.name}.flac", samples, SAMPLE_RATE)
    return 0


def _join(recording: Recording, data: Path) -> NDArray[np.float32]:
    wake, sentence = (_spoken(data / path) for path in (recording.wake, recording.sentence))
    parts = [_silence(0.8), wake, _silence(recording.pause_s), sentence, _silence(1.2)]
    joined = np.concatenate(parts)
    hiss = np.random.default_rng(1).standard_normal(len(joined)) * 4e-4
    return (joined + hiss).astype(np.float32)


def _spoken(path: Path) -> NDArray[np.float64]:
    samples = trim(read_audio(path)) / 32768.0
    samples = samples * (_LEVEL / np.sqrt(np.mean(np.square(samples))))
    fade = np.ones(len(samples))
    fade[:_FADE] = np.linspace(0, 1, _FADE)
    fade[-_FADE:] = np.linspace(1, 0, _FADE)
    faded: NDArray[np.float64] = np.clip(samples * fade, -0.99, 0.99)
    return faded


def _silence(seconds: float) -> NDArray[np.float64]:
    return np.zeros(int(seconds * SAMPLE_RATE))
