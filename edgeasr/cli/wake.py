"""`edgeasr wake`: the trigger alone, for tests and detection curves."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from edgeasr.audio import SAMPLE_RATE
from edgeasr.cli.inputs import Commands, add_audio_arguments, print_json, serve
from edgeasr.errors import ConfigError
from edgeasr.features import FRAME_S, Frontend, LogMel
from edgeasr.loading import SHIPPED, load_recogniser, load_wake
from edgeasr.sources import audio_chunks
from edgeasr.wake import WakeDetector, WakeModel

__all__ = ["add_parser"]

_TAIL = np.zeros(SAMPLE_RATE, np.int16)  # lets a word at the very end be found


def add_parser(commands: Commands) -> None:
    """Add the command's arguments."""
    parser = commands.add_parser("wake", help="find wake words in recorded files")
    add_audio_arguments(parser)
    parser.add_argument("--word", help="this wake word alone")
    parser.add_argument("--threshold", type=float, help="score that wakes, 0 to 1")
    parser.add_argument(
        "--scores", action="store_true", help="add the highest smoothed score of each word"
    )
    parser.add_argument("--model", default="wake", help="name of the wake bundle, or its folder")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print a line per detection; each file starts from a reset state."""
    folder = Path(arguments.model).absolute()
    folders = (folder.parent,) if "/" in arguments.model else SHIPPED
    model = load_wake(folder.name, folders, recogniser=load_recogniser())
    detector = WakeDetector(model, _thresholds(model, arguments))
    frontend = Frontend(LogMel())

    def one(path: Path) -> None:
        frontend.reset()
        detector.reset()
        for pcm in audio_chunks(path):
            _detect(detector, frontend, pcm, path, as_json=arguments.json)
        _detect(detector, frontend, _TAIL, path, as_json=arguments.json)
        if arguments.scores:
            for word, score in detector.top_scores.items():
                _print({"file": str(path), "word": word, "score": round(score, 5),
                        "max_score": round(score, 5)}, as_json=arguments.json)  # fmt: skip

    return serve(arguments.audio, one)


def _thresholds(model: WakeModel, arguments: argparse.Namespace) -> dict[str, float]:
    if arguments.word is not None and arguments.word not in model.words:
        known = ", ".join(model.words)
        raise ConfigError(f"no wake word {arguments.word!r}; there are: {known}")
    if arguments.threshold is not None and not 0 < arguments.threshold <= 1:
        raise ConfigError(f"--threshold {arguments.threshold}: give more than 0, at most 1")
    words = model.words if arguments.word is None else (arguments.word,)
    return {word: arguments.threshold or model.thresholds[word] for word in words}


def _detect(
    detector: WakeDetector,
    frontend: Frontend,
    pcm: Any,  # noqa: ANN401 - int16 [n]
    path: Path,
    *,
    as_json: bool,
) -> None:
    for found in detector.push(frontend.push(pcm)):
        fields = {
            "file": str(path),
            "word": found.word,
            "at_s": round(found.at_frame * FRAME_S, 3),
            "word_end_s": round(found.end_frame * FRAME_S, 3),
            "score": round(found.score, 5),
        }
        _print(fields, as_json=as_json)


def _print(fields: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(fields)
    else:
        print("\t".join(str(value) for value in fields.values()), flush=True)
