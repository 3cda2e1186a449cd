"""What the trigger's first stage hands to the second, gathered once for a trigger and kept.

A refit to another recogniser then reads a few hundred windows of two seconds again, not hours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeasr.features import Frames
from edgeasr.wake import WakeModel
from edgeasr.wake_verify import VERIFY_STEPS, PhraseVerifier
from training.manifest import in_held_out_share
from training.wake_frames import stretched
from training.wake_measure import Scores, peaks
from training.wake_packs import Clip, Pack
from training.wake_task import dev_clips, dev_recordings

__all__ = [
    "CANDIDATE", "Evidence", "Look", "Source", "gather", "half_of", "load", "looks", "save",
    "smoothed",
]  # fmt: skip

CANDIDATE = 0.05
"""Score of the first stage that makes a candidate"""
_TEMPOS = (1.0, 0.93, 1.07)  # the held-out negatives are played at these speeds
_REST_STEPS = 15
_APART = 25  # steps of 40 ms
_PAD = np.full((80, 80), -10.0, np.float32)
Source = tuple[str, str, int]
"""Condition, `negative` for hours without the word; word; half of the speakers or sources"""


@dataclass(frozen=True)
class Look:
    """A candidate: the first stage's best score, and what the recogniser is shown."""

    top: float
    frames: Frames
    end: int = 0
    """Frames from the beginning of the stream"""


@dataclass
class Evidence:
    """What the first stage found in held-out audio."""

    hours: tuple[float, float]
    """Of negatives in each half of the sources"""
    alone: dict[Source, list[float]]
    """Best score of each recording; of negatives, that of each accept"""
    clips: dict[Source, list[int]]
    """Which recording each look belongs to; of negatives, a number of its own"""
    found: dict[Source, list[Look]]
    delays: dict[str, int]
    """Frames from a word's end to its first look, median"""
    candidate: dict[str, float]
    """Score of the first stage that made each word's looks"""


def half_of(speaker: str) -> int:
    """Return 0 or 1: what is chosen on one half of the speakers is reported on the other."""
    return int(in_held_out_share(speaker, 0.5, salt="half"))


def smoothed(model: WakeModel, frames: Frames) -> Scores:
    """Return the network's smoothed scores [steps, words] of a stream from its beginning."""
    whole = len(frames) // model.step_frames * model.step_frames
    scores, _ = model.step(frames[:whole], model.fresh())
    means: Scores = (scores + np.concatenate([np.zeros_like(scores[:1]), scores[:-1]])) / 2
    return means


def looks(track: Scores, frames: Frames, *, least: float = CANDIDATE) -> list[Look]:
    """Return what `Candidates` would look at, given smoothed scores [steps] of a stream."""
    found, step = [], 0
    for crossing in np.flatnonzero(track >= least).tolist():
        at = crossing + VERIFY_STEPS
        if crossing < step or at >= len(track):
            continue
        end = (at + 1) * 4
        shown = frames[max(0, end - PhraseVerifier.window_frames) : end]
        found.append(Look(float(track[crossing : at + 1].max()), shown, end))
        quiet = np.flatnonzero(track[at + 1 : at + 1 + _REST_STEPS] < least / 2)
        step = at + 1 + (int(quiet[0]) + 1 if len(quiet) else _REST_STEPS)
    return found


def gather(
    model: WakeModel, packs: list[Pack], negatives: Pack, candidate: dict[str, float] | None = None
) -> Evidence:
    """Run the first stage over recordings of the words, and over the negatives at each tempo.

    `candidate` are scores that make a candidate where they are not CANDIDATE.
    """
    hours = [0.0, 0.0]
    least = dict.fromkeys(model.words, CANDIDATE) | (candidate or {})
    evidence = Evidence((0.0, 0.0), {}, {}, {}, {}, least)
    for half, frames in _streams(negatives):
        hours[half] += len(frames) / 360_000
        scores = smoothed(model, frames)
        for number, word in enumerate(model.words):
            source = ("negative", word, half)
            tops = [top for _, top in peaks(scores[:, number], apart=_APART)]
            accepts = [top for top in tops if top > least[word]]
            evidence.alone.setdefault(source, []).extend(accepts)
            for look in looks(scores[:, number], frames, least=least[word]):
                evidence.clips.setdefault(source, []).append(len(evidence.clips[source]))
                evidence.found.setdefault(source, []).append(look)
    evidence.hours = (hours[0], hours[1])
    clips = dev_clips(model.words, packs)
    for condition, of_words in dev_recordings(model.words, packs, negatives).items():
        for number, word in enumerate(model.words):
            late = [
                end - clip.word_end
                for (_, clip), frames in zip(clips[word], of_words[word], strict=True)
                if (end := _add_recording(evidence, (condition, word, half_of(clip.speaker)),
                                          smoothed(model, _padded(frames))[:, number], frames))
            ]  # fmt: skip
            evidence.delays.setdefault(word, int(np.median(late)) if late else 0)
    return evidence


