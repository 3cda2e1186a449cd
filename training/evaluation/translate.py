"""BLEU and chrF of a translator bundle: `python -m training.evaluate translate --data ROOT`.

Scores are sacreBLEU's with bootstrap intervals of 95 % (Koehn 2004), through the shipped bundle as
the daemon runs it. Sets: Tatoeba and commands that training never saw, Multi30k, and Home
Assistant's own sentence pairs where both sides name the same things.
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import sacrebleu
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from edgeasr.bundle import MODELS_FOLDER, Bundle
from edgeasr.figures import figures, lost_figures
from edgeasr.translator import Translator
from training.translator_commands import command_pairs
from training.translator_corpus import commands_of
from training.translator_data import Pair, read_tatoeba, split_of
from training.translator_forms import plain_form, spoken_form
from training.translator_intents import checked_intents
from training.translator_plans import plan_pairs

__all__ = ["TestSet", "main", "score", "test_sets"]

_BOOTSTRAP = 500
_WITH_NUMBERS = 150
_APERTIUM = {"en-es": "eng-spa", "es-en": "spa-eng"}
_DENIALS = {
    "de": r"\b(nicht|nie|kein\w*)\b", "es": r"\b[Nn]o\b", "fr": r"\b(pas|jamais)\b",
}  # fmt: skip
Translate = Callable[[list[str]], list[str]]


@dataclass(frozen=True)
class TestSet:
    """Sentences with their references."""

    name: str
    sources: list[str]
    references: list[list[str]]
    """Per sentence, one or more"""
    loose: bool = False
    """Whether case and final marks count for nothing (the references have none)"""


def test_sets(root: Path, source: str, target: str, limit: int) -> Iterator[TestSet]:
    """Yield every set there is for the direction, as published and as recognised."""
    other = target if source == "en" else source
    held_out = [pair for pair in read_tatoeba(root, other) if split_of(pair.english) == "test"]
    sets = {
        "Tatoeba test": held_out,
        "commands, held-out templates": commands_of(f"{source}-{target}", "test", 1000),
        "plans, held-out places": plan_pairs(other, "test", 300),
    }
    for year in ("2016", "2017"):
        sets[f"Multi30k {year}"] = list(_multi30k(root, other, year))
    sets["Home Assistant pairs"] = list(checked_intents(root, other))
    for name, pairs in sets.items():
        if not pairs:
            continue
        grouped = _grouped(pairs, source, limit)
        loose = name.startswith("Home")
        yield TestSet(f"{name}, as published", list(grouped), list(grouped.values()), loose)
        spoken = [plain_form(text, source) for text in grouped]
        form = "as recognised" if source == "en" else "without capitals and marks"
        yield TestSet(f"{name}, {form}", spoken, list(grouped.values()), loose)


def _grouped(pairs: Sequence[Pair], source: str, limit: int) -> dict[str, list[str]]:
    """Return references by source sentence, at most `limit` sentences of a fixed shuffle."""
    groups: dict[str, list[str]] = defaultdict(list)
    for pair in pairs:
        sides = (pair.english, pair.other) if source == "en" else (pair.other, pair.english)
        groups[sides[0]].append(sides[1])
    names = list(groups)
    random.Random(1).shuffle(names)
    return {name: groups[name] for name in names[:limit]}


def _multi30k(root: Path, language: str, year: str) -> Iterator[Pair]:
    folder = root / "text" / "multi30k-evaluation-only"
    paths = [folder / f"test_{year}_flickr.{name}" for name in ("en", language)]
    if all(path.is_file() for path in paths):
        lines = [path.read_text(encoding="utf-8").splitlines() for path in paths]
        for english, other in zip(*lines, strict=True):
            yield Pair(english, other.replace("’", "'"), "multi30k")


def _comparable(text: str, *, loose: bool) -> str:
    return re.sub(r"[\s.!?¿¡]+$|^[¿¡]+", "", text.lower()) if loose else text


def score(metric: BLEU | CHRF, found: list[str], references: list[list[str]]) -> str:
    """Return "score [low, high]" with one or several references per sentence."""
    most = max(len(group) for group in references)
    if isinstance(metric, CHRF):  # takes no missing references
        streams = [[g[min(i, len(g) - 1)] for g in references] for i in range(most)]
    else:
        streams = [[g[i] if i < len(g) else "" for g in references] for i in range(most)]
    result = metric.corpus_score(found, streams, n_bootstrap=_BOOTSTRAP)
    return f"{result.score:.1f} [{result._mean - result._ci:.1f}, {result._mean + result._ci:.1f}]"  # noqa: SLF001 - no public name


def _measure(translate: Translate, test: TestSet) -> dict[str, str]:
    before = os.times()
    found = translate(test.sources)
    spent = sum(now - then for now, then in zip(os.times()[:4], before[:4], strict=True))
    found = [_comparable(text, loose=test.loose) for text in found]
    first = [[_comparable(group[0], loose=test.loose)] for group in test.references]
    every = [[_comparable(text, loose=test.loose) for text in group] for group in test.references]
    several = max(len(group) for group in every) > 1
    exact = np.mean([text in group for text, group in zip(found, every, strict=True)])
    return {
        "set": test.name,
        "sentences": str(len(found)),
        "BLEU": score(BLEU(), found, first),
        "chrF": score(CHRF(), found, first),
        "BLEU, all references": score(BLEU(), found, every) if several else "-",
        "exact": f"{100 * exact:.1f} %",
        "CPU ms": f"{1000 * spent / len(found):.1f}",
    }


def _apertium(pair: str) -> Translate | None:
    """Return Debian's rule-based translator (Forcada et al. 2011), None where it is not to be had.

    Raises subprocess.CalledProcessError.
    """
    mode = _APERTIUM.get(pair)
    if mode is None or shutil.which("apertium") is None:
        return None

    def translate(sources: list[str]) -> list[str]:
        command = ["apertium", "-f", "line", "-u", mode]
        lines = "".join(f"{text}\n" for text in sources)
        out = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
        return out.stdout.splitlines()

    return translate


def _by_template(rows: list[tuple[str, float]]) -> Iterator[str]:
    yield from (f"{score:5.1f}  {name}" for name, score in sorted(rows, key=lambda row: row[1]))


def _template_scores(translator: Translator, language: str) -> list[tuple[str, float]]:
    """Return the BLEU of each held-out template, as recognised."""
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in command_pairs(language, "test", 1000):
        groups[pair.template].append(pair)
    scores = []
    for name, pairs in groups.items():
        found = [translator.translate(spoken_form(pair.english)).text for pair in pairs]
        bleu = sacrebleu.corpus_bleu(found, [[pair.other for pair in pairs]]).score
        scores.append((f"{name} ({len(pairs)})", bleu))
    return scores


def _orders(language: str, wanted: Callable[[Pair], bool]) -> list[Pair]:
    """Return the wanted ones of the orders of held-out wordings."""
    pairs = (pair for split in ("test", "dev") for pair in command_pairs(language, split, 1000))
    return [pair for pair in pairs if wanted(pair)]


def _lost_negations(translator: Translator, language: str) -> str:
    """Return how many orders not to do something, of held-out wordings, become orders to do it."""
    denies = re.compile(_DENIALS[language])
    pairs = _orders(language, lambda pair: bool(denies.search(pair.other)))[:120]
    lost = sum(
        not denies.search(translator.translate(spoken_form(pair.english)).text) for pair in pairs
    )
    return f"negations lost: {lost} of {len(pairs)}"


def _lost_numbers(translator: Translator) -> str:
    """Return in how many orders with figures, of held-out wordings, one is lost, by form."""
    source, target = translator.source_language, translator.target_language
    language = target if source == "en" else source
    pairs = _orders(language, lambda pair: bool(figures(pair.english, "en")))[:_WITH_NUMBERS]
    texts = [pair.english if source == "en" else pair.other for pair in pairs]
    forms = {"as published": texts}
    if source == "en":
        forms["as recognised"] = [plain_form(text, source) for text in texts]
    counts = []
    for form, inputs in forms.items():
        found = [translator.translate(text).text for text in inputs]
        lost = sum(
            bool(lost_figures(text, other, source, target))
            for text, other in zip(texts, found, strict=True)
        )
        counts.append(f"{lost} of {len(texts)} {form}")
    return f"sentences that lose a number: {', '.join(counts)}"


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table of all sets (Markdown), and JSON lines into `--out`."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate translate")
    parser.add_argument("--pair", default="en-fr")
    parser.add_argument("--bundle", type=Path, help="default: the shipped one of the pair")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--beam", type=int, default=4)
    parser.add_argument("--limit", type=int, default=10_000, help="sentences per set")
    parser.add_argument("--peers", action="store_true", help="also Apertium, for en-es")
    parser.add_argument("--templates", action="store_true", help="also BLEU by held-out template")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(argv)
    source, target = options.pair.split("-")
    folder = options.bundle or MODELS_FOLDER / f"translator-{options.pair}"
    translator = Translator(Bundle(folder, kind="translator"))
    engines: dict[str, Translate | None] = {
        "": lambda texts: [translator.translate(text, beam=options.beam).text for text in texts],
        ", Apertium": _apertium(options.pair) if options.peers else None,
    }
    rows: list[dict[str, str]] = []
    for test in test_sets(options.data, source, target, options.limit):
        for name, engine in engines.items():
            if engine is None:
                continue
            row = _measure(engine, replace(test, name=test.name + name))
            if not rows:
                print("| " + " | ".join(row) + " |\n|" + "---|" * len(row))
            print("| " + " | ".join(row.values()) + " |", flush=True)
            rows.append(row)
    if options.templates and source == "en":
        print(*_by_template(_template_scores(translator, target)), sep="\n")
    if source == "en":
        print(_lost_negations(translator, target))
    print(_lost_numbers(translator))
    if options.out is not None:
        options.out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return 0
