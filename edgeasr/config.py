"""What a user may configure: frozen sections with their defaults, units and limits.

`edgeasr.config_file` reads them from TOML; `deploy/edgeasr.toml` shows every key.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgeasr.config_bridges import ArbitrationConfig, HermesConfig, HomeAssistantConfig
from edgeasr.config_limits import matching as _matching
from edgeasr.config_limits import one_of as _one_of
from edgeasr.config_limits import within as _within
from edgeasr.endpoint import EndpointConfig

__all__ = [
    "ArbitrationConfig",
    "AudioConfig",
    "Config",
    "HermesConfig",
    "HomeAssistantConfig",
    "HttpConfig",
    "ModelsConfig",
    "MqttConfig",
    "OutboxConfig",
    "RecogniserConfig",
    "RecorderConfig",
    "SiteConfig",
    "StateConfig",
    "SystemConfig",
    "TranslatorConfig",
    "UnderstandConfig",
    "WakeConfig",
    "WordConfig",
]


@dataclass(frozen=True, kw_only=True)
class SiteConfig:
    """Which of several assistants in one house this is."""

    name: str = _matching(
        "default", r"[A-Za-z0-9_-]{1,64}", "give 1 to 64 letters, digits, _ or -, e.g. kitchen"
    )
    """Part of every topic"""


@dataclass(frozen=True, kw_only=True)
class AudioConfig:
    """Where the sound comes from."""

    source: str = _matching(
        "microphone",
        r"microphone|stdin|mqtt|(fifo|file):.+|mqtt:[^#+\0$][^#+\0]{0,255}",
        "give microphone, stdin, fifo:/path, file:/path, mqtt or mqtt:TOPIC",
    )
    """Pipes and messages carry raw PCM: 16 kHz, mono, int16 little endian"""
    device: str = ""
    """Name, or a part of it, as `edgeasr devices` shows it; empty takes the system's default"""
    latency_s: float = _within(0.1, 0.01, 2.0)
    """Seconds PortAudio is asked to buffer"""
    queue_s: float = _within(10.0, 1.0, 120.0)
    """Seconds of audio that may wait for a busy processor; beyond, the oldest is dropped"""
    stall_s: float = _within(2.0, 0.5, 60.0)
    """Seconds without a block after which the microphone counts as lost and is opened anew"""
    silence_s: float = _within(60.0, 1.0, 86_400.0)
    """Seconds of digital silence after which the microphone is reported as silent"""
    give_up_s: float = _within(300.0, 10.0, 86_400.0)
    """Seconds without a microphone after which systemd may restart the service"""


@dataclass(frozen=True, kw_only=True)
class ModelsConfig:
    """Where models are looked for, before those that came with edgeasr."""

    folder: str = ""
    """A folder of model folders; empty for none"""


@dataclass(frozen=True, kw_only=True)
class WordConfig:
    """How one wake word behaves; what is left out, the model or the translator section tells."""

    threshold: float | None = _within(None, 0.0, 1.0)  # type: ignore[arg-type]
    """Score that wakes, 0 to 1"""
    targets: tuple[str, ...] | None = None
    """Languages to translate to after this word"""
    refractory_s: float | None = _within(None, 0.0, 60.0)  # type: ignore[arg-type]
    """After this word, before it can wake again"""


@dataclass(frozen=True, kw_only=True)
class WakeConfig:
    """The trigger."""

    model: str = "wake"
    """A model folder's name"""
    refractory_s: float = _within(2.0, 0.0, 60.0)
    """Seconds after a detection before the same word can wake again"""
    words: Mapping[str, WordConfig] = field(default_factory=dict)
    """The words that are on; none named means all of the model"""


@dataclass(frozen=True, kw_only=True)
class RecogniserConfig:
    """From speech to words."""

    model: str = "recogniser-en"
    """A model folder's name"""
    min_confidence: float = _within(0.3, 0.0, 1.0)
    """Transcripts below are reported as `no_speech`, 0 to 1"""
    hints: tuple[str, ...] = ()
    """Phrases to expect: rooms, devices, names, titles"""
    hints_file: str = ""
    """A file of more: one phrase a line, or TOML lists; empty for none"""


@dataclass(frozen=True, kw_only=True)
class UnderstandConfig:
    """From words to an intent with slots."""

    on: bool = True
    """Publish `intent` or `intent_not_recognised` after each transcript"""
    site_file: str = ""
    """A TOML file of rooms and devices, which are also hints; empty for an ordinary home"""


@dataclass(frozen=True, kw_only=True)
class TranslatorConfig:
    """From words to other languages."""

    targets: tuple[str, ...] = ("fr",)
    """Languages to translate every transcript to; [] for none"""
    also_load: tuple[str, ...] = ()
    """More languages to have ready, for `command/set` and `command/translate`"""
    beam: int = _within(4, 1, 20)
    """Width of the beam search"""


