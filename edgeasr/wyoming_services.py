"""Sets up the Wyoming servers that are asked for, and serves until told to stop."""

import asyncio
import signal
import threading
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edgeasr.config import Config
from edgeasr.live import live_settings
from edgeasr.loading import SHIPPED, load_recogniser, load_wake
from edgeasr.parts import source_of
from edgeasr.recogniser import Recogniser
from edgeasr.wake import WakeModel
from edgeasr.wyoming_asr import AsrHandler
from edgeasr.wyoming_info import asr_info, satellite_info, wake_info, wake_words
from edgeasr.wyoming_satellite import Satellite, SatelliteHandler
from edgeasr.wyoming_serving import Late, Make, announce, open_server
from edgeasr.wyoming_wake import Trigger, WakeHandler

__all__ = ["WyomingOptions", "serve"]


@dataclass(frozen=True, kw_only=True)
class WyomingOptions:
    """Which servers to run; None leaves one out."""

    wake_uri: str | None = None
    asr_uri: str | None = None
    satellite_uri: str | None = None
    zeroconf: str | None = None
    """Name to announce on the local network; must stay the same"""
    area: str | None = None
    """Home Assistant's area of the satellite"""


async def serve(config: Config, options: WyomingOptions) -> None:
    """Serve until SIGTERM or SIGINT. Raises ConfigError and BundleError before that."""
    services = _Services(config, options)
    wanted = {
        "wake": (options.wake_uri, services.wake),
        "asr": (options.asr_uri, services.asr),
        "satellite": (options.satellite_uri, services.satellite),
    }
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as stack:
        for kind, (uri, make) in wanted.items():
            if uri is None:
                continue
            server = await open_server(uri, make())
            stack.push_async_callback(server.stop)
            if options.zeroconf is not None:
                stack.push_async_callback(await announce(f"{options.zeroconf}-{kind}", uri))
        await stopping.wait()


class _Services:
    """What the handlers share: settings, and models that load when first wanted."""

    def __init__(self, config: Config, options: WyomingOptions) -> None:
        self._config = config
        self._options = options
        own = [Path(config.models.folder).expanduser()] if config.models.folder else []
        self._folders = (*own, *SHIPPED)
        words = wake_words(config.wake.model, self._folders)
        self._live = live_settings(config, words)
        self._words = {name: word.threshold for name, word in self._live.words.items() if word.on}
        self._lock = threading.Lock()
        self._reader: Recogniser | None = None
        self._recogniser = Late(self._load_recogniser)
        self._wake = Late(self._load_wake)

    def wake(self) -> Make:
        """Return what makes handlers of the wake server."""
        return partial(
            WakeHandler,
            info=wake_info(self._words),
            model=self._wake,
            words=self._words,
            refractory_s=self._config.wake.refractory_s,
        )

    def asr(self) -> Make:
        """Return what makes handlers of the recogniser."""
        return partial(
            AsrHandler,
            info=asr_info(self._config.recogniser.model),
            recogniser=self._recogniser,
            hints=self._live.hints,
            min_confidence=self._config.recogniser.min_confidence,
        )

    def satellite(self) -> Make:
        """Return what makes handlers of the satellite."""
        satellite = Satellite(source_of(self._config.audio), Late(self._trigger))
        name = self._options.zeroconf or self._config.site.name
        info = satellite_info(name, self._options.area, list(self._words))
        return partial(SatelliteHandler, info=info, satellite=satellite)

    def _load_recogniser(self) -> Recogniser:
        """Load it once, whichever thread wants it first."""
        with self._lock:
            if self._reader is None:
                self._reader = load_recogniser(self._config.recogniser.model, self._folders)
            return self._reader

    def _load_wake(self) -> WakeModel:
        """Load the trigger, with its second stage where the recogniser is served anyway."""
        reader = None if self._options.asr_uri is None else self._load_recogniser()
        return load_wake(self._config.wake.model, self._folders, recogniser=reader)

    def _trigger(self) -> Trigger:
        return Trigger(
            self._load_wake(), self._words, refractory_s=self._config.wake.refractory_s
        )
