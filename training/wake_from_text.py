"""A trigger from its text: `python -m training wake --phrase "hey marvin" [--data ROOT]`.

Synthesises the phrase (or several, each behind a --phrase of its own) in every voice that is
installed, and what sounds nearly like it; takes speech, music and noise from a data folder or any
folder of audio, else reads random words aloud; starts from the shipped network's lower layers; fits
the recogniser's second look; says what to expect from voices it did not hear.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from edgeasr.audio import Pcm
from edgeasr.bundle import Bundle
from edgeasr.errors import AudioError
from edgeasr.loading import SHIPPED
from edgeasr.sources import read_audio
from edgeasr.wake import WakeModel
from training.loop import LoopConfig, load_weights, train
from training.manifest import in_held_out_share
from training.models.wake import WakeConfig, WakeNet
from training.pronunciation import Pronunciations
from training.synthesis import Job, synthesise_many, voices
from training.wake_corpus import in_rooms, negatives
from training.wake_data import load_pronunciations
from training.wake_export import TRUNK_FILE, load_trunk, operating
from training.wake_looks import CANDIDATE, gather, save
from training.wake_measure import Curve, accept_rate_interval, miss_interval, threshold_at
from training.wake_packs import Clip, Pack, build_pack, word_span
from training.wake_phrase import PhraseError, check_phrase, slug
from training.wake_release import release
from training.wake_rooms import measured_rooms
from training.wake_second import EVIDENCE_FILE, fit, trigger_digest
from training.wake_speech import SpeechPlan, held_out_of, near_miss_clips, phrase_clips
from training.wake_task import Recipe, WakeTask

__all__ = ["main"]

_AUDIO = frozenset({".wav", ".flac", ".ogg", ".opus", ".mp3"})
_FESTIVAL_DICTIONARY = Path("/usr/share/festival/dicts/cmu/cmudict-0.4.out")
_HIDDEN = 128
_MOST_LOOKS = 10.0  # of the recogniser's, an hour without the word
_SPOKEN_LINES = 400  # of random words, when there is no recorded speech
_FAST = ("flite", "rhvoice", "hibari", "espeak")


def main(argv: list[str]) -> int:
    """Train, report, install."""
    options = _arguments(argv)
    torch.set_num_threads(options.threads)
    pronunciations = _dictionary(options)
    for entry in options.sounds_like:
        word, _, phrase = entry.partition("=")
        pronunciations.add(word, phrase)
    try:
        checked = [
            check_phrase(phrase, pronunciations, insist=options.insist) for phrase in options.phrase
        ]
    except PhraseError as error:
        print(error)
        return 2
    phrases = tuple(dict.fromkeys(checked))
    run = options.run or Path("runs") / slug(*phrases)
    cache = options.cache or run / "cache"
    quiet = _negatives(phrases, options, pronunciations, cache)
    packs = _speech(phrases, options, pronunciations, run)
    folder = options.models / slug(*phrases)
    curves = release(_trained(phrases, packs, quiet, options, run), packs, quiet, folder)
    of_both = _second_look(
        folder, packs, quiet, curves["clean"], run, synthetic=options.positives is None
    )
    _report(of_both, folder)
    return 0


def _trained(
    phrases: tuple[str, ...], packs: list[Pack], quiet: Pack, options: argparse.Namespace, run: Path
) -> WakeNet:
    """Return the network with its best weights."""
    recipe = Recipe(rows=options.rows, hidden=_HIDDEN, seed=options.seed)
    task = WakeTask(phrases, packs, quiet, recipe, run)
    trunk = options.start_from / TRUNK_FILE
    if trunk.is_file():
        load_trunk(task.model, trunk)
    config = LoopConfig(
        run=run, steps=options.steps, warmup_steps=100, clip_norm=5.0, final_rate=0.02,
        evaluate_every=-(-options.steps // 3), average_decay=0.995, bf16=True,
        seed=options.seed, threads=options.threads,
    )  # fmt: skip
    net = WakeNet(WakeConfig(phrases, hidden=_HIDDEN))
    net.load_state_dict(load_weights(train(task, config))["model"])
    return net


def _second_look(
    folder: Path, packs: list[Pack], quiet: Pack, alone: dict[str, Curve], run: Path,
    *, synthetic: bool,
) -> dict[str, dict[str, Curve]]:
    """Fit the recogniser's second look; return curves by condition and word of what ships."""
    candidate = {
        word: max(CANDIDATE, threshold_at(curve.accepts, curve.hours, _MOST_LOOKS))
        for word, curve in alone.items()
    }
    evidence = gather(WakeModel(Bundle(folder, kind="wake")), packs, quiet, candidate)
    save(evidence, run / "cache" / EVIDENCE_FILE, trigger=trigger_digest(folder))
    return fit(folder, evidence, synthetic=synthetic)


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="training wake --phrase", description=__doc__)
    parser.add_argument("--phrase", action="append", required=True)
    parser.add_argument("--insist", action="store_true", help="even if short or common")
    parser.add_argument("--data", type=Path, help="folder of corpora, laid out as the card says")
    parser.add_argument("--positives", type=Path, help="folder of recordings of the phrase")
    parser.add_argument("--negatives", type=Path, help="folder of other recordings")
    parser.add_argument("--share", type=float, default=1.0, help="of the sound in --data")
    parser.add_argument("--dictionary", type=Path, help="cmudict.dict; else of --data or festival")
    parser.add_argument("--sounds-like", action="append", default=[], metavar="WORD=KNOWN WORDS")
    parser.add_argument("--start-from", type=Path, default=SHIPPED[0] / "wake")
    parser.add_argument("--models", type=Path, default=SHIPPED[0], help="where the bundle goes")
    parser.add_argument("--run", type=Path, help="folder of this run; default runs/wake-<phrase>")
    parser.add_argument("--cache", type=Path, help="folder of negatives shared between phrases")
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--rows", type=int, default=64, help="of six seconds in a batch")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(argv)


