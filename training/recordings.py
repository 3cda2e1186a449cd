"""`python -m training recordings`: the recordings that ship, joined from real held-out voices.

No given corpus holds a wake word and an order from one mouth, so a wake word of one speaker is
followed, after a short pause, by a sentence of another. Nothing else is done to the sound but
levelling, 10 ms fades and the hiss of a quiet room.
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

__all__ = ["RECORDINGS", "TEST_RECORDINGS", "main"]

_LEVEL = 0.08  # RMS of speech, of full scale
_FADE = SAMPLE_RATE // 100


@dataclass(frozen=True)
class Recording:
    """What is joined, from files below the data folder."""

    name: str
    wake: str
    sentence: str
    pause_s: float


_PICOVOICE = "wake/picovoice/raw_audio_"
_COMMON_VOICE = "speech/commonvoice_misc/omnilingo_en_clips_common_voice_en_"
_DEV_CLEAN = "speech/librispeech_devclean_mp3/dev-clean_"
_COMPUTER = f"{_PICOVOICE}computer_4c852044-cbb6-4d30-b9b4-0418b062fc65.opus"
_JARVIS = f"{_PICOVOICE}jarvis_04817d65-6f2f-4784-ba31-54cc7cf75de5.opus"
_ALEXA = f"{_PICOVOICE}alexa_138.opus"
RECORDINGS = (
    Recording("computer-brother", _COMPUTER, f"{_DEV_CLEAN}1272_135031_1272-135031-0012.opus", 0.3),
    Recording(
        "jarvis-glasses", _JARVIS, "speech/speechocean762/WAVE_SPEAKER2089_020890219.opus", 0.05
    ),
    Recording("alexa-meant", _ALEXA, f"{_DEV_CLEAN}2428_83699_2428-83699-0022.opus", 0.6),
)
TEST_RECORDINGS = (
    Recording("computer-forecast", _COMPUTER, f"{_COMMON_VOICE}78545.opus", 0.25),
    Recording("alexa-passwords", _ALEXA, f"{_COMMON_VOICE}178693.opus", 0.6),
)


def main(argv: list[str]) -> int:
    """Write the recordings as 16 kHz FLAC."""
    parser = argparse.ArgumentParser(prog="python -m training recordings", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("edgeasr/recordings"))
    parser.add_argument("--test-out", type=Path, default=Path("tests/audio"))
    options = parser.parse_args(argv)
    for folder, recordings in ((options.out, RECORDINGS), (options.test_out, TEST_RECORDINGS)):
        for recording in recordings:
            samples = _join(recording, options.data)
            soundfile.write(folder / f"{recording.name}.flac", samples, SAMPLE_RATE)
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
