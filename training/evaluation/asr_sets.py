"""What the recogniser is measured on: held-out speech, unseen voices, noise, rooms, no speech."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeasr.audio import SAMPLE_RATE, Pcm, to_int16
from edgeasr.sources import read_audio
from training.augment import Noises, add_noise, add_room
from training.recogniser_data import CORPORA, DEV_CORPUS, Clip, ClipStore, load_clips

__all__ = ["SpeechSet", "not_speech", "speech_sets"]

_SNRS_DB = (20, 10, 5)


@dataclass(frozen=True)
class SpeechSet:
    """Clips with what was said in them."""

    name: str
    clips: list[Pcm]
    texts: list[str]

    @property
    def hours(self) -> float:
        """Length of all clips."""
        return sum(map(len, self.clips)) / SAMPLE_RATE / 3600


def speech_sets(data: Path, runs: Path, synthetic: Path, limit: int) -> Iterator[SpeechSet]:
    """Yield at most `limit` clips of each set; the changed ones are made from the same clips."""
    store = load_clips([(data / "speech", [*CORPORA, DEV_CORPUS])], runs / "cache", name="speech")
    for corpus in (DEV_CORPUS, *CORPORA):
        clips = [clip for clip in store.clips if clip.dev and clip.corpus == corpus]
        if clips:
            name = "LibriSpeech dev-clean half" if corpus == DEV_CORPUS else f"{corpus}, held out"
            yield _of(name, store, _thin(clips, limit))
    if not (synthetic / "manifest.jsonl").is_file():
        return
    made = load_clips([(synthetic.parent, [synthetic.name])], runs / "cache", name=synthetic.name)
    commands = _of("commands, unseen voices", made, _thin(made.clips, limit))
    yield commands
    yield from _harder(commands, data)


def not_speech(data: Path, count: int, *, seed: int = 7) -> list[Pcm]:
    """Return clips of 2 to 5 s of noise and music, and a few of silence and hiss."""
    rng = np.random.default_rng(seed)
    noises = Noises.read(data / "noise")
    clips = []
    for number in range(count):
        samples = int(rng.uniform(2, 5) * SAMPLE_RATE)
        if number % 20 == 0:
            hiss = rng.standard_normal(samples) * (0, 3, 30, 300)[number // 20 % 4]
            clips.append(hiss.astype(np.int16))
            continue
        part = noises.draw(rng, samples)
        wanted = 32768 * 10 ** (rng.uniform(-45, -15) / 20)
        clips.append(to_int16(part * (wanted / _rms(part)) / 32768))
    return clips


def _harder(clean: SpeechSet, data: Path, *, seed: int = 5) -> Iterator[SpeechSet]:
    noises = Noises.read(data / "noise")
    rooms = [read_audio(path).astype(np.float32) for path in sorted((data / "rir").rglob("*.flac"))]
    for snr_db in _SNRS_DB:
        rng = np.random.default_rng((seed, snr_db))
        noisy = []
        for clip in clean.clips:
            speech = clip.astype(np.float32)
            mixed = add_noise(speech, noises.draw(rng, len(speech)), snr_db)
            noisy.append(to_int16(mixed / 32768))
        yield SpeechSet(f"{clean.name}, noise at {snr_db} dB", noisy, clean.texts)
    rng = np.random.default_rng(seed)
    wet = [to_int16(add_room(c.astype(np.float32), rng, rooms) / 32768) for c in clean.clips]
    yield SpeechSet(f"{clean.name}, in rooms", wet, clean.texts)


def _of(name: str, store: ClipStore, clips: list[Clip]) -> SpeechSet:
    return SpeechSet(name, [store.read(clip) for clip in clips], [clip.text for clip in clips])


def _thin(clips: list[Clip], limit: int) -> list[Clip]:
    """Take every n-th, so that all speakers stay."""
    return clips[:: -(-len(clips) // limit)]


def _rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)) + 1e-9))
