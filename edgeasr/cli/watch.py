"""`edgeasr watch`: follow an assistant's MQTT messages from a terminal."""

import argparse
import os
import sys
from typing import Any

from edgeasr.cli.configured import add_config_argument, configured
from edgeasr.cli.inputs import Commands
from edgeasr.config_file import mqtt_password
from edgeasr.errors import ConfigError

__all__ = ["add_parser"]

_LONGEST = 400  # characters shown of a message


def add_parser(commands: Commands) -> None:
    """Add the command's arguments."""
    parser = commands.add_parser("watch", help="show the MQTT messages of all sites as they come")
    add_config_argument(parser)
    parser.add_argument("--host", help="broker (default: the configured one)")
    parser.add_argument("--port", type=int, help="its port")
    parser.add_argument("--raw", action="store_true", help="unshortened, one per line")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print topic and payload until interrupted."""
    from paho.mqtt import client as paho  # noqa: PLC0415 - the other commands do not need it
    from paho.mqtt.enums import CallbackAPIVersion  # noqa: PLC0415

    from edgeasr.mqtt_connection import secure  # noqa: PLC0415

    config, _ = configured(arguments.config)
    host = arguments.host or config.mqtt.host
    if not host:
        raise ConfigError("no broker: give --host, or mqtt.host in the configuration")
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"edgeasr-watch-{os.getpid()}")
    secure(client, config.mqtt, mqtt_password(config.mqtt))
    refusals: list[str] = []

    def on_connect(_client: Any, _data: Any, _flags: Any, reason: Any, _: Any) -> None:  # noqa: ANN401
        if reason.is_failure:
            refusals.append(str(reason))
            client.disconnect()
        client.subscribe(f"{config.mqtt.base}/#", qos=1)

    def on_subscribe(*_: Any) -> None:  # noqa: ANN401
        sys.stderr.write(f"following {host}\n")

    def on_message(_client: Any, _userdata: Any, message: Any) -> None:  # noqa: ANN401
        text = message.payload.decode("utf-8", errors="replace")
        shown = text if arguments.raw or len(text) <= _LONGEST else text[:_LONGEST] + " ..."
        print(f"{message.topic} {shown}", flush=True)

    client.on_connect, client.on_message = on_connect, on_message
    client.on_subscribe = on_subscribe
    try:
        client.connect(host, arguments.port or config.mqtt.port)
    except OSError as error:
        raise ConfigError(f"no broker answers at {host}: {error}; start one") from error
    client.loop_forever()
    if refusals:
        raise ConfigError(
            f"the broker at {host} refuses: {refusals[0]}; "
            "set mqtt.username and mqtt.password_file in the file for --config"
        )
    return 0
