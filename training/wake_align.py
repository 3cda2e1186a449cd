"""Where a word ends in a recording, better than its energy tells: a first network's answer.

Energy is misled by breath, echoes and noise after the word. A network that was trained on many
words peaks a steady time after the end, so where its peak and the energy disagree, it is believed.
"""

from dataclasses import replace

import numpy as np

from training.models.wake import STEP_FRAMES, WakeNet
from training.wake_dev import Scorer
from training.wake_packs import Clip, Pack

__all__ = ["align", "widened"]

_DELAY = 30  # frames from a word's end to the peak of its score, median over clear recordings
_DISAGREE = 20  # frames
_TRUSTED = 0.3
_SHORTEST = 40  # frames of a word


def align(pack: Pack, net: WakeNet) -> int:
    """Move the word ends of real training clips to where `net` hears them; return how many."""
    scorer, moved = Scorer(net), 0
    for index, clip in enumerate(pack.clips):
        if clip.dev or clip.synthetic or clip.words[0] not in net.config.words:
            continue
        scores = scorer.scores(pack.frames(clip).astype(np.float32))
        track = scores[:, net.config.words.index(clip.words[0])]
        end = (int(track.argmax()) + 1) * STEP_FRAMES - _DELAY
        if track.max() > _TRUSTED and abs(end - clip.word_end) > _DISAGREE:
            pack.clips[index] = _moved(clip, end)
            moved += 1
    return moved


def _moved(clip: Clip, end: int) -> Clip:
    end = min(max(end, _SHORTEST), clip.frames)
    start = clip.word_start if clip.word_start < end - _SHORTEST else max(0, end - 2 * _SHORTEST)
    return replace(clip, word_start=start, word_end=end)


def widened(small: WakeNet, large: WakeNet) -> WakeNet:
    """Return `large` computing what `small` does (Chen et al. 2016): new units unheard at first.

    The convolutions must be alike; hidden units may be more.
    """
    old, new = small.config.hidden, large.config.hidden
    state = large.state_dict()
    for name, value in small.state_dict().items():
        target = state[name]
        if target.shape == value.shape:
            target.copy_(value)
        elif name == "head.weight":
            target.zero_()
            target[:, :old] = value
        else:  # GRU: gates r, z, n one below the other
            gates, given = target.unflatten(0, (3, new)), value.unflatten(0, (3, old))
            if value.dim() == 2:
                gates[:, :old] = 0
                gates[:, :old, : value.shape[1]] = given
            else:
                gates[:, :old] = given
    large.load_state_dict(state)
    return large
