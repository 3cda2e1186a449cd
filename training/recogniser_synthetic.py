"""`python -m training recogniser_synthetic`: spoken commands in many voices, as a manifest.

Real speech in the shared corpora is read prose, digits and single words; orders to a house are
what users say. Voices of TEST_VOICES and held-out sentences are for evaluation alone.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from edgeasr.audio import SAMPLE_RATE
from training.manifest import in_held_out_share
from training.recogniser_text import read_lines
from training.synthesis import Job, Voice, synthesise_many, voices
from training.translator_forms import number_words

__all__ = ["is_test", "main"]

ENGINES = {"hibari": 0.26, "piper": 0.12, "rhvoice": 0.32, "flite": 0.2, "festival": 0.1}
TEST_ENGINES = {"rhvoice": 0.55, "flite": 0.45}
TEST_VOICES = frozenset({"rhvoice/bdl", "flite/awb"})
TEST_SHARE = 0.05
WAKE_WORDS = ("computer", "jarvis", "hey jarvis", "alexa", "snowboy", "smart mirror", "view glass")


def main(argv: list[str]) -> int:
    """Write clips and their manifest; `--test` takes the held-out sentences and voices."""
    parser = argparse.ArgumentParser(prog="python -m training recogniser_synthetic")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/synthetic"))
    parser.add_argument("--clips", type=int, default=5000)
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args(argv)
    rng = np.random.default_rng(options.seed)
    texts = _sentences(options.data / "text" / "lm", rng, test=options.test)
    pool = _pool(test=options.test)
    jobs = [_job(next(texts), pool, rng) for _ in range(options.clips)]
    _write(jobs, options.out, options.workers)
    return 0


def _pool(*, test: bool) -> dict[str, list[Voice]]:
    found = voices(list(TEST_ENGINES if test else ENGINES))
    kept = [voice for voice in found if (voice.key in TEST_VOICES) == test]
    pool: dict[str, list[Voice]] = {}
    for voice in kept:
        pool.setdefault(voice.engine, []).append(voice)
    if not pool:
        raise SystemExit("no synthesiser is installed; see training/synthesis_engines.py")
    return pool


def _job(text: str, pool: dict[str, list[Voice]], rng: np.random.Generator) -> Job:
    names = sorted(pool)
    shares = np.array([{**TEST_ENGINES, **ENGINES}[name] for name in names])
    engine = pool[names[rng.choice(len(names), p=shares / shares.sum())]]
    voice = engine[rng.integers(len(engine))]
    rate, pitch = float(rng.uniform(0.85, 1.25)), float(rng.uniform(0.88, 1.13))
    return Job(voice, text, rate=rate, pitch=pitch)


def _sentences(folder: Path, rng: np.random.Generator, *, test: bool) -> Iterator[str]:
    """Yield texts for ever: commands, commands after a wake word, prose, things spelled out."""
    commands = _held(_lines(folder / "commands.en.txt", most_words=14), test=test)
    prose = _held(_lines(folder / "tatoeba.en.txt", most_words=14), test=test)
    while True:
        command = commands[rng.integers(len(commands))]
        kind = rng.random()
        if kind < 0.66 or test:
            yield command
        elif kind < 0.78:
            yield f"{WAKE_WORDS[rng.integers(len(WAKE_WORDS))]} {command}"
        elif kind < 0.9:
            yield prose[rng.integers(len(prose))]
        else:
            yield _spelled(rng)


def _lines(path: Path, *, most_words: int) -> list[str]:
    return sorted(text for text in set(read_lines(path)) if len(text.split()) <= most_words)


def is_test(text: str) -> bool:
    """Return whether a sentence is only spoken for tests, so that nothing else may learn it."""
    return in_held_out_share(text, TEST_SHARE, salt="asr-command")


def _held(texts: list[str], *, test: bool) -> list[str]:
    return [text for text in texts if is_test(text) == test]


def _spelled(rng: np.random.Generator) -> str:
    """Return a time, a percentage, a temperature, a digit string or letters."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    templates = (
        "set the alarm for {hour} {minute}",
        "wake me up at {hour} {minute} a m",
        "set the {thing} to {number} percent",
        "set the temperature to {number} degrees",
        "set a timer for {number} {unit}",
        " ".join(number_words(int(digit)) for digit in rng.integers(0, 10, rng.integers(3, 8))),
        " ".join(letters[letter] for letter in rng.integers(0, 26, rng.integers(3, 7))),
    )
    fillers = {
        "hour": [number_words(hour) for hour in range(1, 13)],
        "minute": ["o'clock", *map(number_words, (15, 30, 45, 10, 13, 16, 19))],
        "number": [number_words(number) for number in range(5, 100)],
        "thing": ["lights", "volume", "brightness", "blinds"],
        "unit": ["minutes", "seconds"],
    }
    chosen = {name: values[rng.integers(len(values))] for name, values in fillers.items()}
    return templates[rng.integers(len(templates))].format(**chosen)


def _write(jobs: list[Job], out: Path, workers: int) -> None:
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (job, pcm) in enumerate(synthesise_many(jobs, workers=workers)):
        name = f"{number:06}.flac"
        soundfile.write(out / name, pcm, SAMPLE_RATE)
        rows.append({"audio": name, "seconds": len(pcm) / SAMPLE_RATE, "speaker": job.voice.key,
                     "text": job.text})  # fmt: skip
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (out / "manifest.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
