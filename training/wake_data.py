"""The packs of a recipe, made once: negatives, real words, synthetic words, near misses."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.pronunciation import Pronunciations
from training.synthesis import voices
from training.wake_corpus import negatives, positives
from training.wake_packs import Pack, build_pack
from training.wake_rooms import measured_rooms
from training.wake_speech import SpeechPlan, held_out, near_miss_clips, phrase_clips

__all__ = ["REAL_WORDS", "WakePacks", "held_out_packs", "load_pronunciations"]

REAL_WORDS = ("computer", "jarvis", "alexa", "snowboy", "smart mirror", "view glass")
"""Of which there are recordings of people"""


@dataclass(frozen=True)
class WakePacks:
    """What a network learns `words` from."""

    negatives: Pack
    real: Pack
    synthetic: list[Pack]
    """The words, and what sounds nearly like them"""

    @classmethod
    def build(cls, root: Path, cache: Path, words: Sequence[str], *, seed: int) -> "WakePacks":
        """Make the packs that `cache` lacks: minutes for the recordings, more for the voices."""
        rooms = measured_rooms(root / "rir")
        few = [word for word in words if word in REAL_WORDS]
        many = [word for word in words if word not in REAL_WORDS]
        plans = (
            ("synthetic-only", many, SpeechPlan(mixed=110, native_rounds=2, seed=seed)),
            ("synthetic", few, SpeechPlan(mixed=25, seed=seed + 1)),
        )
        made = [
            build_pack(cache / name, phrase_clips(some, plan, rooms)) for name, some, plan in plans
            if some
        ]  # fmt: skip
        plan = SpeechPlan(near_misses=32, slow_share=0.3, seed=seed)
        near = build_pack(
            cache / "near", near_miss_clips(list(words), plan, load_pronunciations(root))
        )
        return cls(
            build_pack(cache / "negatives", negatives(root)),
            build_pack(cache / "words", positives(root, rooms, seed=seed)),
            [*made, near],
        )


def held_out_packs(root: Path, cache: Path, words: Sequence[str]) -> tuple[list[Pack], Pack]:
    """Return what is measured on, the words and the negatives: a minute's work, no training data.

    A word without real recordings is said by synthetic voices that training did not hear.
    """
    packs = [build_pack(cache / "held-words", positives(root, [], seed=1, held_out_alone=True))]
    spoken = [word for word in words if word not in REAL_WORDS]
    if spoken and any(map(held_out, voices())):
        plan = SpeechPlan(mixed=0, native_rounds=4)
        clips = phrase_clips(spoken, plan, [], held_out_alone=True)
        packs.append(build_pack(cache / "held-spoken", clips))
    return packs, build_pack(cache / "held-negatives", negatives(root, held_out_alone=True))


def load_pronunciations(root: Path) -> Pronunciations:
    """Return the dictionary and word counts of a data folder."""
    text = root / "text"
    pronunciations = Pronunciations(
        text / "cmudict" / "cmudict.dict",
        [text / "lm" / "tatoeba.en.txt", text / "lm" / "commands.en.txt"],
    )
    pronunciations.add("snowboy", "snow boy")
    return pronunciations