def _dictionary(options: argparse.Namespace) -> Pronunciations:
    if options.dictionary is None and options.data is not None:
        return load_pronunciations(options.data)
    path = options.dictionary or _FESTIVAL_DICTIONARY
    if not path.is_file():
        raise SystemExit("no dictionary: install festival (festlex-cmu) or give --dictionary")
    return Pronunciations(path)


def _speech(
    phrases: tuple[str, ...], options: argparse.Namespace, pronunciations: Pronunciations, run: Path
) -> list[Pack]:
    """Return the packs of the phrase and of its near misses."""
    rooms = measured_rooms(options.data / "rir") if options.data else []
    plan = SpeechPlan(
        mixed=60, native_rounds=2, near_misses=80, held_out=held_out_of(voices()),
        workers=options.threads, seed=options.seed,
    )  # fmt: skip
    packs = [
        build_pack(run / "cache" / "phrase", phrase_clips(list(phrases), plan, rooms)),
        build_pack(run / "cache" / "near", near_miss_clips(list(phrases), plan, pronunciations)),
    ]
    if options.positives is not None:
        rng = np.random.default_rng(options.seed)
        clips = (
            made
            for clip, pcm in _recorded(options.positives, words=phrases)
            for made in in_rooms(clip, pcm, rooms, rng)
        )
        packs.append(build_pack(run / "cache" / "recorded", clips))
    return packs


def _negatives(
    phrases: tuple[str, ...],
    options: argparse.Namespace,
    pronunciations: Pronunciations,
    cache: Path,
) -> Pack:
    """Return speech, music and noise without the phrase."""

    def clips() -> Iterator[tuple[Clip, Pcm]]:
        if options.data is not None:
            yield from negatives(options.data, share=options.share)
        if options.negatives is not None:
            yield from _recorded(options.negatives, words=())
        if options.data is None and options.negatives is None:
            print("no recorded speech given: random words are read aloud instead; expect more "
                  "false accepts than with --data or --negatives")  # fmt: skip
            yield from _spoken(phrases, pronunciations, options)

    return build_pack(cache / "negatives", clips())


def _recorded(folder: Path, *, words: tuple[str, ...]) -> Iterator[tuple[Clip, Pcm]]:
    """Yield the audio files below `folder`; a fifth of the sub-folders is held out."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in _AUDIO:
            continue
        try:
            pcm = read_audio(path)
        except AudioError as error:
            print(f"left out: {error}")
            continue
        start, end = word_span(pcm) if words else (0, 0)
        dev = in_held_out_share(str(path.parent.relative_to(folder)), 0.2)
        clip = Clip(
            key=path.name,
            kind="word" if words else "speech",
            words=words,
            speaker=path.parent.name,
            dev=dev,
            word_start=start,
            word_end=end,
        )
        yield clip, pcm


def _spoken(
    phrases: tuple[str, ...], pronunciations: Pronunciations, options: argparse.Namespace
) -> Iterator[tuple[Clip, Pcm]]:
    rng = np.random.default_rng(options.seed)
    vocabulary = [word for word in pronunciations.words() if word not in " ".join(phrases).split()]
    speakers, kept = voices(_FAST), held_out_of(voices())
    jobs = [
        Job(speakers[rng.integers(len(speakers))], " ".join(rng.choice(vocabulary, size=8)),
            rate=float(rng.uniform(0.8, 1.25)))
        for _ in range(_SPOKEN_LINES)
    ]  # fmt: skip
    for job, pcm in synthesise_many(jobs, workers=options.threads):
        clip = Clip(
            key=job.text,
            kind="speech",
            speaker=job.voice.key,
            dev=kept(job.voice),
            synthetic=True,
        )
        yield clip, pcm


def _report(curves: dict[str, dict[str, Curve]], folder: Path) -> None:
    """Say what to expect at the default thresholds, with intervals."""
    print(f"\nInstalled as {folder.name}: set `model = \"{folder.name}\"` under [wake]. "
          "On synthetic voices that training did not hear:")  # fmt: skip
    for phrase, conditions in curves.items():
        clean = conditions["clean"]
        threshold = operating(clean, 0, heard=conditions.values())["threshold"]
        for condition, curve in conditions.items():
            missed, count = int((curve.hits < threshold).sum()), len(curve.hits)
            low, high = miss_interval(missed, count)
            print(f"  {phrase}, {condition}: missed {missed} of {count} "
                  f"(95 %: {100 * low:.1f}-{100 * high:.1f} %)")  # fmt: skip
        accepted = int((clean.accepts >= threshold).sum())
        low, high = accept_rate_interval(accepted, clean.hours)
        print(f"  {phrase}: {accepted} false accepts in {clean.hours:.1f} h: held-out negatives at "
              f"three speeds (95 %: {low:.2f}-{high:.2f} per hour)")  # fmt: skip
    print("People differ from synthetic voices: expect more misses; record a few clips and train "
          "again with --positives to know.")  # fmt: skip
