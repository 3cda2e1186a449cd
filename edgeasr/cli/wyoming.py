"""`edgeasr wyoming`: wake word, recogniser and satellite for Home Assistant, over Wyoming."""

import argparse
import asyncio
import re
from pathlib import Path

from edgeasr.cli.inputs import Commands
from edgeasr.config import Config
from edgeasr.config_file import load_config
from edgeasr.errors import ConfigError

__all__ = ["add_parser"]

WAKE_URI = "tcp://127.0.0.1:10400"
ASR_URI = "tcp://127.0.0.1:10300"


def add_parser(commands: Commands) -> None:
    """Add the command's arguments."""
    parser = commands.add_parser(
        "wyoming",
        help="serve wake word, recogniser and satellite over the Wyoming protocol",
        description=f"Without any URI, the wake word is served at {WAKE_URI} and the recogniser "
        f"at {ASR_URI}. Wyoming has no password: other hosts get in only where you say so.",
    )
    parser.add_argument("--wake-uri", metavar="URI", help=f"serve the wake word, e.g. {WAKE_URI}")
    parser.add_argument("--asr-uri", metavar="URI", help=f"serve the recogniser, e.g. {ASR_URI}")
    parser.add_argument(
        "--satellite-uri", metavar="URI", help="serve a satellite, e.g. tcp://0.0.0.0:10700"
    )
    parser.add_argument(
        "--zeroconf", metavar="NAME", help="announce to Home Assistant under this lasting name"
    )
    parser.add_argument("--area", help="the satellite's area in Home Assistant")
    parser.add_argument("--config", type=Path, help="configuration: models, words, microphone")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    try:
        from edgeasr.wyoming_services import WyomingOptions, serve  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in ("wyoming", "zeroconf"):
            raise
        raise ConfigError(f"{error.name} is missing: pip install 'edgeasr[wyoming]'") from error
    name = arguments.zeroconf
    if name is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name):
        raise ConfigError(f"--zeroconf {name!r}: give 1 to 40 letters, digits, _ or -")
    uris = (arguments.wake_uri, arguments.asr_uri, arguments.satellite_uri)
    default = not any(uris)
    options = WyomingOptions(
        wake_uri=WAKE_URI if default else arguments.wake_uri,
        asr_uri=ASR_URI if default else arguments.asr_uri,
        satellite_uri=arguments.satellite_uri,
        zeroconf=name,
        area=arguments.area,
    )
    config = load_config(arguments.config) if arguments.config else Config()
    asyncio.run(serve(config, options))
    return 0
