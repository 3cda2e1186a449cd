"""What each stage of the translator trains on, and the sub-word models."""

import csv
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from training.translator_batches import train_pieces
from training.translator_commands import command_pairs
from training.translator_data import LANGUAGES, Pair, read_tatoeba, split_of, tidy_target
from training.translator_forms import spoken_form
from training.translator_french import french_command_pairs
from training.translator_plans import plan_pairs

__all__ = ["commands_of", "corpus", "prepare_pieces"]

_ASKS = re.compile(r"(what|how|is|are|am|do|does|did|will|which|when|where|who|why|has|have)\b")
SOURCE_PIECES, TARGET_PIECES = 6000, 5000
PLANS = 3000


def corpus(
    root: Path, direction: str, stage: str, *, commands: int = 60_000, general: int | None = None
) -> dict[str, list[Pair]]:
    """Return train, dev and dev_commands of a direction such as "en-fr".

    `general` is Tatoeba; `mixed` adds drawn commands, plans and, twice, the assistant pairs. A
    short run may keep only `general` of Tatoeba's training pairs.
    """
    source, target = direction.split("-")
    language = target if source == "en" else source
    parts: dict[str, list[Pair]] = {"train": [], "dev": [], "test": [], "dev_commands": []}
    for pair in read_tatoeba(root, language):
        parts[split_of(pair.english)].append(pair)
    if general is not None:
        parts["train"] = random.Random(5).sample(parts["train"], general)
    if stage == "mixed":
        parts["train"] += commands_of(direction, "train", commands)
        parts["train"] += plan_pairs(language, "train", PLANS)
        parts["train"] += 2 * [p for p in assistant_pairs(root, language) if _trainable(p)]
        parts["dev_commands"] = commands_of(direction, "dev", 600)
    return parts


def commands_of(direction: str, split: str, count: int) -> list[Pair]:
    """Return commands for a direction such as "en-fr", varied in what is translated."""
    source, target = direction.split("-")
    if source == "en":
        return command_pairs(target, split, count)
    if source != "fr":
        raise ValueError(f"there are no wordings of commands in {source}; only en and fr have them")
    return french_command_pairs(split, count)


def assistant_pairs(root: Path, language: str) -> Iterator[Pair]:
    """Yield MASSIVE's assistant utterances (there is no French in it).

    They are all lower case and without marks; case is put back as Tatoeba writes each word.
    """
    path = root / "text" / "massive" / f"en-{language}.train.jsonl"
    if not path.is_file():
        return
    usual = _usual_case(root, language)
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            words = tidy_target(row["tgt_utt"], language).split()
            target = " ".join(usual.get(word, word) for word in words)
            target = target[:1].upper() + target[1:]
            if not _ASKS.match(row["src_utt"]):
                target += "."
            else:
                target = f"{'¿' if language == 'es' else ''}{target}?"
            yield Pair(row["src_utt"], target, "massive")


def _usual_case(root: Path, language: str) -> dict[str, str]:
    """Return each word's most frequent form inside (not at the start of) Tatoeba's sentences."""
    counts: Counter[str] = Counter()
    for pair in read_tatoeba(root, language):
        if split_of(pair.english) == "train":
            counts.update(re.findall(r"\w+", pair.other)[1:])
    usual: dict[str, str] = {}
    for word, _ in counts.most_common():
        usual.setdefault(word.lower(), word)
    return usual


def _trainable(pair: Pair) -> bool:
    return split_of(pair.english) == "train"


def prepare_pieces(root: Path, folder: Path, languages: tuple[str, str]) -> Path:
    """Train the sub-word models that `folder` lacks; returns `folder`."""
    source, target = languages
    for language, side, size in (
        (source, "source", SOURCE_PIECES),
        (target, "target", TARGET_PIECES),
    ):
        path = folder / f"{language}.{side}.model"
        if not path.is_file():
            lines = list(_lines(root, language, spoken=side == "source"))
            train_pieces(lines, path, size=size, fold_case=side == "source")
    return folder


def _lines(root: Path, language: str, *, spoken: bool) -> Iterator[str]:
    """Yield each training text of a language once, home commands included."""
    others = ("fr", "de", "es") if language == "en" else (language,)
    seen: set[str] = set()
    for other in others:
        for pair in [*read_tatoeba(root, other), *assistant_pairs(root, other)]:
            if split_of(pair.english) == "train":
                text = pair.english if language == "en" else pair.other
                seen.add(text)
                if spoken and language == "en":
                    seen.add(spoken_form(text))
    yield from sorted(seen)
    if language == "en":
        path = root / "text" / "lm" / "commands.en.txt"
        yield from path.read_text(encoding="utf-8").splitlines()
    for path in sorted((root / "text" / "home-commands").glob(f"{LANGUAGES[language].lower()}.*")):
        with path.open(encoding="utf-8", newline="") as stream:
            yield from (row["phrase"] for row in csv.DictReader(stream) if "phrase" in row)
    path = root / "text" / "ha-intents" / f"tests.{language}.tsv"
    yield from (line.split("\t")[3] for line in path.read_text(encoding="utf-8").splitlines())
