"""What the commands on files share: serve each input, report those that can not be served."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from edgeasr.errors import EdgeasrError, TextError

__all__ = ["Commands", "add_audio_arguments", "print_json", "serve", "serve_texts"]

Commands = Any  # argparse keeps the type of its sub-parsers to itself

_MAX_LINE = 200_000  # bytes
_SHOW_PROGRESS_FROM = 5


def add_audio_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a command that reads audio files."""
    parser.add_argument(
        "audio", nargs="+", type=Path, metavar="AUDIO", help="WAV, FLAC, OGG, Opus or MP3"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per line")


def serve(inputs: Iterable[Path], one: Callable[[Path], None]) -> int:
    """Call `one` for each input; return 1 if any failed, after naming it on stderr, else 0."""
    paths, failed = list(inputs), 0
    progress = sys.stderr.isatty() and len(paths) >= _SHOW_PROGRESS_FROM
    for number, path in enumerate(paths, 1):
        if progress:
            sys.stderr.write(f"\r{number}/{len(paths)} {path.name[:60]:60}\r")
        try:
            one(path)
        except EdgeasrError as error:
            failed += 1
            sys.stderr.write(f"edgeasr: {error}\n")
    if progress:
        sys.stderr.write("\n")
    return 1 if failed else 0


def print_json(fields: dict[str, Any]) -> None:
    """Write one JSON object and a newline, at once: readers follow the stream."""
    print(json.dumps(fields, ensure_ascii=False, allow_nan=False), flush=True)


def serve_texts(texts: Iterable[str], one: Callable[[str], None]) -> int:
    """Call `one` for each text, or each line of standard input; return 1 if any failed, else 0."""
    failed = False
    for text in texts or _lines():
        try:
            if "\ufffd" in text:
                raise TextError("the text is not UTF-8; convert it")
            one(text)
        except EdgeasrError as error:
            failed = True
            sys.stderr.write(f"edgeasr: {text[:60]!r}: {error}\n")
    return 1 if failed else 0


def _lines() -> Iterator[str]:
    while line := sys.stdin.buffer.readline(_MAX_LINE):
        yield line.decode("utf-8", errors="replace").rstrip("\r\n")
