"""What the trigger learns from and is measured on: recordings, split by speaker.

Every clip of the speech corpora without a trigger word in its text, noise and music is negative;
wake/picovoice and the computer clips of wake/precise_community are positive.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from edgeasr.audio import SAMPLE_RATE, Pcm
from edgeasr.errors import AudioError
from training.manifest import Utterance, in_held_out_share, read_manifest, read_pcm
from training.wake_packs import Clip, word_span
from training.wake_rooms import Response, made_room, reverberate

__all__ = ["TRIGGER_TEXT", "WORDS", "is_held_out", "negatives", "positives"]

WORDS = ("computer", "jarvis", "hey jarvis", "alexa", "snowboy", "smart mirror", "view glass")
_SALT = "wake"
_DEV_SHARE = 0.2
_DEV_ONLY = ("librispeech_devclean_mp3", "vctk_p239")
_LEFT_OUT = ("howl",)  # licences unknown
TRIGGER_TEXT = re.compile(r"(?i)computer|jarvis|alexa|snow ?boy|smart mirror|view ?glass")
_COMMUNITY_WORDS = {
    "kw:computer": ("computer",),
    "kw:heycomputer-en": ("computer",),
    "kw:heycomputer-es": ("computer",),
}
_TELEPHONE = ("wuw2", "fsdd")


def negatives(
    root: Path,
    *,
    held_out_alone: bool = False,
    share: float = 1.0,
    wanted: Callable[[Clip], bool] = lambda _clip: True,
) -> Iterator[tuple[Clip, Pcm]]:
    """Yield speech, noise and music without a trigger word; `dev` by speaker or source.

    A share below 1 takes so many of the clips, drawn by chance, always the same; of them those
    that are `wanted`.
    """
    for path in sorted(root.glob("*/*/manifest.jsonl")):
        if path.parent.name in _LEFT_OUT or path.parent.parent.name == "rir":
            continue
        for utterance in read_manifest(path):
            clip = _negative(utterance, group=path.parent.parent.name)
            if clip is None or (held_out_alone and not clip.dev):
                continue
            if not (in_held_out_share(clip.key, share, salt="drawn") and wanted(clip)):
                continue
            pcm = _read(utterance)
            if pcm is not None:
                yield clip, pcm


def positives(
    root: Path, rooms: list[Response], *, seed: int, held_out_alone: bool = False
) -> Iterator[tuple[Clip, Pcm]]:
    """Yield each trigger clip dry, and those for training again in two random rooms."""
    rng = np.random.default_rng(seed)
    for name in ("picovoice", "precise_community"):
        path = root / "wake" / name / "manifest.jsonl"
        for utterance in read_manifest(path) if path.is_file() else []:
            words = _words_of(utterance)
            if not words or (held_out_alone and not is_held_out(utterance)):
                continue
            pcm = _read(utterance)
            if pcm is None or float(np.abs(pcm).max()) < 100:
                continue
            yield from in_rooms(_positive(utterance, words, pcm), pcm, rooms, rng)


def in_rooms(
    clip: Clip, pcm: Pcm, rooms: list[Response], rng: np.random.Generator
) -> Iterator[tuple[Clip, Pcm]]:
    """Yield the clip, and if it is for training also in a made and in a measured room."""
    yield clip, pcm
    if not clip.dev:
        yield clip, reverberate(pcm, made_room(rng))
        room = rooms[rng.integers(len(rooms))] if rooms else made_room(rng)
        yield clip, reverberate(pcm, room)


def _words_of(utterance: Utterance) -> tuple[str, ...]:
    label = utterance.label or ""
    if utterance.corpus == "picovoice":
        return (label,)
    return _COMMUNITY_WORDS.get(label, ())


def _positive(utterance: Utterance, words: tuple[str, ...], pcm: Pcm) -> Clip:
    start, end = word_span(pcm)
    return Clip(
        key=f"{utterance.corpus}/{utterance.audio.name}",
        kind="word",
        words=words,
        speaker=utterance.speaker or "",
        dev=is_held_out(utterance),
        word_start=start,
        word_end=end,
    )


def _negative(utterance: Utterance, *, group: str) -> Clip | None:
    label = utterance.label or ""
    if utterance.corpus == "picovoice" or label in _COMMUNITY_WORDS:
        return None
    if TRIGGER_TEXT.search(utterance.text or ""):
        return None
    kind = "noise" if group == "noise" or label == "noise" else "speech"
    if utterance.corpus == "music":
        kind = "music"
    key = f"{utterance.corpus}/{utterance.audio.name}"
    speaker = utterance.speaker or (label if kind != "speech" else key)
    dev = utterance.corpus in _DEV_ONLY or in_held_out_share(speaker, _DEV_SHARE, salt=_SALT)
    return Clip(key=key, kind=kind, speaker=speaker, dev=dev)


def _read(utterance: Utterance) -> Pcm | None:
    try:
        pcm = read_pcm(utterance)
    except AudioError:
        return None
    return pcm if len(pcm) > SAMPLE_RATE // 5 else None


def is_held_out(utterance: Utterance) -> bool:
    """Return whether a trigger clip's speaker is kept from training."""
    return bool(utterance.speaker) and in_held_out_share(
        utterance.speaker or "", _DEV_SHARE, salt=_SALT
    )