def _padded(frames: Frames) -> Frames:
    return np.concatenate([frames, _PAD])


def _add_recording(evidence: Evidence, source: Source, track: Scores, frames: Frames) -> int:
    """File a recording; return the frame at which the first look came, 0 without any."""
    best = evidence.alone.setdefault(source, [])
    found = looks(track, _padded(frames), least=evidence.candidate[source[1]])
    evidence.clips.setdefault(source, []).extend([len(best)] * len(found))
    evidence.found.setdefault(source, []).extend(found)
    best.append(float(track.max()))
    return found[0].end if found else 0


def _streams(negatives: Pack) -> Iterator[tuple[int, Frames]]:
    """Yield half and frames of held-out clips end to end at each tempo, ten minutes at a time."""
    for half in (0, 1):
        held = [clip for clip in negatives.clips if _counts(clip) and half_of(clip.speaker) == half]
        for tempo in _TEMPOS:
            parts: list[Frames] = []
            for clip in held:
                frames = negatives.frames(clip).astype(np.float32)
                parts.append(frames if tempo == 1.0 else stretched(frames, tempo))
                if sum(map(len, parts)) > 60_000:
                    yield half, np.concatenate(parts)
                    parts = []
            if parts:
                yield half, np.concatenate(parts)


def _counts(clip: Clip) -> bool:
    return clip.dev and not clip.words


def save(evidence: Evidence, path: Path, *, trigger: str) -> None:
    """Write the evidence as arrays; `trigger` is the digest of the network that it is of."""
    names = sorted(evidence.alone)
    frames: list[NDArray[np.float16]] = []
    rows: list[tuple[int, int, float, int]] = []  # source, recording, score, frames
    for number, source in enumerate(names):
        for clip, look in zip(
            evidence.clips.get(source, []), evidence.found.get(source, []), strict=True
        ):
            rows.append((number, clip, look.top, len(look.frames)))
            frames.append(look.frames.astype(np.float16))
    alone = [(number, score) for number, name in enumerate(names) for score in evidence.alone[name]]
    np.savez(
        path, trigger=trigger, hours=np.array(evidence.hours), names=np.array(names, np.str_),
        alone=np.array(alone), looks=np.array(rows), frames=np.concatenate(frames),
        words=np.array([*evidence.delays], np.str_), delays=np.array([*evidence.delays.values()]),
        candidate=np.array([evidence.candidate[word] for word in evidence.delays]),
    )  # fmt: skip


def load(path: Path, *, trigger: str) -> Evidence | None:
    """Return what `save` wrote for this network, None if there is none."""
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as kept:
        if str(kept["trigger"]) != trigger:
            return None
        content = {name: kept[name] for name in kept.files}
    names: list[Source] = [(str(c), str(w), int(half)) for c, w, half in content["names"]]
    first, second = content["hours"].tolist()
    words = content["words"].tolist()
    delays = dict(zip(words, content["delays"].tolist(), strict=True))
    least = dict(zip(words, content["candidate"].tolist(), strict=True))
    evidence = Evidence((first, second), {name: [] for name in names}, {}, {}, delays, least)
    for number, score in content["alone"].tolist():
        evidence.alone[names[int(number)]].append(score)
    ends = np.cumsum(content["looks"][:, 3]).astype(np.int64).tolist()
    for (number, clip, top, count), end in zip(content["looks"].tolist(), ends, strict=True):
        shown = content["frames"][end - int(count) : end].astype(np.float32)
        evidence.clips.setdefault(names[int(number)], []).append(int(clip))
        evidence.found.setdefault(names[int(number)], []).append(Look(top, shown))
    return evidence
