"""SNIPS, MASSIVE and NLU-evaluation as labelled sentences, without test sentences in training."""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeasr.tagger import NONE, normal_word
from training.manifest import in_held_out_share

__all__ = ["Corpus", "Said", "Sentence", "load_corpus", "tables_of"]

WORD_LETTERS = 16
_DEV_SHARE = 0.08
_PLAIN_SENTENCES = 9_000
_ANNOTATION = re.compile(r"\[\s*([a-z_]+)\s*:\s*([^\]]*)\]")


@dataclass(frozen=True)
class Said:
    """What a teacher says of a sentence, within its scheme: logits, float [k] and [words, k]."""

    intents: Any
    labels: Any


@dataclass(frozen=True)
class Sentence:
    """Words with BIO labels (None: not annotated) and an intent (None: not annotated)."""

    words: tuple[str, ...]
    scheme: str
    intent: str | None
    labels: tuple[str, ...] | None
    said: Said | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Corpus:
    """What trains, what decides, and the named test sets."""

    train: list[Sentence]
    dev: dict[str, list[Sentence]]
    test: dict[str, list[Sentence]]


def load_corpus(root: Path) -> Corpus:
    """Read everything under `root`/text.

    MASSIVE's published test split is not part of the data: its valid split is the test set here
    and a share of its training sentences is dev. Sentences of any dev or test set are taken out of
    all training sets, since NLU-evaluation and MASSIVE have sentences in common.
    """
    text = root / "text"
    snips = {name: _snips(text / "snips" / name) for name in ("train", "dev", "test")}
    massive_train, massive_dev = _split(_massive(text / "massive", "train"), "massive")
    nlu, nlu_test = _nlu(text / "nlu-evaluation" / "nlu_eval_kfold1.tsv")
    nlu_train, nlu_dev = _split(nlu, "massive")  # the same salt: one decision for both
    plain_train, plain_dev = _split(_plain(text / "lm" / "tatoeba.en.txt"), "plain")
    dev = {"snips": snips["dev"], "massive": massive_dev, "nlu": nlu_dev, "plain": plain_dev}
    test = {"snips": snips["test"], "massive": _massive(text / "massive", "valid"), "nlu": nlu_test}
    held = {_key(one) for part in (*dev.values(), *test.values()) for one in part}
    pool = snips["train"] + massive_train + nlu_train + plain_train
    train = [one for one in pool if _key(one) not in held]
    dev["nlu"] = _without(dev["nlu"], test)
    dev["massive"] = _without(dev["massive"], test)
    return Corpus(train, dev, test)


def tables_of(train: list[Sentence]) -> dict[str, Any]:
    """Return the tables of the bundle: words seen twice, letters, schemes."""
    counts = Counter(re.sub(r"\d", "0", normal_word(word)) for one in train for word in one.words)
    letters = Counter(letter for word in counts for letter in word)
    schemes = []
    for name in ("snips", "home", NONE):
        own = [one for one in train if one.scheme == name]
        slots = {label[2:] for one in own for label in one.labels or () if label != "O"}
        intents = {one.intent for one in own if one.intent}
        schemes.append({"name": name, "intents": sorted(intents), "slots": sorted(slots)})
    return {
        "words": sorted(word for word, count in counts.items() if count > 1),
        "letters": "".join(sorted(letter for letter, count in letters.items() if count > 2)),
        "word_letters": WORD_LETTERS,
        "schemes": schemes,
    }


def _key(sentence: Sentence) -> str:
    return " ".join(sentence.words)


def _without(sentences: list[Sentence], test: dict[str, list[Sentence]]) -> list[Sentence]:
    held = {_key(one) for part in test.values() for one in part}
    return [one for one in sentences if _key(one) not in held]


def _split(sentences: list[Sentence], salt: str) -> tuple[list[Sentence], list[Sentence]]:
    train: list[Sentence] = []
    dev: list[Sentence] = []
    for one in sentences:
        held = in_held_out_share(_key(one), _DEV_SHARE, salt=salt)
        (dev if held else train).append(one)
    return train, dev


def _snips(folder: Path) -> list[Sentence]:
    files = [(folder / name).read_text("utf-8").splitlines() for name in
             ("seq.in", "seq.out", "label")]  # fmt: skip
    return [
        Sentence(tuple(words.split()), "snips", intent.strip(), tuple(labels.split()))
        for words, labels, intent in zip(*files, strict=True)
    ]


def _massive(folder: Path, split: str) -> list[Sentence]:
    found = {}
    for path in sorted(folder.glob(f"en-*.{split}.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            labels = tuple(_massive_label(label) for label in row["src_bio"].split())
            words = tuple(row["src_utt"].lower().split())
            if len(words) == len(labels) and "B-empty" not in labels:
                found[words] = Sentence(words, "home", None, labels)
    return list(found.values())


def _massive_label(label: str) -> str:
    return label[0].upper() + label[1:]


def _nlu(path: Path) -> tuple[list[Sentence], list[Sentence]]:
    parts: dict[str, list[Sentence]] = {"train": [], "test": []}
    for line in path.read_text("utf-8").splitlines():
        split, scenario, intent, annotated = line.split("\t")[:4]
        words: list[str] = []
        labels: list[str] = []
        position = 0
        for match in _ANNOTATION.finditer(annotated):
            outside = annotated[position : match.start()].lower().split()
            inside = match[2].lower().split()
            words += outside + inside
            labels += ["O"] * len(outside)
            labels += [f"{'I' if i else 'B'}-{match[1]}" for i in range(len(inside))]
            position = match.end()
        rest = annotated[position:].lower().split()
        sentence = (*words, *rest)
        if sentence:
            name = f"{scenario}_{intent}"
            tags = (*labels, *["O"] * len(rest))
            parts[split].append(Sentence(sentence, "home", name, tags))
    return parts["train"], parts["test"]


def _plain(path: Path) -> list[Sentence]:
    """Return ordinary sentences, which are no commands; questions and imperatives are rare."""
    found = []
    for line in path.read_text("utf-8").splitlines():
        words = tuple(re.sub(r"[^a-z' ]", " ", line.lower()).split())
        if 3 <= len(words) <= 14 and in_held_out_share(line, 0.08, salt="tagger-plain"):
            found.append(Sentence(words, NONE, NONE, None))
    return found[:: max(1, len(found) // _PLAIN_SENTENCES)]
