"""What the Wyoming servers share: connections with limits, models loaded late, discovery.

Wyoming has neither encryption nor passwords, so the servers stay on loopback unless asked, take
nothing larger than a few seconds of sound at once, and drop clients that do not read.
"""

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.server import AsyncEventHandler, AsyncServer, AsyncTcpServer, AsyncUnixServer

from edgeasr.errors import ConfigError, EdgeasrError

__all__ = ["Handler", "Late", "Make", "Reaction", "announce", "open_server"]

_LOG = logging.getLogger(__name__)
MAX_PART_BYTES = 1_000_000
"""Largest data or payload of one event: 30 s of 16 kHz sound"""
MAX_CLIENTS = 32
WRITE_S = 5.0
"""A client that does not read for so long is dropped"""

T = TypeVar("T")
Reaction = Callable[[Event], Awaitable[bool]]
Make = Callable[[asyncio.StreamReader, asyncio.StreamWriter], AsyncEventHandler]


class Late(Generic[T]):
    """Something slow to load: loaded once, in a worker thread, when first wanted."""

    def __init__(self, load: Callable[[], T]) -> None:
        self._load = load
        self._task: asyncio.Task[T] | None = None

    def begin(self) -> asyncio.Task[T]:
        """Start loading, unless that is done or under way; a failure is tried again."""
        if self._task is None or (self._task.done() and self._task.exception() is not None):
            self._task = asyncio.create_task(asyncio.to_thread(self._load))
        return self._task

    async def get(self) -> T:
        """Return it when it is loaded. Raises what loading raises."""
        # One waiting client that leaves must not cancel the loading for the others.
        return await asyncio.shield(self.begin())


class _BoundedReader:
    """Refuses what is too large before it is read; wyoming takes any length it is told."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def readline(self) -> bytes:
        """Return a line; asyncio raises ValueError beyond 64 KiB."""
        return await self._reader.readline()

    async def readexactly(self, size: int) -> bytes:
        """Return `size` bytes. Raises ValueError for more than one event may have."""
        if size > MAX_PART_BYTES:
            raise ValueError(f"an event of {size} bytes; at most {MAX_PART_BYTES}")
        return await self._reader.readexactly(size)

    def feed_eof(self) -> None:
        """Let the reading end."""
        self._reader.feed_eof()


class Handler(AsyncEventHandler):
    """One client: answers describe and ping at once, leaves the rest to `reactions`."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, info: Info
    ) -> None:
        super().__init__(_BoundedReader(reader), writer)  # type: ignore[arg-type]
        self._info = info.event()

    @property
    def reactions(self) -> Mapping[str, Reaction]:
        """What to do by type of event; a reaction that returns False ends the connection."""
        return {}

    async def handle_event(self, event: Event) -> bool:
        """React; unknown events are ignored, as newer clients may send them.

        A request that can not be served is answered with `error` and ends the connection.
        """
        if Ping.is_type(event.type):
            await self.write_event(Pong(text=Ping.from_event(event).text).event())
            return True
        if Describe.is_type(event.type):
            await self.write_event(self._info)
            return True
        reaction = self.reactions.get(event.type)
        if reaction is None:
            return True
        try:
            return await reaction(event)
        except EdgeasrError as error:
            _LOG.warning("a Wyoming client gets an error: %s", error)
            await self.write_event(Error(text=str(error), code=type(error).__name__).event())
            return False

    async def write_event(self, event: Event) -> None:
        """Send an event. Raises ConnectionError when the client does not read."""
        try:
            async with asyncio.timeout(WRITE_S):
                await super().write_event(event)
        except TimeoutError as error:
            self.writer.transport.abort()
            raise ConnectionError(f"the client has not read for {WRITE_S:g} s") from error

    async def run(self) -> None:
        """Serve until the client leaves; whatever it sends, only its own connection ends."""
        try:
            await super().run()
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            _LOG.info("a Wyoming client left: %s", error)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            _LOG.warning("a Wyoming client sent what is no event: %r", error)
        except Exception:
            _LOG.exception("a Wyoming connection failed")


async def open_server(uri: str, make: Make) -> AsyncServer:
    """Listen at tcp://HOST:PORT or unix://PATH; each client gets a handler from `make`.

    Raises ConfigError when that is not possible.
    """
    server = _server(uri)
    clients: set[AsyncEventHandler] = set()

    def admit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> AsyncEventHandler:
        gone = {client for client in clients if client.writer.is_closing()}
        clients.difference_update(gone)
        if len(clients) >= MAX_CLIENTS:
            _LOG.warning("%s: more than %d clients; one is turned away", uri, MAX_CLIENTS)
            writer.transport.abort()
        handler = make(reader, writer)
        clients.add(handler)
        return handler

    try:
        await server.start(admit)
    except OSError as error:
        raise ConfigError(f"can not listen at {uri}: {error.strerror}; give another") from error
    _LOG.info("Wyoming at %s", uri)
    return server


def _server(uri: str) -> AsyncTcpServer | AsyncUnixServer:
    try:
        parts = urlsplit(uri)
        if parts.scheme == "unix" and parts.path:
            return AsyncUnixServer(parts.path)
        if parts.scheme == "tcp" and parts.hostname and parts.port:
            if not _is_loopback(parts.hostname):
                _LOG.warning(
                    "%s is open to the network; Wyoming has no password and no encryption", uri
                )
            return AsyncTcpServer(parts.hostname, parts.port)
    except ValueError as error:
        raise ConfigError(f"{uri}: {error}; give tcp://HOST:PORT or unix://PATH") from error
    raise ConfigError(f"{uri}: give tcp://HOST:PORT, e.g. tcp://127.0.0.1:10400, or unix://PATH")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def announce(name: str, uri: str) -> Callable[[], Awaitable[None]]:
    """Tell the local network of the server at `uri`; return what takes that back.

    Home Assistant knows a device by `name`: it must stay the same. Raises ConfigError.
    """
    from zeroconf import NonUniqueNameException  # noqa: PLC0415 - wanted only when asked for
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf  # noqa: PLC0415

    parts = urlsplit(uri)
    if parts.scheme != "tcp" or parts.hostname is None or _is_loopback(parts.hostname):
        raise ConfigError(
            f"--zeroconf: {uri} can not be reached from the network; give tcp://0.0.0.0:PORT"
        )
    zone = "_wyoming._tcp.local."
    service = AsyncServiceInfo(
        zone, f"{name}.{zone}", port=parts.port, addresses=[_address(parts.hostname)]
    )
    registry = AsyncZeroconf()
    try:
        await registry.async_register_service(service)
    except NonUniqueNameException as error:
        await registry.async_close()
        raise ConfigError(f"--zeroconf {name}: this name is taken; give another") from error
    _LOG.info("announced as %s", service.name)

    async def withdraw() -> None:
        await registry.async_unregister_service(service)
        await registry.async_close()

    return withdraw


def _address(host: str) -> bytes:
    """Return the IPv4 address to announce; for 0.0.0.0 the one that multicast leaves from."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("224.0.0.251", 5353))  # sends nothing
            except OSError as error:
                raise ConfigError(f"--zeroconf: no network ({error.strerror})") from error
            host = probe.getsockname()[0]
    try:
        return socket.inet_aton(socket.gethostbyname(host))
    except OSError as error:
        raise ConfigError(f"--zeroconf: {host} has no IPv4 address ({error})") from error
