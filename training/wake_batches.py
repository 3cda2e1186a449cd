"""Rows of a training batch: words set into running speech, noise and silence, as log-mel frames.

Sounds are added as mel powers (the cross terms vanish on average), so nothing is decoded or
transformed again: tempo is a resampling of frames, a longer or shorter vocal tract a resampling
of bands, a microphone a smooth curve over bands.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from training.wake_frames import LN10, Array, frames_power, lay, levelled, stretched, tract
from training.wake_packs import Clip, Pack

__all__ = ["GAP", "Batch", "Event", "Mined", "RowMaker"]

GAP = -9.0
"""Log10 power of the pauses that are put between clips"""


@dataclass(frozen=True)
class Event:
    """A word in a row."""

    word: int
    start: int
    end: int
    """Frames"""


@dataclass
class Batch:
    """Frames float32 [rows, frames, 80] and what is said in each row."""

    frames: Array
    events: list[list[Event]]


@dataclass(frozen=True)
class Mined:
    """A stretch of a negative clip on which the detector fired."""

    pack: int
    clip: int
    frame: int


@dataclass
class RowMaker:
    """Makes rows from packs; every draw comes from the generator that is passed in."""

    words: Sequence[str]
    packs: Sequence[Pack]
    frames: int = 600
    positive_share: float = 0.65
    real_share: float = 0.75
    mined: list[Mined] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._said: dict[tuple[int, bool], list[tuple[int, int]]] = defaultdict(list)
        self._speech: list[tuple[int, int]] = []
        self._near: list[tuple[int, int]] = []
        self._noise: list[tuple[int, int]] = []
        self._heys: list[tuple[int, int]] = []
        for p, pack in enumerate(self.packs):
            for c, clip in enumerate(pack.clips):
                if not clip.dev:
                    self._file(clip, (p, c))
        chaos = np.random.default_rng(0)
        self._hiss = chaos.gamma(4.0, 0.25, (8 * self.frames, 80)).astype(np.float32)
        weights = [self._clip(at).frames for at in self._speech]
        self._speech_cdf = np.cumsum(weights) / max(1, sum(weights))

    def _file(self, clip: Clip, at: tuple[int, int]) -> None:
        if clip.words:
            known = [word for word in clip.words if word in self.words]
            if known:
                main = self.words.index(max(known, key=len))
                self._said[main, clip.synthetic].append(at)
        elif clip.kind == "near":
            self._near.append(at)
            if clip.key.endswith("/hey"):
                self._heys.append(at)
        elif clip.kind == "speech":
            self._speech.append(at)
        else:
            self._noise.append(at)

    def batch(self, rows: int, rng: np.random.Generator) -> Batch:
        """Return `rows` rows."""
        made = [self._row(rng) for _ in range(rows)]
        return Batch(np.stack([frames for frames, _ in made]), [events for _, events in made])

    def _clip(self, at: tuple[int, int]) -> Clip:
        return self.packs[at[0]].clips[at[1]]

    def _frames_of(self, at: tuple[int, int], first: int = 0, last: int | None = None) -> Array:
        return self.packs[at[0]].frames(self._clip(at))[first:last].astype(np.float32)

    def _row(self, rng: np.random.Generator) -> tuple[Array, list[Event]]:
        row = np.full((self.frames, 80), GAP, np.float32)
        events: list[Event] = []
        positive = rng.random() < self.positive_share
        at = 0
        style = rng.random()
        if positive and style < 0.3:  # the file starts with the word
            at = self._put_word(row, 0, rng, events, whole=rng.random() < 0.6)
        elif positive and style < 0.55:  # silence before
            at = self._put_word(row, int(rng.integers(5, 300)), rng, events, whole=False)
        else:
            latest = self.frames - 180 * positive
            at = self._put_speech(row, 0, rng, limit=int(rng.integers(40, latest)))
            if positive:
                at += int(rng.integers(0, 25)) if rng.random() < 0.6 else int(rng.integers(25, 120))
                at = self._put_word(row, at, rng, events, whole=False)
        if rng.random() < 0.6:
            at += int(rng.integers(0, 8)) if rng.random() < 0.6 else int(rng.integers(8, 100))
            at = self._put_speech(row, at, rng, limit=self.frames)
            if positive and at < self.frames - 120 and rng.random() < 0.5:
                self._put_word(row, at, rng, events, whole=False)
        return self.colour(row, rng), events

    def _put_word(
        self, row: Array, at: int, rng: np.random.Generator, events: list[Event], *, whole: bool
    ) -> int:
        """Set a word into the row from frame `at` on; return the frame after it."""
        word = int(rng.integers(len(self.words)))
        frames, start, end = self._word(word, rng, whole=whole)
        if at + end + 8 > len(row):
            return at
        lay(row, at, frames)
        end_at = at + end
        for other, name in enumerate(self.words):
            if other == word or self.words[word].endswith(" " + name):
                events.append(Event(other, at + start, end_at))
        return min(at + len(frames), len(row))

    def _word(self, word: int, rng: np.random.Generator, *, whole: bool) -> tuple[Array, int, int]:
        """Return frames of a word with margins, where it starts and where it ends in them."""
        real, made = self._said[word, False], self._said[word, True]
        rest = self.words[word].removeprefix("hey ")
        if not real and self._heys and rest in self.words[:word] and rng.random() < 0.4:
            return self._spliced(word, rng)
        pool = real if real and (not made or rng.random() < self.real_share) else made
        at = pool[rng.integers(len(pool))]
        clip, frames = self._clip(at), self._frames_of(at)
        first, last = 0, len(frames)
        if not whole and not clip.synthetic:
            first = max(0, clip.word_start - int(rng.integers(0, 30)))
            last = min(last, clip.word_end + int(rng.integers(3, 40)))
        start, end = clip.word_start - first, clip.word_end - first
        factor = float(np.exp(rng.uniform(-0.16, 0.16)))
        frames = stretched(tract(frames[first:last], rng), factor)
        return levelled(frames), int(start * factor), min(int(end * factor), len(frames))

    def _spliced(self, word: int, rng: np.random.Generator) -> tuple[Array, int, int]:
        """Return "hey" of one voice before the rest of the phrase of another."""
        rest = self.words.index(self.words[word].removeprefix("hey "))
        frames, start, end = self._word(rest, rng, whole=False)
        hey = self._frames_of(self._heys[rng.integers(len(self._heys))])
        hey = levelled(stretched(tract(hey, rng), float(np.exp(rng.uniform(-0.3, 0.2)))))
        hey = hey + np.float32(rng.uniform(-0.5, 0.3))
        pause = int(rng.integers(0, 12))
        gap = np.full((pause, 80), GAP, np.float32)
        joined = np.concatenate([hey, gap, frames[max(0, start - 2) :]])
        return joined, 0, len(hey) + pause + end - max(0, start - 2)

    def _put_speech(self, row: Array, at: int, rng: np.random.Generator, *, limit: int) -> int:
        """Fill the row with negatives from frame `at` to about `limit`; return where they end."""
        gain = np.float32(rng.normal(0, 0.4))
        while at < limit:
            frames = self._negative(rng)
            frames = levelled(frames)[: max(1, limit - at)] + gain
            lay(row, at, frames)
            at += len(frames) + (int(rng.integers(0, 40)) if rng.random() < 0.7 else 0)
        return min(at, len(row))

    def _negative(self, rng: np.random.Generator) -> Array:
        draw = rng.random()
        if self.mined and draw < 0.3:
            mined = self.mined[rng.integers(len(self.mined))]
            first = max(0, mined.frame - int(rng.integers(80, 250)))
            return self._frames_of((mined.pack, mined.clip), first, mined.frame + 80)
        if self._near and draw < 0.45:
            return stretched(self._frames_of(self._near[rng.integers(len(self._near))]),
                          float(np.exp(rng.uniform(-0.15, 0.15))))  # fmt: skip
        at = self._speech[min(int(np.searchsorted(self._speech_cdf, rng.random())),
                              len(self._speech) - 1)]  # fmt: skip
        length = self._clip(at).frames
        first = int(rng.integers(length - 300)) if length > 300 else 0
        frames = tract(self._frames_of(at, first, first + self.frames), rng)
        return stretched(frames, float(np.exp(rng.uniform(-0.15, 0.15))))

    def colour(self, row: Array, rng: np.random.Generator) -> Array:
        """Return the row with noise behind it, at a random level, through a random microphone."""
        power = frames_power(row)
        if rng.random() < 0.8 and self._noise:
            snr = np.float32(rng.uniform(-0.5, 3.2))
            power += frames_power(self._background(rng) - snr)
        if rng.random() < 0.5 and self._speech:
            power += self._room_tone(rng)
        curve = np.interp(np.arange(80), np.linspace(0, 79, 6), rng.normal(0, 0.3, size=6))
        power *= frames_power(curve.astype(np.float32))
        power *= np.float32(10.0 ** rng.uniform(-3.0, 1.6))
        if rng.random() < 0.85:  # the hiss of the input; else digital silence
            hiss = 10.0 ** (rng.uniform(-10, -5.5) + np.linspace(0, rng.normal(0, 0.4), 80))
            power += self._hissing(hiss.astype(np.float32), rng)
        if rng.random() < 0.08:  # telephone
            power[:, int(rng.integers(54, 64)) :] *= np.float32(1e-4)
        row = np.log(np.maximum(power, np.float32(1e-10))) * np.float32(1 / LN10)
        if rng.random() < 0.3:
            first, width = int(rng.integers(0, 70)), int(rng.integers(2, 12))
            row[:, first : first + width] = row[:, first : first + width].mean()
        return row

    def _room_tone(self, rng: np.random.Generator) -> Array:
        """Return the power of a real recording's pauses, as steady noise.

        Synthetic voices have none: else a quiet room would tell that a person speaks, and people
        are mostly heard in negatives.
        """
        at = self._speech[rng.integers(len(self._speech))]
        frames = levelled(self._frames_of(at, 0, self.frames))[::3]
        quiet = len(frames) // 10
        tone = np.partition(frames, quiet, axis=0)[quiet] + rng.uniform(-1.0, 0.5)
        return self._hissing(frames_power(tone.astype(np.float32)), rng)

    def _hissing(self, spectrum: Array, rng: np.random.Generator) -> Array:
        """Return power [frames, 80] of steady noise of a spectrum [80]."""
        first = int(rng.integers(len(self._hiss) - self.frames))
        return spectrum * self._hiss[first : first + self.frames]

    def _background(self, rng: np.random.Generator) -> Array:
        """Return noise, music or other people's speech, float32 [frames, 80], levelled."""
        pool = self._speech if rng.random() < 0.15 else self._noise
        at = pool[rng.integers(len(pool))]
        first = int(rng.integers(max(1, self._clip(at).frames - self.frames)))
        frames = levelled(self._frames_of(at, first, first + self.frames))
        repeats = -(-self.frames // len(frames))
        return np.tile(frames, (repeats, 1))[: self.frames] if repeats > 1 else frames
