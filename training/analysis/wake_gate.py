"""Would a gate before the trigger's network pay? Misses, share of time open, processor time.

Two gates: energy 3 dB above the least of the last three seconds, and WebRTC's detector in its most
open mode. An open gate hands over half a second from before it opened, to a fresh network, and
closes after a second without a sign.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeasr.audio import SAMPLE_RATE, Pcm
from edgeasr.endpoint import SpeechFlag
from edgeasr.features import FRAME_S, Frames, LogMel
from edgeasr.loading import load_wake
from edgeasr.wake import WakeModel
from training.evaluation.wake_audio import Noises, recordings
from training.wake_corpus import negatives
from training.wake_data import REAL_WORDS
from training.wake_looks import smoothed

__all__ = ["main"]

Flags = NDArray[np.bool_]
_BEFORE, _HOLD = 50, 100  # frames of 10 ms
_FLOOR, _RISE = 300, 0.3  # frames; decades of power
_CONDITIONS = ("clean", "noise 10 dB", "noise 0 dB")
_QUIET = np.zeros(2 * SAMPLE_RATE, np.int16)


def energy(pcm: Pcm, frames: Frames) -> Flags:
    """Return whether each frame is louder than what was least of late."""
    del pcm
    level = np.log10(np.power(10.0, frames).mean(axis=1))
    level = np.convolve(np.pad(level, (4, 0), mode="edge"), np.ones(5) / 5, mode="valid")
    padded = np.pad(level, (_FLOOR - 1, 0), mode="edge")
    least = np.lib.stride_tricks.sliding_window_view(padded, _FLOOR).min(axis=1)
    flags: Flags = level > least + _RISE
    return flags


def webrtc(pcm: Pcm, frames: Frames) -> Flags:
    """Return WebRTC's opinion of each frame."""
    flag = SpeechFlag(0)
    blocks = [flag(pcm[first : first + 160]) for first in range(0, len(pcm) - 159, 160)]
    return np.resize(np.array(blocks, bool), len(frames))


def spans(flags: Flags) -> list[tuple[int, int]]:
    """Return first and last frame of each time that the network runs."""
    found: list[tuple[int, int]] = []
    for frame in np.flatnonzero(flags).tolist():
        first = max(0, frame - _BEFORE)
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], frame + _HOLD)
        else:
            found.append((first, frame + _HOLD))
    return [(first, min(last, len(flags))) for first, last in found]


_GATES: dict[str, Callable[[Pcm, Frames], Flags]] = {"energy": energy, "webrtc": webrtc}


def main(argv: list[str]) -> int:
    """Print misses with and without each gate, and what it would save."""
    parser = argparse.ArgumentParser(prog="training.analysis wake_gate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of corpora")
    options = parser.parse_args(argv)
    model, log_mel = load_wake(), LogMel()
    drawn = negatives(options.data, held_out_alone=True, share=0.1)
    held = [(clip.kind, pcm) for clip, pcm in drawn]
    noises = Noises([pcm for kind, pcm in held if kind == "noise"], [], [])
    said = recordings(options.data, REAL_WORDS)
    rng = np.random.default_rng(5)
    for condition in _CONDITIONS:
        missed = dict.fromkeys(("none", *_GATES), 0)
        for word, clips in said.items():
            for _, pcm in clips:
                heard = noises.apply(np.concatenate([_QUIET, pcm]), condition, rng)
                _count(missed, model, word, heard, log_mel(heard))
        print(condition, missed, "of", sum(map(len, said.values())), flush=True)
    for kind in ("noise", "speech"):
        some = [pcm for of, pcm in held if of == kind][:200]
        _tell_cost(kind, np.concatenate(some)[: 600 * SAMPLE_RATE], model, log_mel)
    silence = np.random.default_rng(1).integers(-3, 4, 600 * SAMPLE_RATE).astype(np.int16)
    _tell_cost("silence", silence, model, log_mel)
    return 0


def _count(
    missed: dict[str, int], model: WakeModel, word: str, pcm: Pcm, frames: Frames
) -> None:
    column = model.words.index(word)
    for name in missed:
        parts = [(0, len(frames))] if name == "none" else spans(_GATES[name](pcm, frames))
        best = max((float(smoothed(model, frames[first:last])[:, column].max(initial=0.0))
                    for first, last in parts), default=0.0)  # fmt: skip
        missed[name] += best < model.thresholds[word]


def _tell_cost(kind: str, pcm: Pcm, model: WakeModel, log_mel: LogMel) -> None:
    """Print CPU seconds an hour of network and gates, and how long each gate is open."""
    frames, hours = log_mel(pcm), len(pcm) / SAMPLE_RATE / 3600
    started, state = time.process_time(), model.fresh()
    for first in range(0, len(frames) - 7, 8):
        state = model.step(frames[first : first + 8], state)[1]
    print(f"{kind}: network {(time.process_time() - started) / hours:.2f} CPU s per hour", end="")
    for name, gate in _GATES.items():
        started = time.process_time()
        flags = gate(pcm, frames)
        cost = (time.process_time() - started) / hours
        share = sum(last - first for first, last in spans(flags)) / len(frames)
        print(f"; {name} {cost:.2f}, open {100 * share:.0f} %", end="")
    print(f" ({len(frames) * FRAME_S / 60:.0f} minutes)", flush=True)
