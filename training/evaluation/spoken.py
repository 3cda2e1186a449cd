"""Speech in, translation out: `python -m training.evaluate spoken --data ROOT --pair en-fr`.

Held-out sentences are spoken by synthetic voices, heard by the recogniser as the daemon runs it,
and what it wrote is translated; beside it the same sentences without a recogniser's errors.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sacrebleu.metrics.bleu import BLEU
from tqdm import tqdm

from edgeasr.bundle import MODELS_FOLDER, Bundle
from edgeasr.translator import Translator
from training.evaluation.asr_engines import Edgeasr
from training.evaluation.translate import TestSet, score, test_sets
from training.scoring import interval, word_errors
from training.synthesis import Voice, synthesise, voices
from training.synthesis_engines import SynthesisError

__all__ = ["main"]

_SETS = ("commands, held-out templates", "Tatoeba test")


def main(argv: Sequence[str] | None = None) -> int:
    """Print, by set, the recogniser's errors and BLEU after it and without it."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate spoken")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pair", default="en-fr")
    parser.add_argument("--bundle", type=Path, help="translator; default: the shipped one")
    parser.add_argument("--recogniser", type=Path, default=MODELS_FOLDER / "recogniser-en")
    parser.add_argument("--engines", default="flite,festival", help="synthesisers, by comma")
    parser.add_argument("--limit", type=int, default=200, help="sentences per set")
    options = parser.parse_args(argv)
    speakers = voices(options.engines.split(","))
    if not speakers:
        print(f"none of {options.engines} is installed", file=sys.stderr)
        return 2
    folder = options.bundle or MODELS_FOLDER / f"translator-{options.pair}"
    translator = Translator(Bundle(folder, kind="translator"))
    recogniser = Edgeasr(options.recogniser)
    source, target = options.pair.split("-")
    print("voices: " + ", ".join(voice.key for voice in speakers))
    print("| set | sentences | word errors | BLEU, spoken | BLEU, without errors |\n|" + "---|" * 5)
    for test in test_sets(options.data, source, target, options.limit):
        if test.name in {f"{name}, as recognised" for name in _SETS}:
            print(_row(test, translator, recogniser, speakers), flush=True)
    return 0


def _row(test: TestSet, translator: Translator, recogniser: Edgeasr, speakers: list[Voice]) -> str:
    said = _hear(test.sources, recogniser, speakers)
    heard = [number for number, text in enumerate(said) if text is not None]
    texts = [said[number] or "" for number in heard]
    sources = [test.sources[number] for number in heard]
    references = [test.references[number] for number in heard]
    errors = word_errors(sources, texts)
    low, high = interval(errors)
    spoken = [translator.translate(text).text if text else "" for text in texts]
    clean = [translator.translate(text).text for text in sources]
    first = [group[:1] for group in references]
    scores = [score(BLEU(), found, first) for found in (spoken, clean)]
    rate = f"{errors.rate:.1%} [{low:.1%}, {high:.1%}]"
    return "| " + " | ".join([test.name, str(len(heard)), rate, *scores]) + " |"


def _hear(sentences: Sequence[str], recogniser: Edgeasr, speakers: list[Voice]) -> list[str | None]:
    """Return what was recognised of each sentence, None where no voice could say it."""
    said: list[str | None] = []
    for number, text in enumerate(tqdm(sentences, mininterval=10)):
        try:
            clip = synthesise(speakers[number % len(speakers)], text)
        except SynthesisError:
            said.append(None)
            continue
        said.append(recogniser.transcribe(clip).text)
    return said
