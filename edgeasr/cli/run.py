"""`edgeasr run`: the daemon."""

import argparse
from dataclasses import replace

from edgeasr.cli.configured import add_config_argument, configured
from edgeasr.cli.inputs import Commands

__all__ = ["add_parser"]


def add_parser(commands: Commands) -> None:
    """Add the command's arguments."""
    parser = commands.add_parser("run", help="listen and publish until stopped")
    add_config_argument(parser)
    parser.add_argument(
        "--http", metavar="HOST:PORT", help="show a status page there, e.g. 127.0.0.1:8090"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT, or until the sound ends."""
    from edgeasr import runtime  # noqa: PLC0415 - loads paho, which the other commands do not need

    config, path = configured(arguments.config)
    if arguments.http:
        config = replace(config, http=replace(config.http, listen=arguments.http))
    return runtime.run(config, path=path)
