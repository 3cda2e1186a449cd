"""`python -m training.evaluate pipeline`: a wake word and a sentence, through the whole assistant.

Wake words of held-out speakers are joined to sentences of other held-out speakers after a pause of
0 to 0.8 s, over faint noise: what is lost between the trigger, the end of speech and the
recogniser shows here and nowhere else.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeasr.assistant import Assistant
from edgeasr.audio import SAMPLE_RATE, Pcm
from edgeasr.events import Transcript, Wake
from edgeasr.loading import load_models
from edgeasr.settings import Settings
from training.manifest import read_manifests, read_pcm
from training.recogniser_data import is_dev
from training.recogniser_text import normalise
from training.scoring import interval, word_errors
from training.synthesis import trim
from training.wake_corpus import is_held_out

__all__ = ["main"]

_SENTENCES = ("commonvoice_misc", "speechocean762", "voxforge_ab", "librispeech_devclean_mp3")
_PAUSES_S = (0.0, 0.15, 0.4, 0.8)


@dataclass(frozen=True)
class Heard:
    """What came of one joined recording."""

    word: str
    pause_s: float
    expected: str
    said: str | None
    """None when nothing woke or nothing was understood"""
    woke: bool


def main(argv: list[str]) -> int:
    """Print, by pause, how many woke and the word error rate of what followed."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate pipeline")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--show", action="store_true", help="print each recording's words")
    options = parser.parse_args(argv)
    models = load_models(targets=())
    assistant = Assistant(models, Settings(words=models.all_words(), targets=()))
    heard = [_play(assistant, *case) for case in _cases(options.data, options.count)]
    for pause_s in _PAUSES_S:
        _report(f"pause {pause_s:.2f} s", [one for one in heard if one.pause_s == pause_s])
    _report("all", heard)
    if options.show:
        for one in heard:
            print(f"{one.word:13} {one.pause_s:.2f}  {one.expected}\n{'':20}{one.said}")
    return 0


def _cases(data: Path, count: int) -> Iterator[tuple[str, Pcm, float, str, Pcm]]:
    rng = np.random.default_rng(11)
    wakes = [u for u in read_manifests(data / "wake", ["picovoice"]) if is_held_out(u)]
    sentences = [
        (utterance, text)
        for utterance in read_manifests(data / "speech", _SENTENCES)
        if (text := normalise(utterance.text or "")) and utterance.seconds < 6
        and is_dev(utterance, text)
    ]  # fmt: skip
    for number in range(count):
        wake = wakes[rng.integers(len(wakes))]
        sentence, text = sentences[rng.integers(len(sentences))]
        pause_s = _PAUSES_S[number % len(_PAUSES_S)]
        yield wake.label or "", _level(read_pcm(wake)), pause_s, text, _level(read_pcm(sentence))


def _level(pcm: Pcm) -> Pcm:
    samples = trim(pcm).astype(np.float64)
    level = np.sqrt(np.mean(np.square(samples))) + 1e-3
    levelled: Pcm = np.clip(samples * (2000 / level), -32768, 32767).astype(np.int16)
    return levelled


def _play(assistant: Assistant, word: str, wake: Pcm, pause_s: float, text: str, pcm: Pcm) -> Heard:
    quiet = [np.zeros(int(s * SAMPLE_RATE), np.int16) for s in (1.0, pause_s, 2.0)]
    joined = np.concatenate([quiet[0], wake, quiet[1], pcm, quiet[2]]).astype(np.float64)
    joined += np.random.default_rng(len(joined)).standard_normal(len(joined)) * 12
    events = [*assistant.push(np.clip(joined, -32768, 32767).astype(np.int16)), *assistant.finish()]
    woke = any(isinstance(event, Wake) for event in events)
    said = [event.text for event in events if isinstance(event, Transcript)]
    return Heard(word, pause_s, text, " ".join(said) if said else None, woke)


def _report(name: str, heard: list[Heard]) -> None:
    woken = [one for one in heard if one.woke]
    errors = word_errors([one.expected for one in woken], [one.said or "" for one in woken])
    low, high = interval(errors)
    first = [(one.said or "").split()[:1] == one.expected.split()[:1] for one in woken]
    print(f"{name:13} {len(heard):4} recordings  woke {len(woken) / len(heard):6.1%}  "
          f"WER {errors.rate:6.1%} ({low:.1%} to {high:.1%})  "
          f"first word right {np.mean(first):6.1%}")  # fmt: skip
