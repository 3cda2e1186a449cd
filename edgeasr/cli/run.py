"""`edgeasr run`: the daemon."""

import argparse

from edgeasr.cli.configured import add_config_argument, configured
from edgeasr.cli.inputs import Commands

__all__ = ["add_parser"]


def add_parser(commands: Commands) -> None:
    """Add the command's arguments."""
    parser = commands.add_parser("run", help="listen and publish until stopped")
    add_config_argument(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT, or until the sound ends."""
    from edgeasr import runtime  # noqa: PLC0415 - loads paho, which the other commands do not need

    config, path = configured(arguments.config)
    return runtime.run(config, path=path)
