"""Looks at everything that a start needs: one line each, with the remedy for what is wrong."""

import importlib.util
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgeasr.capture import PipeSource
from edgeasr.config import AudioConfig, Config, MqttConfig
from edgeasr.config_file import mqtt_password
from edgeasr.errors import AudioError, ConfigError, EdgeasrError, PublishError
from edgeasr.microphone import Microphone
from edgeasr.mqtt_connection import Connection, Protocol
from edgeasr.mqtt_topics import Message, Topics
from edgeasr.parts import live_of, models_of
from edgeasr.sources import audio_chunks

__all__ = ["CheckLine", "check"]

_SOUND_S = 3.0


@dataclass(frozen=True, kw_only=True)
class CheckLine:
    """The verdict on one thing."""

    name: str
    """configuration, models, microphone or broker"""
    ok: bool
    message: str
    """What was found, or what is wrong and the remedy"""


def check(config: Config) -> list[CheckLine]:
    """Try everything without starting the daemon; takes a few seconds at most."""
    return [
        _line("configuration", lambda: _state(config)),
        _line("models", lambda: _models(config)),
        _line("microphone", lambda: _sound(config.audio)),
        _line("broker", lambda: _broker(config)),
    ]


def _line(name: str, look: Callable[[], str]) -> CheckLine:
    try:
        return CheckLine(name=name, ok=True, message=look())
    except (EdgeasrError, OSError) as error:
        return CheckLine(name=name, ok=False, message=str(error))


def _state(config: Config) -> str:
    folder = config.state.path()
    probe = folder / ".check"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise ConfigError(
            f"the state folder {folder} can not be written ({error.strerror}); "
            "set state.folder to one that can"
        ) from error
    return f"site {config.site.name}, state in {folder}"


def _models(config: Config) -> str:
    models = models_of(config)
    words = [name for name, word in live_of(config, models).words.items() if word.on]
    languages = ", ".join(sorted(models.translators)) or "none"
    return f"wake words: {', '.join(words) or 'none'}; translates to: {languages}"


def _sound(audio: AudioConfig) -> str:
    kind, _, place = audio.source.partition(":")
    if kind == "file":
        samples = sum(len(pcm) for pcm in audio_chunks(Path(place).expanduser()))
        return f"{place}, {samples / 16_000:.1f} s"
    if kind == "stdin":
        return "standard input, read at the start"
    if kind == "mqtt":
        return f"comes over MQTT ({audio.source}); not listened to now"
    if kind == "fifo":
        return _fifo(Path(place).expanduser(), audio)
    microphone = Microphone(audio)
    microphone.start()
    try:
        if microphone.condition == "lost":
            raise AudioError(microphone.detail)
        return _listen(microphone)
    finally:
        microphone.stop()


def _fifo(path: Path, audio: AudioConfig) -> str:
    if not path.exists():
        return f"the FIFO {path}, made at the start"  # by the service, so that it belongs to it
    pipe = PipeSource(path, stall_s=audio.stall_s)
    pipe.start()
    try:
        if pipe.condition == "ended":
            raise AudioError(pipe.detail)
    finally:
        pipe.stop()
    return f"the FIFO {path}"


def _listen(microphone: Microphone) -> str:
    until_s = time.monotonic() + _SOUND_S
    while time.monotonic() < until_s:
        chunk = microphone.read(0.1)
        if chunk is not None and len(chunk.pcm):
            level = max(abs(int(chunk.pcm.max())), abs(int(chunk.pcm.min())))
            return f"{microphone.detail}, peak {level / 32768:.3f}"
    raise AudioError(f"{microphone.detail}: gives no sound; is another program using it?")


def _broker(config: Config) -> str:
    if not config.mqtt.host:
        if importlib.util.find_spec("amqtt") is None:
            raise ConfigError(
                "mqtt.host is empty and the embedded broker is not installed: set mqtt.host, or "
                "pip install 'edgeasr[demo]'"
            )
        return "the embedded one, on loopback (mqtt.host is empty)"
    wanted = {"auto": [Protocol.MQTTv5, Protocol.MQTTv311], "5": [Protocol.MQTTv5]}
    refusal = ""
    for protocol in wanted.get(config.mqtt.protocol, [Protocol.MQTTv311]):
        connection = _connect(config.mqtt, config.site.name, protocol)
        if connection.open:
            connection.disconnect()
            name = "MQTT 5" if protocol == Protocol.MQTTv5 else "MQTT 3.1.1"
            return f"{config.mqtt.host}:{config.mqtt.port}, {name}"
        refusal = connection.refusal or "it does not answer"
        if connection.refusal and not connection.version_refused:
            break
    raise PublishError(
        f"{config.mqtt.host}:{config.mqtt.port} refuses us: {refusal}; look at mqtt.username, "
        "the password and the broker's ACL"
    )


def _connect(mqtt: MqttConfig, site: str, protocol: Protocol) -> Connection:
    reader, writer = socket.socketpair()
    with reader, writer:
        try:
            connection = Connection(
                mqtt, client_id=f"edgeasr-{site}-check", password=mqtt_password(mqtt),
                protocol=protocol, on_message=lambda _message: None,
                will=Message(topic=f"{Topics(mqtt.base, site).root}/check", body=b"", qos=0),
            )  # fmt: skip
        except OSError as error:
            raise PublishError(
                f"{mqtt.host}:{mqtt.port} can not be reached ({error}); is the broker running, "
                "and mqtt.host, mqtt.port and TLS right?"
            ) from error
        while not connection.open and not connection.closed:
            connection.step(reader, 0.2)
    return connection
