"""Starts a worker: loads its models, waits for the broker, serves until a signal."""

import logging
import time
from pathlib import Path

from edgeasr.config import Config
from edgeasr.config_file import mqtt_password
from edgeasr.loading import SHIPPED, load_recogniser, load_translator
from edgeasr.settings import Settings
from edgeasr.signals import signals_caught
from edgeasr.worker import Service, Worker

__all__ = ["run", "service_of"]

_LOG = logging.getLogger(__name__)
_RETRY_S = 2.0


def service_of(config: Config) -> Service:
    """Load the recogniser and translators. Raises BundleError."""
    own = [Path(config.models.folder).expanduser()] if config.models.folder else []
    folders = (*own, *SHIPPED)
    targets = dict.fromkeys((*config.translator.targets, *config.translator.also_load))
    return Service(
        recogniser=load_recogniser(config.recogniser.model, folders),
        translators={target: load_translator(target, folders=folders) for target in targets},
        settings=Settings(
            targets=config.translator.targets,
            beam=config.translator.beam,
            min_confidence=config.recogniser.min_confidence,
            hints=config.recogniser.hints,
        ),
        max_audio_bytes=config.mqtt.max_audio_bytes,
    )


def run(config: Config, *, name: str, group: str) -> int:
    """Serve until SIGTERM or SIGINT. Raises BundleError and ConfigError."""
    service, password = service_of(config), mqtt_password(config.mqtt)
    with signals_caught() as received:
        while not received:
            try:
                worker = Worker(service, config.mqtt, name=name, group=group, password=password)
            except OSError as error:
                _LOG.info("no broker at %s: %s", config.mqtt.host, error)
                time.sleep(_RETRY_S)
                continue
            worker.run(lambda: bool(received))
            break
    return 0
