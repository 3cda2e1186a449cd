"""False accepts in hours of synthetic speech: `python -m training.evaluate wake_hours --data ROOT`.

Recorded speech is scarce, so these hours are counted apart: sentences without a trigger word, read
by the fast voices (espeak-ng, flite, hibari) at many speeds and pitches and laid end to end. The
first stage hears everything, the second what the first hands over. Training heard these voices say
other things. Goes on for `--cpu-minutes` of processor time, children included, or until Ctrl-C.
"""

import argparse
import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edgeasr.audio import Pcm
from edgeasr.bundle import Bundle
from edgeasr.loading import SHIPPED, load_recogniser
from edgeasr.wake import WakeModel
from training.evaluation.wake import accepts_in
from training.evaluation.wake_audio import streams
from training.synthesis import synthesise, voices
from training.synthesis_engines import SynthesisError
from training.wake_corpus import TRIGGER_TEXT
from training.wake_measure import accept_rate_interval

__all__ = ["main"]

_FAST = ("espeak", "flite", "hibari")
_LEAST_WORDS = 5


def main(argv: list[str]) -> int:
    """Print accepts of each word with intervals, and write `hours.json`."""
    parser = argparse.ArgumentParser(prog="training.evaluate wake_hours", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of corpora")
    parser.add_argument("--bundle", type=Path, default=SHIPPED[0] / "wake")
    parser.add_argument("--cpu-minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/evaluation/wake"))
    options = parser.parse_args(argv)
    model = WakeModel(Bundle(options.bundle, kind="wake"), load_recogniser())
    enough = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: enough.set())
    read = _read(options.data, options.seed, enough, until_s=options.cpu_minutes * 60)
    accepts = accepts_in(model, streams(read))
    rows = {}
    for word, scores in accepts.found.items():
        count = int((np.array(scores) >= model.thresholds[word]).sum())
        low, high = accept_rate_interval(count, accepts.total_hours)
        rows[word] = {"false_accepts": count, "per_hour_95": [low, high]}
        print(f"{word:13} {count} false accepts in {accepts.total_hours:.2f} h of synthetic speech "
              f"(95 %: {low:.3f}-{high:.3f} per hour)")  # fmt: skip
    options.out.mkdir(parents=True, exist_ok=True)
    report = {"hours": accepts.total_hours, "seed": options.seed, "words": rows}
    (options.out / "hours.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


def _read(
    root: Path, seed: int, enough: threading.Event, *, until_s: float
) -> Iterator[Pcm]:
    """Yield sentences read aloud until so much processor time is spent."""
    lines = (root / "text" / "lm" / "tatoeba.en.txt").read_text(encoding="utf-8").splitlines()
    rng = np.random.default_rng(seed)
    stock = {engine: found for engine in _FAST if (found := voices([engine]))}
    while _cpu_s() < until_s and not enough.is_set():
        text = lines[rng.integers(len(lines))]
        found = list(stock.values())[rng.integers(len(stock))]
        voice = found[rng.integers(len(found))]
        rate, pitch = (float(np.exp(rng.uniform(-width, width))) for width in (0.22, 0.1))
        if len(text.split()) < _LEAST_WORDS or TRIGGER_TEXT.search(text):
            continue
        try:
            yield synthesise(voice, text, rate=rate, pitch=pitch)
        except SynthesisError:
            continue


def _cpu_s() -> float:
    return sum(os.times()[:4])
