"""`edgeasr worker`: recognises utterances for many sites."""

import argparse
import re
import socket

from edgeasr.cli.configured import add_config_argument, configured
from edgeasr.cli.inputs import Commands
from edgeasr.errors import ConfigError

__all__ = ["add_parser"]


def add_parser(commands: Commands) -> None:
    """Add the command's arguments."""
    parser = commands.add_parser("worker", help="recognise utterances of many sites, in a group")
    add_config_argument(parser)
    parser.add_argument(
        "--name", default=socket.gethostname(), help="of its own for each worker (default: host)"
    )
    parser.add_argument("--group", default="recognisers", help="share the load with this group")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    from edgeasr import worker_main  # noqa: PLC0415 - loads paho

    for option in ("name", "group"):
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", getattr(arguments, option)):
            raise ConfigError(f"--{option}: give 1 to 64 letters, digits, _, . or -")
    config, _ = configured(arguments.config)
    return worker_main.run(config, name=arguments.name, group=arguments.group)
