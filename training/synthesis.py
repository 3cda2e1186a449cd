"""Training speech from text: many voices, one call, a pool of niced workers.

    for job, pcm in synthesise_many([Job(voice, "hey jarvis", rate=1.1) for voice in voices()]):
        ...

What is installed decides how many voices there are (see `synthesis_engines`); with Debian's
espeak-ng, flite and festival alone there are twenty.
"""

import argparse
import itertools
import multiprocessing
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from tqdm import tqdm

from edgeasr.audio import SAMPLE_RATE, Pcm, to_int16
from training.synthesis_engines import ENGINES, SynthesisError

__all__ = ["Job", "Voice", "mixed_voices", "synthesise", "synthesise_many", "trim", "voices"]

_LEVEL = 0.5  # peak of every clip, so that level is augmentation's business
_TRIM_DB = -38.0  # below the peak: silence at the ends
_TRIM_HOP = 160


@dataclass(frozen=True)
class Voice:
    """A speaker of one engine."""

    engine: str
    name: str
    licence: str

    @property
    def key(self) -> str:
        """`engine/name`, for splits by speaker and for cards."""
        return f"{self.engine}/{self.name}"


@dataclass(frozen=True)
class Job:
    """One clip to make."""

    voice: Voice
    text: str
    rate: float = 1.0
    """Above 1 is faster"""
    pitch: float = 1.0
    """Factor on the fundamental; engines without it get a resampling, which moves formants too"""


def voices(engines: Iterable[str] | None = None) -> list[Voice]:
    """Return every English voice that can speak here, in a fixed order."""
    chosen = ENGINES.values() if engines is None else [ENGINES[name] for name in engines]
    return [
        Voice(engine.name, name, engine.licence) for engine in chosen for name in engine.voices()
    ]


def mixed_voices(count: int, *, seed: int, pool: list[Voice] | None = None) -> list[Voice]:
    """Return `count` new Kokoro speakers, each the mean of two native ones of one accent."""
    stock = [voice for voice in pool or voices(["kokoro"]) if voice.name[:2] in _NATIVE]
    pairs = [
        Voice("kokoro", f"{one.name}+{two.name}", one.licence)
        for one, two in itertools.combinations(stock, 2)
        if one.name[0] == two.name[0]
    ]
    order = np.random.default_rng(seed).permutation(len(pairs))[:count]
    return [pairs[index] for index in order]


_NATIVE = ("af", "am", "bf", "bm")  # American and British, female and male


def synthesise(voice: Voice, text: str, *, rate: float = 1.0, pitch: float = 1.0) -> Pcm:
    """Return the clip as int16 [n] at 16 kHz, silence at the ends cut, peak at half of full scale.

    Raises SynthesisError when the engine fails or says nothing.
    """
    engine = ENGINES[voice.engine]
    warp = 1.0 if engine.shifts_pitch else pitch
    samples, sample_rate = engine.say(voice.name, text, rate=rate / warp, pitch=pitch)
    if len(samples) == 0 or not np.isfinite(samples).all():
        raise SynthesisError(f"{voice.key} said nothing for {text!r}")
    samples = soxr.resample(samples, sample_rate * warp, SAMPLE_RATE)
    peak = float(np.abs(samples).max())
    if peak < 1e-3 or len(samples) < SAMPLE_RATE // 20:
        raise SynthesisError(f"{voice.key} said nothing for {text!r}")
    return trim(to_int16(samples * np.float32(_LEVEL / peak)))


def trim(pcm: Pcm) -> Pcm:
    """Cut what is 38 dB below the peak from both ends of int16 [n], at 10 ms."""
    hops = len(pcm) // _TRIM_HOP
    if hops < 2:
        return pcm
    square = np.square(pcm[: hops * _TRIM_HOP].astype(np.float32)).reshape(hops, -1).mean(axis=1)
    loud = np.flatnonzero(square > square.max() * 10 ** (_TRIM_DB / 10))
    return pcm[loud[0] * _TRIM_HOP : (loud[-1] + 1) * _TRIM_HOP]


def synthesise_many(jobs: list[Job], *, workers: int = 1) -> Iterator[tuple[Job, Pcm]]:
    """Yield the clips in the order of `jobs`; those an engine fails on are left out.

    The workers run at low priority and with one thread each.
    """
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, initializer=_be_modest) as pool:
        results = pool.imap(_try, jobs, chunksize=4)
        for job, pcm in zip(jobs, tqdm(results, total=len(jobs), mininterval=5), strict=True):
            if pcm is not None:
                yield job, pcm


def _be_modest() -> None:
    os.nice(max(0, 10 - os.nice(0)))
    os.environ["OMP_NUM_THREADS"] = "1"


def _try(job: Job) -> Pcm | None:
    try:
        return synthesise(job.voice, job.text, rate=job.rate, pitch=job.pitch)
    except SynthesisError:
        return None


def main(argv: list[str]) -> int:
    """List the voices, or say a text with each: `synthesis [--say TEXT --out FOLDER]`."""
    parser = argparse.ArgumentParser(prog="training synthesis", description=__doc__)
    parser.add_argument("--say", metavar="TEXT")
    parser.add_argument("--out", type=Path, default=Path("runs/said"))
    options = parser.parse_args(argv)
    found = voices()
    for voice in found:
        print(voice.key, voice.licence, sep="\t")
    if options.say:
        options.out.mkdir(parents=True, exist_ok=True)
        for job, pcm in synthesise_many([Job(voice, options.say) for voice in found]):
            path = options.out / f"{job.voice.engine}-{job.voice.name}.wav"
            soundfile.write(path, pcm, SAMPLE_RATE)
    return 0
