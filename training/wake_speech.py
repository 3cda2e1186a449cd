"""Synthetic speech for triggers: the phrases in many voices, and what sounds nearly like them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from edgeasr.audio import Pcm
from training.manifest import held_out_order, in_held_out_share
from training.pronunciation import Pronunciations
from training.synthesis import Job, Voice, mixed_voices, synthesise_many, voices
from training.wake_corpus import in_rooms
from training.wake_packs import Clip
from training.wake_rooms import Response

__all__ = ["SpeechPlan", "held_out", "held_out_of", "near_miss_clips", "phrase_clips"]

_DEV_SHARE = 0.15
_SALT = "wake voices"
_SEVERAL = 3
_VARIANTS = {
    "espeak": 2, "flite": 8, "festival": 2, "rhvoice": 10, "hibari": 14, "piper": 6, "kokoro": 1,
}  # fmt: skip
_CHEAP = ("flite", "rhvoice", "hibari", "espeak")
_SPELLINGS = {"snowboy": ("snowboy", "snow boy"), "view glass": ("view glass", "viewglass")}


def held_out(voice: Voice) -> bool:
    """Return whether a voice is kept for measuring the shipped trigger."""
    return in_held_out_share(voice.key, _DEV_SHARE, salt=_SALT)


def held_out_of(stock: list[Voice]) -> Callable[[Voice], bool]:
    """Return the same for a machine with few voices: at least one of each engine's several."""
    kept = {voice.key for voice in stock if held_out(voice)}
    for engine in {voice.engine for voice in stock}:
        keys = [voice.key for voice in stock if voice.engine == engine]
        if len(keys) >= _SEVERAL and not kept & set(keys):
            kept.add(min(keys, key=lambda key: held_out_order(key, salt=_SALT)))
    return lambda voice: voice.key in kept


@dataclass(frozen=True, kw_only=True)
class SpeechPlan:
    """How much to synthesise."""

    mixed: int = 30
    """New Kokoro speakers made of two, for each word"""
    native_rounds: int = 1
    """Clips of each Kokoro speaker for each word"""
    near_misses: int = 40
    """Phrases that sound nearly like each word"""
    near_voices: int = 4
    """Fast voices that say each of them"""
    slow_share: float = 0.4
    """Of the phrases, said also by one of the slower and better voices"""
    held_out: Callable[[Voice], bool] = held_out
    """Voices to measure with"""
    workers: int = 1
    seed: int = 1


def phrase_clips(
    words: list[str], plan: SpeechPlan, rooms: list[Response], *, held_out_alone: bool = False
) -> Iterator[tuple[Clip, Pcm]]:
    """Yield each word in every voice; those of held-out voices have `dev` set.

    With `held_out_alone` they alone are made.
    """
    rng = np.random.default_rng(plan.seed)
    stock = [voice for voice in voices() if plan.held_out(voice) or not held_out_alone]
    jobs = [
        _job(voice, str(rng.choice(_SPELLINGS.get(word, (word, f"{word}!")))), rng)
        for word in words
        for voice in stock + _mixed(plan, seed=int(rng.integers(1 << 30)))
        for _ in range(_rounds(voice, plan))
    ]
    owner = {text: word for word in words for text in (*_SPELLINGS.get(word, ()), word, f"{word}!")}
    for job, pcm in synthesise_many(jobs, workers=plan.workers):
        clip = _clip(job, pcm, plan, words=_heard(owner[job.text], words))
        yield from in_rooms(clip, pcm, rooms, rng)


def near_miss_clips(
    words: list[str], plan: SpeechPlan, pronunciations: Pronunciations
) -> Iterator[tuple[Clip, Pcm]]:
    """Yield near misses of each word in a few voices each; none holds any of `words`."""
    rng = np.random.default_rng(plan.seed + 1)
    stock = voices()
    cheap = [voice for voice in stock if voice.engine in _CHEAP]
    rest = [voice for voice in stock if voice.engine not in _CHEAP] or cheap
    jobs = []
    for word in words:
        texts = pronunciations.near_misses(word, plan.near_misses)
        for text in texts:
            if any(other in text for other in words):
                continue
            chosen = [cheap[index] for index in rng.permutation(len(cheap))[: plan.near_voices]]
            if rng.random() < plan.slow_share:
                chosen.append(rest[rng.integers(len(rest))])
            jobs += [_job(voice, text, rng) for voice in chosen]
    for job, pcm in synthesise_many(jobs, workers=plan.workers):
        yield _clip(job, pcm, plan, words=()), pcm


def _rounds(voice: Voice, plan: SpeechPlan) -> int:
    if voice.engine == "kokoro":
        return 1 if "+" in voice.name else plan.native_rounds
    return _VARIANTS[voice.engine]


def _mixed(plan: SpeechPlan, *, seed: int) -> list[Voice]:
    pool = [voice for voice in voices(["kokoro"]) if not plan.held_out(voice)]
    return mixed_voices(plan.mixed, seed=seed, pool=pool) if pool else []


def _job(voice: Voice, text: str, rng: np.random.Generator) -> Job:
    rate = float(np.exp(rng.uniform(np.log(0.8), np.log(1.25))))
    return Job(voice, text, rate=rate, pitch=float(np.exp(rng.uniform(-0.085, 0.085))))


def _heard(word: str, words: list[str]) -> tuple[str, ...]:
    """Return the trigger words that are heard at the end of `word`: jarvis in hey jarvis."""
    return tuple(other for other in words if word == other or word.endswith(" " + other))


def _clip(job: Job, pcm: Pcm, plan: SpeechPlan, *, words: tuple[str, ...]) -> Clip:
    return Clip(
        key=f"{job.voice.key}/{job.text}",
        kind="word" if words else "near",
        words=words,
        speaker=job.voice.key,
        dev=plan.held_out(job.voice),
        synthetic=True,
        word_end=len(pcm) // 160,
    )
