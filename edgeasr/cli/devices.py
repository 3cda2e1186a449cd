"""`edgeasr devices`: the microphones there are."""

import argparse

from edgeasr.cli.inputs import Commands
from edgeasr.errors import AudioError

__all__ = ["add_parser"]


def add_parser(commands: Commands) -> None:
    """Add the command's arguments."""
    parser = commands.add_parser("devices", help="list the microphones")
    parser.set_defaults(run=run)


def run(_arguments: argparse.Namespace) -> int:
    """Print a line per input device, the default one marked. Raises AudioError when none is."""
    from edgeasr.microphone import list_devices  # noqa: PLC0415 - loads PortAudio

    found = list_devices()
    if not found:
        raise AudioError("no microphone found; plug one in, and see `arecord -l`")
    for device in found:
        mark = "*" if device.is_default else " "
        print(f"{mark} {device.name}  ({device.channels} channels, {device.rate} Hz)")
    return 0
