"""The end of a recipe: operating points, delays, bundle."""

from pathlib import Path

import numpy as np

from training.models.wake import STEP_FRAMES, WakeNet
from training.wake_dev import Scorer
from training.wake_export import DEFAULT_RATE, export_wake
from training.wake_measure import Curve
from training.wake_packs import Pack
from training.wake_task import dev_recordings

__all__ = ["release"]

_TEMPOS = (0.88, 0.94, 1.0, 1.06, 1.12)  # the held-out negatives are played at these speeds
_MOST_CLIPS = 150  # of a word, for its delay


def release(
    net: WakeNet, packs: list[Pack], negatives: Pack, folder: Path
) -> dict[str, dict[str, Curve]]:
    """Write the bundle of a trained network; return its dev curves by condition and word.

    `packs` hold the words.
    """
    net.eval()
    scorer = Scorer(net)
    words = net.config.words
    hits = dev_recordings(words, packs, negatives)
    conditions = scorer.curves(negatives, hits, tempos=_TEMPOS)
    curves = conditions["clean"]
    delays = {
        word: _delay(scorer, packs, word, curve.table([DEFAULT_RATE])[0]["threshold"])
        for word, curve in curves.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    export_wake(net, folder, curves=curves, delays=delays, card=f"# {folder.name}\n")
    for word in words:
        rows = "  ".join(
            f"{row['accepts_per_hour']}/h: {100 * row['miss']:.1f} % at {row['threshold']:.3f}"
            for row in curves[word].table([0.1, 0.5, 1.0])
        )
        print(f"{word:14} {curves[word].hours:.0f} h  {rows}  delay {10 * delays[word]} ms")
    return conditions


def _delay(scorer: Scorer, packs: list[Pack], word: str, threshold: float) -> int:
    """Return the median frames from a word's end to its detection, over training clips."""
    clips = [
        (pack, clip)
        for pack in packs
        for clip in pack.clips
        if not clip.dev and clip.words and max(clip.words, key=len) == word
    ]
    column = scorer.net.config.words.index(word)
    found = []
    for pack, clip in clips[:: max(1, len(clips) // _MOST_CLIPS)]:
        track = scorer.scores(pack.frames(clip).astype(np.float32))[:, column]
        above = np.flatnonzero(track >= threshold)
        if len(above):
            found.append((int(above[0]) + 1) * STEP_FRAMES - clip.word_end)
    return int(np.median(found)) if found else 0
