"""`python -m training.evaluate hints`: what hints mend when due, and harm when they are not.

Held-out clips are decoded without hints, with 1,000 irrelevant ones, and with the two rarest words
of each clip among 500 irrelevant ones, for some strengths of the bonus.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from edgeasr.audio import SAMPLE_RATE
from edgeasr.bundle import MODELS_FOLDER, Bundle
from edgeasr.features import LogMel
from edgeasr.recogniser import Hints, Recogniser, RecogniserStream
from training.recogniser_data import CORPORA, DEV_CORPUS, Clip, load_clips
from training.recogniser_text import normalise
from training.scoring import word_errors

__all__ = ["main"]

_EVERY = {DEV_CORPUS: 14, "voxforge_ab": 12, "commonvoice_misc": 1, "kathleen": 6,
          "speechocean762": 16}  # fmt: skip
_TAIL = np.zeros(SAMPLE_RATE // 2, np.int16)
_IRRELEVANT = 1000


def main(argv: list[str]) -> int:
    """Print word error rates, in percent."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate hints", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--bundle", type=Path, default=MODELS_FOLDER / "recogniser-en")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--bonuses", type=float, nargs="*", help="default: the bundle's own")
    options = parser.parse_args(argv)
    recogniser = Recogniser(Bundle(options.bundle, kind="recogniser"))
    store = load_clips(
        [(options.data / "speech", [*CORPORA, DEV_CORPUS])], options.runs / "cache", name="speech"
    )
    clips = _chosen(store.clips)
    heard = []
    for clip in tqdm(clips, desc="listening", mininterval=5):
        stream = recogniser.stream()
        stream.push(LogMel()(np.concatenate([store.read(clip), _TAIL])))
        heard.append(stream)
    lines = (options.data / "text" / "lm" / "commands.en.txt").read_text("utf-8").splitlines()
    commands = [text for line in lines if (text := normalise(line))]
    uses = Counter(word for text in commands for word in text.split())
    irrelevant = _pieces(commands)

    def wrong(hints_for: Callable[[Clip], list[str]]) -> float:
        said = [_decode(recogniser, one, hints_for(clip))
                for clip, one in zip(clips, heard, strict=True)]  # fmt: skip
        return 100 * word_errors([clip.text for clip in clips], said).rate

    print(f"{len(clips)} clips, {sum(len(clip.text.split()) for clip in clips)} words")
    print(f"no hints: {wrong(lambda _: []):.2f}")
    for bonus in options.bonuses or [float(recogniser.settings["hint_bonus"])]:
        recogniser.set_hint_bonus(bonus)
        rare = wrong(lambda clip: [*irrelevant[:500], *_rarest(clip.text, uses)])
        print(f"bonus {bonus}: 1,000 irrelevant {wrong(lambda _: irrelevant):.2f}, "
              f"two words of the clip among 500 irrelevant {rare:.2f}", flush=True)  # fmt: skip
    return 0


def _decode(recogniser: Recogniser, heard: RecogniserStream, hints: list[str]) -> str:
    heard.expect(recogniser.hint_tree(Hints(hints)) if hints else None)
    return heard.finish().text


def _chosen(clips: list[Clip]) -> list[Clip]:
    chosen = []
    for corpus, every in _EVERY.items():
        own = [c for c in clips if c.dev and c.corpus == corpus and 2 < c.samples / SAMPLE_RATE < 9]
        chosen += own[::every]
    return chosen


def _pieces(commands: list[str]) -> list[str]:
    """Return one to three words in a row of random commands."""
    rng = np.random.default_rng(3)
    pieces: set[str] = set()
    while len(pieces) < _IRRELEVANT:
        words = commands[rng.integers(len(commands))].split()
        start = int(rng.integers(len(words)))
        pieces.add(" ".join(words[start : start + int(rng.integers(1, 4))]))
    return sorted(pieces)


def _rarest(text: str, uses: Counter[str]) -> list[str]:
    return sorted(set(text.split()), key=lambda word: (uses[word], word))[:2]
