"""The recogniser's clips: decoded once into one file, split by speaker and sentence."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edgeasr.audio import SAMPLE_RATE, Pcm
from edgeasr.errors import AudioError
from training.manifest import Utterance, in_held_out_share, read_manifests, read_pcm
from training.recogniser_text import normalise

__all__ = ["CORPORA", "DEV_CORPUS", "Clip", "ClipStore", "dev_sample", "is_dev", "load_clips"]

CORPORA = (
    "speechocean762", "librispeech_resemblyzer", "ljspeech_part", "wuw2", "fsdd",
    "speech_commands_bed_cat_happy", "speech_commands_300", "voxforge_ab", "kathleen", "an4",
    "vctk_p239", "commonvoice_misc", "hymel_custom_keywords",
)  # fmt: skip
DEV_CORPUS = "librispeech_devclean_mp3"
DEV_SHARE = 0.06
_ONE_SPEAKER = frozenset({"kathleen", "ljspeech_part", "vctk_p239"})
_READ_SENTENCES = frozenset({"kathleen", "voxforge_ab", "vctk_p239", "ljspeech_part"})
_DEMO_SPEAKERS = frozenset({"commonvoice_misc/9febff4e0845", "commonvoice_misc/914a61e8b5c5"})
"""Heard in the demo; held out so that it shows no recording that was learned"""
_MAX_S = 20.0


@dataclass(frozen=True)
class Clip:
    """One transcribed clip in the store."""

    start: int
    """First sample in the store"""
    samples: int
    text: str
    corpus: str
    dev: bool


def is_dev(utterance: Utterance, text: str) -> bool:
    """Return whether a clip is held out: by speaker, and by sentence where speakers share them."""
    if utterance.corpus == DEV_CORPUS or utterance.split == "dev":
        return True
    if utterance.speaker in _DEMO_SPEAKERS:
        return True
    by_sentence = in_held_out_share(text, DEV_SHARE, salt="asr-sentence")
    if utterance.corpus in _ONE_SPEAKER or utterance.speaker is None:
        return by_sentence
    by_speaker = in_held_out_share(utterance.speaker, DEV_SHARE, salt="asr-speaker")
    return by_speaker or (utterance.corpus in _READ_SENTENCES and by_sentence)


class ClipStore:
    """PCM of all clips in one memory-mapped file, with an index beside it."""

    def __init__(self, folder: Path) -> None:
        self.pcm: NDArray[np.int16] = np.memmap(folder / "pcm.i16", np.int16, "r")
        rows = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        self.clips = [Clip(*row) for row in rows]

    def read(self, clip: Clip) -> Pcm:
        """Return a clip, int16 [n]."""
        return np.asarray(self.pcm[clip.start : clip.start + clip.samples])


def dev_sample(store: ClipStore) -> tuple[list[Clip], list[Clip]]:
    """Return the held-out clips that checkpoints are judged by: of dev-clean, of the others."""
    clean = [clip for clip in store.clips if clip.corpus == DEV_CORPUS]
    other = [clip for clip in store.clips if clip.dev and clip.corpus != DEV_CORPUS]
    return clean[::13], other[::16]


def load_clips(
    roots: Iterable[tuple[Path, Iterable[str]]], folder: Path, *, name: str
) -> ClipStore:
    """Decode the clips of `(root, corpora)` pairs into `folder/name` unless that was done."""
    target = folder / name
    if not (target / "index.json").is_file():
        target.mkdir(parents=True, exist_ok=True)
        clips = [clip for root, names in roots for clip in read_manifests(root, names)]
        _decode(clips, target)
    return ClipStore(target)


def _decode(utterances: list[Utterance], target: Path) -> None:
    rows, at = [], 0
    with (target / "pcm.i16").open("wb") as file:
        for utterance in tqdm(utterances, desc=f"decoding {target.name}", mininterval=5):
            text = normalise(utterance.text or "")
            if not text or utterance.seconds > _MAX_S:
                continue
            try:
                pcm = read_pcm(utterance)
            except AudioError as error:
                tqdm.write(f"left out: {error}")
                continue
            if len(pcm) < SAMPLE_RATE // 5:
                continue
            file.write(pcm.tobytes())
            rows.append((at, len(pcm), text, utterance.corpus, is_dev(utterance, text)))
            at += len(pcm)
    (target / "index.json").write_text(json.dumps(rows), encoding="utf-8")
