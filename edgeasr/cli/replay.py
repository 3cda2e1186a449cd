"""`edgeasr replay`: the whole pipeline from recorded files."""

import argparse
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edgeasr.assistant import Assistant
from edgeasr.audio import SAMPLE_RATE
from edgeasr.cli.inputs import Commands, add_audio_arguments, print_json, serve
from edgeasr.errors import AudioError
from edgeasr.events import Error, Event
from edgeasr.loading import load_models
from edgeasr.phrases import read_phrases
from edgeasr.settings import Settings
from edgeasr.sources import audio_chunks

__all__ = ["add_parser", "describe"]


def add_parser(commands: Commands) -> None:
    """Add the command's arguments."""
    parser = commands.add_parser("replay", help="run the whole pipeline on recorded files")
    add_audio_arguments(parser)
    parser.add_argument("--realtime", action="store_true", help="as fast as it was spoken")
    parser.add_argument("--to", default="fr", help="languages to translate to (default: fr)")
    parser.add_argument("--hints", type=Path, help="phrases to expect: one a line, or TOML lists")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Replay each file as a stream of its own."""
    targets = tuple(name for name in arguments.to.split(",") if name)
    hints = tuple(read_phrases(arguments.hints)) if arguments.hints else ()
    models = load_models(targets=targets)
    settings = Settings(words=models.all_words(), targets=targets, hints=hints)
    assistant = Assistant(models, settings)

    def one(path: Path) -> None:
        try:
            _replay(assistant, path, arguments)
        except AudioError as error:
            failure = Error(at_s=assistant.now_s, source="audio", message=str(error))
            _show([*assistant.finish(), failure], path, as_json=arguments.json)
            raise

    return serve(arguments.audio, one)


def describe(event: Event) -> str:
    """Return one line for people."""
    fields = event.to_fields()
    at_s, name = fields.pop("at_s"), fields.pop("event")
    for long_field in ("words", "display", "session", "source", "source_language"):
        fields.pop(long_field, None)
    return f"{at_s:8.2f}  {name:12} " + "  ".join(f"{key}={fields[key]}" for key in fields)


def _replay(assistant: Assistant, path: Path, arguments: argparse.Namespace) -> None:
    started, samples = time.monotonic(), 0
    for pcm in audio_chunks(path):
        step = SAMPLE_RATE // 10 if arguments.realtime else len(pcm)
        for start in range(0, len(pcm), step):
            part = pcm[start : start + step]
            samples += len(part)
            if arguments.realtime:
                time.sleep(max(0.0, started + samples / SAMPLE_RATE - time.monotonic()))
            _show(assistant.push(part), path, as_json=arguments.json)
    _show(assistant.finish(), path, as_json=arguments.json)


def _show(events: Iterable[Event], path: Path, *, as_json: bool) -> None:
    for event in events:
        if as_json:
            fields: dict[str, Any] = event.to_fields()
            print_json({"event": fields.pop("event"), "file": str(path), **fields})
        else:
            print(f"{path.name}: {describe(event)}", flush=True)
