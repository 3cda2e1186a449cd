"""Scoring a network on packed recordings: misses, false accepts, and what it fires on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from training.loop import fast_autocast
from training.models.wake import STEP_FRAMES, WakeNet
from training.wake_batches import Mined
from training.wake_frames import stretched
from training.wake_loss import smooth
from training.wake_measure import Curve, Scores, peaks
from training.wake_packs import Clip, Pack

__all__ = ["Scorer", "with_noise"]

_STREAM_FRAMES = 6000  # a minute
_BATCH = 32
_APART = 25  # steps of 40 ms: a second
_LEAD = 100  # frames of silence before a recording, as a fresh detector has heard them
_PAD = 50  # frames of silence behind a recording, as the command line appends
Frames = NDArray[np.float32]
Places = NDArray[np.int64]


def with_noise(frames: Frames, noise: Frames, snr_db: float) -> Frames:
    """Return the recording with noise behind it, loud part against loud part, as log power."""
    place = np.arange(len(frames)) % len(noise)
    speech_level = np.percentile(frames.max(axis=1), 90)
    noise_level = np.percentile(noise.max(axis=1), 90)
    shift = speech_level - noise_level - snr_db / 10
    power = 10.0**frames + 10.0 ** (noise[place] + shift)
    mixed: Frames = np.log10(power).astype(np.float32)
    return mixed


@dataclass
class Scorer:
    """Runs a network over recordings and long streams."""

    net: WakeNet

    def recordings(self, clips: list[Frames]) -> NDArray[np.float32]:
        """Return the best smoothed score of each word in each recording, [clips, words]."""
        best = np.zeros((len(clips), len(self.net.config.words)), np.float32)
        order = sorted(range(len(clips)), key=lambda index: len(clips[index]))
        for first in range(0, len(order), _BATCH):
            chosen = order[first : first + _BATCH]
            longest = _LEAD + max(len(clips[i]) for i in chosen) + _PAD
            longest = -(-longest // STEP_FRAMES) * STEP_FRAMES
            batch = np.full((len(chosen), longest, 80), -10.0, np.float32)
            for row, index in enumerate(chosen):
                batch[row, _LEAD : _LEAD + len(clips[index])] = clips[index]
            best[chosen] = self._scores(batch).max(axis=1)
        return best

    def scores(self, frames: Frames) -> Scores:
        """Return smoothed scores [steps, words] of one recording [T, 80] and silence behind it."""
        longest = -(-(len(frames) + _PAD) // STEP_FRAMES) * STEP_FRAMES
        batch = np.full((1, longest, 80), -10.0, np.float32)
        batch[0, : len(frames)] = frames
        scores: Scores = self._scores(batch)[0]
        return scores

    def stream(
        self, pack: Pack, clips: Sequence[int], *, tempo: float = 1.0
    ) -> Iterator[tuple[Scores, Places]]:
        """Yield the clips laid end to end, a minute at a time, each from a fresh state.

        Scores float32 [steps, words], and at each step clip and frame, int64 [steps, 2]. A tempo
        other than 1 stretches the frames, and the places count stretched frames.
        """
        minutes, places, filled = [], [], _STREAM_FRAMES
        for index in clips:
            clip = pack.clips[index]
            for first in range(0, clip.frames, _STREAM_FRAMES):
                frames = pack.frames(clip)[first : first + _STREAM_FRAMES].astype(np.float32)
                if tempo != 1.0:
                    frames = stretched(frames, tempo)[:_STREAM_FRAMES]
                if filled + len(frames) > _STREAM_FRAMES:
                    minutes.append(np.full((_STREAM_FRAMES, 80), -10.0, np.float32))
                    places.append(np.zeros((_STREAM_FRAMES, 2), np.int64))
                    filled = 0
                minutes[-1][filled : filled + len(frames)] = frames
                places[-1][filled : filled + len(frames), 0] = index
                places[-1][filled : filled + len(frames), 1] = first + np.arange(len(frames))
                filled += len(frames)
            if len(minutes) > _BATCH:
                yield from self._minutes(minutes[:-1], places[:-1])
                minutes, places = minutes[-1:], places[-1:]
        yield from self._minutes(minutes, places)

    def _minutes(
        self, minutes: list[Frames], places: list[Places]
    ) -> Iterator[tuple[Scores, Places]]:
        if minutes:
            for scores, place in zip(self._scores(np.stack(minutes)), places, strict=True):
                yield scores, place[::STEP_FRAMES]

    def _scores(self, batch: Frames) -> NDArray[np.float32]:
        with torch.inference_mode(), fast_autocast(wanted=True):
            logits = self.net(torch.from_numpy(batch))
        scores: NDArray[np.float32] = smooth(torch.sigmoid(logits.float())).numpy()
        return scores

    def accepts(
        self, pack: Pack, wanted: Callable[[Clip], bool], *, tempo: float = 1.0
    ) -> tuple[list[list[tuple[float, int, int]]], float]:
        """Return for each word the (score, clip, frame) of its accepts, and the hours."""
        chosen = [index for index, clip in enumerate(pack.clips) if wanted(clip)]
        found: list[list[tuple[float, int, int]]] = [[] for _ in self.net.config.words]
        for scores, place in self.stream(pack, chosen, tempo=tempo):
            for word, accepts in enumerate(found):
                for step, score in peaks(scores[:, word], apart=_APART):
                    accepts.append((score, int(place[step, 0]), int(place[step, 1])))
        hours = sum(pack.clips[index].frames for index in chosen) / 360_000
        return found, hours * tempo

    def mine(self, packs: Sequence[Pack], *, above: float, most: int) -> list[Mined]:
        """Return the worst accepts on training negatives of each pack, for all words together."""
        worst: list[tuple[float, Mined]] = []
        for number, pack in enumerate(packs):
            found, _ = self.accepts(pack, lambda clip: not clip.dev and not clip.words)
            worst += [
                (score, Mined(number, clip, frame))
                for accepts in found
                for score, clip, frame in accepts
                if score > above
            ]
        worst.sort(key=lambda entry: -entry[0])
        return [mined for _, mined in worst[:most]]

    def curves(
        self,
        pack: Pack,
        hits: dict[str, dict[str, list[Frames]]],
        *,
        tempos: tuple[float, ...] = (1.0,),
    ) -> dict[str, dict[str, Curve]]:
        """Return a curve for each condition and word of `hits` against the held-out negatives.

        Each further tempo plays the negatives again.
        """
        words = self.net.config.words
        accepts: list[list[float]] = [[] for _ in words]
        hours = 0.0
        for tempo in tempos:
            found, more = self.accepts(pack, lambda clip: clip.dev and not clip.words, tempo=tempo)
            hours += more
            for scores, one in zip(accepts, found, strict=True):
                scores += [score for score, _, _ in one]
        false = [np.array(scores, np.float32) for scores in accepts]
        return {
            condition: {
                word: Curve(self.recordings(of_words[word])[:, number], false[number], hours)
                for number, word in enumerate(words)
            }
            for condition, of_words in hits.items()
        }
