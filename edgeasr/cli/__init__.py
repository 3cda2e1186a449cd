"""The command line: parse, dispatch, report. One module per command."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module

from edgeasr import __version__
from edgeasr.errors import EdgeasrError

__all__ = ["main"]

_COMMANDS = (
    "run", "check", "devices", "replay", "wake", "transcribe", "translate", "understand", "bench",
    "demo", "watch", "wyoming", "worker",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status: 0 served all, 1 some input failed, 2 usage."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parsed = _parser(arguments).parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if parsed.verbose else logging.INFO,
        format="%(levelname)s %(name)s: %(message)s",
    )
    try:
        status: int = parsed.run(parsed)
    except EdgeasrError as error:
        sys.stderr.write(f"edgeasr: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader has left (`| head`); writing again at exit would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    return status


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="edgeasr", description="Offline voice assistant: wake word, recogniser, translator."
    )
    parser.add_argument("--version", action="version", version=f"edgeasr {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="log details on stderr")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    first = next((word for word in arguments if not word.startswith("-")), "")
    for name in (first,) if first in _COMMANDS else _COMMANDS:  # others only cost time
        import_module(f"edgeasr.cli.{name}").add_parser(commands)
    return parser