@dataclass(frozen=True, kw_only=True)
class MqttConfig:
    """The broker."""

    host: str = ""
    """Empty starts an embedded broker (needs the extra `demo`), for trying things out"""
    port: int = _within(1883, 0, 65_535)
    """TCP port; 0 takes a free one for the embedded broker"""
    base: str = _matching(
        "edgeasr", r"[^#+\0/]+(/[^#+\0/]+)*", "give a topic without #, + and outer slashes"
    )
    """First part of every topic"""
    protocol: str = _one_of("auto", "auto", "5", "3.1.1")
    """auto tries MQTT 5, then 3.1.1"""
    username: str = ""
    """Empty for none"""
    password_file: str = ""
    """File with the password; under systemd the credential `mqtt-password` goes first"""
    tls: bool = False
    """Encrypt; also turned on by `ca_file`"""
    ca_file: str = ""
    """PEM file of the authority that signed the broker's certificate; empty takes the system's"""
    cert_file: str = ""
    """PEM file of the client's certificate"""
    key_file: str = ""
    """PEM file of the client's key"""
    keepalive_s: int = _within(30, 5, 3_600)
    """Seconds between signs of life"""
    retry_max_s: float = _within(60.0, 1.0, 3_600.0)
    """Longest wait between attempts to connect; the first is 1 s"""
    max_audio_bytes: int = _within(4_000_000, 1_000, 50_000_000)
    """Largest body of `command/transcribe`"""


@dataclass(frozen=True, kw_only=True)
class OutboxConfig:
    """Results that wait on disk for the broker."""

    messages: int = _within(1_000, 1, 1_000_000)
    """Most that wait; beyond, the oldest is dropped and counted"""
    expiry_s: float = _within(86_400.0, 1.0, 31_536_000.0)
    """Age in seconds at which a result is dropped instead of sent"""


@dataclass(frozen=True, kw_only=True)
class StateConfig:
    """What outlives a restart."""

    folder: str = ""
    """Empty takes $STATE_DIRECTORY (systemd) or ~/.local/state/edgeasr"""

    def path(self) -> Path:
        """Return the folder, which need not exist yet."""
        given = self.folder or os.environ.get("STATE_DIRECTORY", "").split(":")[0]
        return Path(given).expanduser() if given else Path.home() / ".local/state/edgeasr"


@dataclass(frozen=True, kw_only=True)
class RecorderConfig:
    """The flight recorder: sound around wakes, near misses and rejected utterances."""

    on: bool = False
    """Off unless asked: it stores what was said"""
    before_s: float = _within(5.0, 0.5, 30.0)
    """Seconds kept before the event"""
    max_mb: float = _within(100.0, 1.0, 100_000.0)
    """Megabytes; beyond, the oldest recording is deleted"""
    max_days: float = _within(14.0, 0.01, 3_650.0)
    """Days after which a recording is deleted"""


@dataclass(frozen=True, kw_only=True)
class HttpConfig:
    """The status page."""

    listen: str = _matching("", r"(.+:\d{1,5})?", "give HOST:PORT, e.g. 127.0.0.1:8090")
    """HOST:PORT; empty for none"""
    token_file: str = ""
    """File with the token that lets the page change settings; empty makes it read-only"""


@dataclass(frozen=True, kw_only=True)
class SystemConfig:
    """Reports about the daemon itself."""

    metrics_s: float = _within(30.0, 1.0, 86_400.0)
    """Seconds between two messages on `metrics`"""
    log_level: str = _one_of("info", "debug", "info", "warning", "error")


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything; each section is a table of the TOML file."""

    site: SiteConfig = field(default_factory=SiteConfig)
    audio: AudioConfig = field(default_factory=AudioConfig)
    models: ModelsConfig = field(default_factory=ModelsConfig)
    wake: WakeConfig = field(default_factory=WakeConfig)
    endpoint: EndpointConfig = field(default_factory=EndpointConfig)
    recogniser: RecogniserConfig = field(default_factory=RecogniserConfig)
    understand: UnderstandConfig = field(default_factory=UnderstandConfig)
    translator: TranslatorConfig = field(default_factory=TranslatorConfig)
    mqtt: MqttConfig = field(default_factory=MqttConfig)
    outbox: OutboxConfig = field(default_factory=OutboxConfig)
    arbitration: ArbitrationConfig = field(default_factory=ArbitrationConfig)
    state: StateConfig = field(default_factory=StateConfig)
    recorder: RecorderConfig = field(default_factory=RecorderConfig)
    http: HttpConfig = field(default_factory=HttpConfig)
    homeassistant: HomeAssistantConfig = field(default_factory=HomeAssistantConfig)
    hermes: HermesConfig = field(default_factory=HermesConfig)
    system: SystemConfig = field(default_factory=SystemConfig)
