"""`edgeasr transcribe`: the recogniser alone, a whole file as one utterance."""

import argparse
import time
from pathlib import Path
from typing import Any

from edgeasr.audio import SAMPLE_RATE
from edgeasr.cli.inputs import Commands, add_audio_arguments, print_json, serve
from edgeasr.features import Frontend, LogMel
from edgeasr.loading import load_recogniser
from edgeasr.numbers_en import display
from edgeasr.phrases import read_phrases
from edgeasr.recogniser import Hints, Recogniser
from edgeasr.sources import audio_chunks

__all__ = ["add_parser"]


def add_parser(commands: Commands) -> None:
    """Add the command's arguments."""
    parser = commands.add_parser("transcribe", help="recognise recorded files")
    add_audio_arguments(parser)
    parser.add_argument("--hints", type=Path, help="phrases to expect: one a line, or TOML lists")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the words of each file."""
    hints = Hints(read_phrases(arguments.hints)) if arguments.hints else None
    recogniser = load_recogniser()

    def one(path: Path) -> None:
        fields = {"file": str(path), **_transcribe(recogniser, path, hints)}
        if arguments.json:
            print_json(fields)
        else:
            print(f"{path}\t{fields['text']}", flush=True)

    return serve(arguments.audio, one)


def _transcribe(recogniser: Recogniser, path: Path, hints: Hints | None) -> dict[str, Any]:
    started, samples = time.process_time(), 0
    frontend, stream = Frontend(LogMel()), recogniser.stream(hints=hints)
    for pcm in audio_chunks(path):
        samples += len(pcm)
        stream.push(frontend.push(pcm))
    result = stream.finish()
    words = [
        {"word": word.word, "start_s": round(word.start_s, 3), "end_s": round(word.end_s, 3),
         "confidence": round(word.confidence, 3)}
        for word in result.words
    ]  # fmt: skip
    return {
        "text": result.text,
        "display": display(result.text),
        "confidence": round(result.confidence, 3),
        "words": words,
        "audio_s": round(samples / SAMPLE_RATE, 3),
        "cpu_s": round(time.process_time() - started, 3),
    }
