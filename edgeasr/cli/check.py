"""`edgeasr check`: whether the daemon would run, one line for each thing it needs."""

import argparse
import sys

from edgeasr.cli.configured import add_config_argument, configured
from edgeasr.cli.inputs import Commands

__all__ = ["add_parser"]


def add_parser(commands: Commands) -> None:
    """Add the command's arguments."""
    parser = commands.add_parser("check", help="try configuration, models, microphone, broker")
    add_config_argument(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print a line per thing; return 1 when one of them is not as it must be."""
    from edgeasr.check import check  # noqa: PLC0415 - loads paho

    config, _ = configured(arguments.config)
    lines = check(config)
    green, red, plain = ("\033[32m", "\033[31m", "\033[0m") if sys.stdout.isatty() else ("",) * 3
    for line in lines:
        verdict = f"{green}ok{plain}    " if line.ok else f"{red}failed{plain}"
        print(f"{line.name:13} {verdict}  {line.message}")
    return 0 if all(line.ok for line in lines) else 1
