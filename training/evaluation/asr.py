"""Word error rates, cost and latency: `python -m training.evaluate asr --data ROOT`.

The bundle runs as in the daemon: blocks of 80 ms, partials, one final search. Intervals are of
95 %, utterances drawn anew (Bisani and Ney 2004). Times are processor seconds of one thread.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from edgeasr.bundle import MODELS_FOLDER
from training.evaluation.asr_engines import Edgeasr, Engine, Outcome, peers
from training.evaluation.asr_sets import SpeechSet, not_speech, speech_sets
from training.evaluation.reliability import plot_reliability
from training.scoring import character_errors, edit_distance, interval, is_usable, word_errors
from training.whisper_weights import weights_folder

__all__ = ["Row", "main", "measure"]


_MEMORY = """
import sys, numpy, onnxruntime, sentencepiece
from pathlib import Path
from edgeasr.bundle import Bundle
from edgeasr.recogniser import Recogniser
def rss_kb():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
before = rss_kb()
recogniser = Recogniser(Bundle(Path(sys.argv[1]), kind="recogniser"))
stream = recogniser.stream()
stream.push(numpy.random.default_rng(0).normal(-2, 1, (1000, 80)).astype(numpy.float32))
stream.finish()
print((rss_kb() - before) / 1024)
"""


@dataclass(frozen=True)
class Row:
    """One engine on one set; rates in percent."""

    engine: str
    name: str
    clips: int
    wer: float
    wer_low: float
    wer_high: float
    cer: float
    partial_wer: float | None
    cpu_s_per_hour: float
    final_ms: float
    """Median after the end of the audio"""
    final_ms_95: float
    step_ms: float | None
    """Median of a block with a new hypothesis"""


def measure(engine: Engine, speech: SpeechSet) -> tuple[Row, list[Outcome]]:
    """Run an engine over a set."""
    outcomes = [
        engine.transcribe(clip)
        for clip in tqdm(speech.clips, desc=f"{engine.name}: {speech.name}", mininterval=5)
    ]
    errors = word_errors(speech.texts, [outcome.text for outcome in outcomes])
    low, high = interval(errors)
    partials = [outcome.partial for outcome in outcomes if outcome.partial is not None]
    finals = 1000 * np.array([outcome.final_s for outcome in outcomes])
    steps = [1000 * step for outcome in outcomes for step in outcome.steps_s]
    return Row(
        engine.name,
        speech.name,
        len(speech.clips),
        100 * errors.rate,
        100 * low,
        100 * high,
        100 * character_errors(speech.texts, [outcome.text for outcome in outcomes]).rate,
        100 * word_errors(speech.texts, partials).rate if partials else None,
        sum(outcome.cpu_s for outcome in outcomes) / speech.hours,
        float(np.median(finals)),
        float(np.percentile(finals, 95)),
        float(np.median(steps)) if steps else None,
    ), outcomes


def main(argv: list[str]) -> int:
    """Measure, print tables in Markdown, and write `asr.json`."""
    options = _arguments(argv)
    ours = Edgeasr(options.bundle)
    memory_mb = _memory_mb(options.bundle)
    engines: list[Engine] = [ours]
    if options.peers:
        engines += peers(options.whisper or weights_folder())
    rows, said = [], []
    judged: list[tuple[float, bool]] = []
    _print_head()
    for speech in speech_sets(options.data, options.runs, options.synthetic, options.limit):
        for engine in engines:
            row, outcomes = measure(engine, speech)
            _print(row)
            rows.append(asdict(row))
            if engine is ours:
                judged += [
                    (o.confidence, is_usable(edit_distance(words, o.text.split()), len(words)))
                    for words, o in zip(map(str.split, speech.texts), outcomes, strict=True)
                    if o.text
                ]
            said += [
                {"engine": row.engine, "set": row.name, "reference": text, "said": o.text,
                 "partial": o.partial, "confidence": o.confidence}
                for text, o in zip(speech.texts, outcomes, strict=True)
            ]  # fmt: skip
    heard = [ours.transcribe(clip) for clip in not_speech(options.data, options.not_speech)]
    sure = [outcome.confidence for outcome in heard if outcome.text]
    above = sum(confidence >= options.least_confidence for confidence in sure)
    print(f"\nText on {len(heard)} clips without speech: {len(sure)}, of them {above} with a "
          f"confidence of {options.least_confidence} or more.")  # fmt: skip
    print(f"Memory of the recogniser after 10 s of audio: {memory_mb:.0f} MB.")
    options.out.mkdir(parents=True, exist_ok=True)
    content = {"rows": rows, "said": said, "not_speech": {"clips": len(heard), "text": len(sure),
               "above": above}, "memory_mb": memory_mb}  # fmt: skip
    (options.out / "asr.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
    judged += [(confidence, False) for confidence in sure]
    error = plot_reliability(judged, options.out / "reliability.png")
    print(f"Expected calibration error of the confidence: {error:.3f} ({len(judged)} transcripts).")
    return 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.evaluate asr", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of corpora")
    parser.add_argument("--bundle", type=Path, default=MODELS_FOLDER / "recogniser-en")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where decoded audio lies")
    parser.add_argument(
        "--synthetic", type=Path, default=Path("runs/synthetic-test"),
        help="made by `python -m training recogniser_synthetic --test`",
    )  # fmt: skip
    parser.add_argument("--limit", type=int, default=1000, help="clips a set")
    parser.add_argument("--not-speech", type=int, default=200, help="clips without speech")
    parser.add_argument("--least-confidence", type=float, default=0.5)
    parser.add_argument("--peers", action="store_true", help="also faster-whisper, PocketSphinx")
    parser.add_argument("--whisper", type=Path, help="folder of CTranslate2 weights")
    parser.add_argument("--out", type=Path, default=Path("runs/evaluation/asr"))
    return parser.parse_args(argv)


def _memory_mb(bundle: Path) -> float:
    """Return what loading and running adds to a process that has the libraries already."""
    said = subprocess.run([sys.executable, "-c", _MEMORY, str(bundle)], check=True,
                          capture_output=True, text=True)  # fmt: skip
    return float(said.stdout)


def _print_head() -> None:
    print("| set | engine | clips | WER % (95 %) | CER % | last partial WER % | CPU s/h | "
          "final ms (95th) | partial ms |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")


def _print(row: Row) -> None:
    partial = "-" if row.partial_wer is None else f"{row.partial_wer:.1f}"
    step = "-" if row.step_ms is None else f"{row.step_ms:.1f}"
    print(
        f"| {row.name} | {row.engine} | {row.clips} | {row.wer:.1f} ({row.wer_low:.1f}-"
        f"{row.wer_high:.1f}) | {row.cer:.1f} | {partial} | {row.cpu_s_per_hour:.0f} | "
        f"{row.final_ms:.0f} ({row.final_ms_95:.0f}) | {step} |",
        flush=True,
    )
