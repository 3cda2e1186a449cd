"""What the commands on files share: serve each input, report those that can not be served."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from edgeasr.errors import ConfigError, EdgeasrError

__all__ = ["Commands", "add_audio_arguments", "print_json", "read_hints", "serve"]

Commands = Any  # argparse keeps the type of its sub-parsers to itself

MAX_HINTS = 10_000
MAX_HINTS_BYTES = 1_000_000
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


def read_hints(path: Path) -> list[str]:
    """Return the phrases of a file, one a line, `#` starts a comment. Raises ConfigError."""
    try:
        if path.stat().st_size > MAX_HINTS_BYTES:
            raise ConfigError(f"{path}: hints of more than {MAX_HINTS_BYTES} bytes; shorten it")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"can not read the hints {path}: {error}; give a UTF-8 text") from error
    phrases = [line.split("#")[0].strip() for line in lines]
    found = [phrase for phrase in phrases if phrase]
    if len(found) > MAX_HINTS:
        raise ConfigError(f"{path}: {len(found)} hints; at most {MAX_HINTS}")
    return found
