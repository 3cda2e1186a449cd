"""The status page's server: one thread, one loop, read-only unless there is a token.

`run` is the body of the thread that `edgeasr.runtime` starts. What is shown comes through a
`Board`; the pipeline never waits for a browser, and a browser that does not keep up is dropped.
"""

import asyncio
import hmac
import json
import logging
import socket
from collections.abc import Callable, Mapping
from http import HTTPStatus
from importlib.resources import files

from edgeasr.errors import CommandError, ConfigError
from edgeasr.http_board import Board, View
from edgeasr.http_metrics import metrics_text
from edgeasr.http_protocol import (
    MAX_HEAD_BYTES,
    Answer,
    HttpError,
    Request,
    head_of,
    is_own_host,
    read_request,
    send,
)

__all__ = ["PageServer"]

_LOG = logging.getLogger(__name__)
_TICK_S = 0.1
_MAX_CLIENTS = 32
_MAX_WATCHERS = 8
_WAITING = 100  # messages: 10 s behind, then a watcher is dropped
_BUFFER_BYTES = 64_000

_PAGE = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    **{
        f"/{name}.js": (f"{name}.js", "text/javascript; charset=utf-8")
        for name in ("make", "page", "settings", "sound")
    },
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}

Command = Callable[[str, bytes], None]


class PageServer:
    """Serves the page, its live stream, the metrics and, with a token, commands."""

    def __init__(
        self, listen: str, board: Board, *, token: str | None = None, command: Command | None = None
    ) -> None:
        """Bind to HOST:PORT. Raises ConfigError when that is not possible.

        `command` takes a command's name and JSON from any thread and raises CommandError.
        """
        host, _, port = listen.rpartition(":")
        self._host = host.strip("[]")
        if not self._host:  # would be open to the whole network
            raise ConfigError(f"http.listen = {listen!r}: give HOST:PORT, as 127.0.0.1:8090")
        try:
            self._socket = socket.create_server(
                (self._host, int(port)),
                family=socket.AF_INET6 if ":" in self._host else socket.AF_INET,
            )
        except (OSError, OverflowError, ValueError) as error:
            raise ConfigError(f"http.listen = {listen!r}: {error}; give another") from error
        self.port: int = self._socket.getsockname()[1]
        """The port, also when 0 was asked for"""
        self._board = board
        self._token = token
        self._command = command
        self._view = View()
        self._watchers: dict[asyncio.Queue[bytes], asyncio.StreamWriter] = {}
        self._clients = 0
        self._stopping = False
        self._page = {
            path: (files("edgeasr").joinpath("page", name).read_bytes(), kind)
            for path, (name, kind) in _PAGE.items()
        }

    def run(self) -> None:
        """Serve until `stop`."""
        try:
            asyncio.run(self._serve())
        except Exception:
            _LOG.exception("the status page has failed; all else goes on")

    def stop(self) -> None:
        """Let `run` return. Any thread may call."""
        self._stopping = True

    async def _serve(self) -> None:
        server = await asyncio.start_server(
            self._client, sock=self._socket, limit=MAX_HEAD_BYTES
        )
        _LOG.info("status page at http://%s:%d/", self._host, self.port)
        while not self._stopping:
            self._spread(self._view.add(self._board.take()))
            await asyncio.sleep(_TICK_S)
        server.close()
        await self._dismiss()

    async def _dismiss(self) -> None:
        """Let every connection end, for a short while."""
        watchers, self._watchers = self._watchers, {}
        for queue, writer in watchers.items():
            writer.transport.abort()
            if not queue.full():
                queue.put_nowait(b"")
        for _ in range(20):
            if not self._clients:
                return
            await asyncio.sleep(_TICK_S)

    def _spread(self, messages: list[bytes]) -> None:
        for message in messages:
            for queue, writer in list(self._watchers.items()):
                if queue.full():
                    _LOG.info("a browser does not keep up and is dropped")
                    del self._watchers[queue]
                    writer.transport.abort()
                else:
                    queue.put_nowait(message)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients += 1
        writer.transport.set_write_buffer_limits(high=_BUFFER_BYTES)
        try:
            self._check_room()
            request = await read_request(reader)
            if request.path == "/events" and request.method == "GET":
                self._check_host(request)
                await self._watch(writer)
            else:
                await self._answer(writer, self._respond(request), request.method)
        except HttpError as error:
            await self._fail(writer, error)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            _LOG.debug("a browser left: %s", error)
        finally:
            self._clients -= 1
            writer.close()

    async def _watch(self, writer: asyncio.StreamWriter) -> None:
        """Send what happens for as long as the browser listens."""
        if len(self._watchers) >= _MAX_WATCHERS:
            raise HttpError(HTTPStatus.SERVICE_UNAVAILABLE, f"{_MAX_WATCHERS} pages are open")
        queue: asyncio.Queue[bytes] = asyncio.Queue(_WAITING)
        if not self._watchers:
            self._view.forget_sound()
        self._watchers[queue] = writer
        self._board.watched = True
        try:
            await send(writer, head_of(HTTPStatus.OK, "text/event-stream", None))
            await send(writer, self._view.hello(writable=self._token is not None))
            while queue in self._watchers and not writer.is_closing():
                try:
                    async with asyncio.timeout(1.0):
                        message = await queue.get()
                except TimeoutError:
                    message = b": alive\n\n"
                if queue in self._watchers:
                    await send(writer, message)
        finally:
            self._watchers.pop(queue, None)
            self._board.watched = bool(self._watchers)

    def _respond(self, request: Request) -> Answer:
        """Return the answer to all but the live stream. Raises HttpError."""
        self._check_host(request)
        if request.path.startswith("/command/"):
            return self._carry_out(request)
        if request.method not in ("GET", "HEAD"):
            raise HttpError(HTTPStatus.METHOD_NOT_ALLOWED, "only GET is possible here")
        if request.path == "/metrics":
            text = metrics_text(self._view.status, self._view.tally)
            return Answer(body=text.encode(), kind="text/plain; version=0.0.4; charset=utf-8")
        if request.path == "/status.json":
            return _json(self._view.status)
        if request.path in self._page:
            body, kind = self._page[request.path]
            return Answer(body=body, kind=kind)
        raise HttpError(HTTPStatus.NOT_FOUND, "there is nothing here; the page is at /")

    def _carry_out(self, request: Request) -> Answer:
        if request.method != "POST":
            raise HttpError(HTTPStatus.METHOD_NOT_ALLOWED, "commands are sent with POST")
        if self._token is None or self._command is None:
            raise HttpError(HTTPStatus.FORBIDDEN, "read-only: set http.token_file to allow this")
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            raise HttpError(HTTPStatus.UNAUTHORIZED, "the token is missing or wrong")
        try:
            self._command(request.path.removeprefix("/command/"), request.body)
        except CommandError as error:
            raise HttpError(HTTPStatus.BAD_REQUEST, str(error)) from error
        return Answer(body=b'{"ok":true}\n', status=HTTPStatus.ACCEPTED)

    def _check_room(self) -> None:
        if self._clients > _MAX_CLIENTS:
            raise HttpError(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections")

    def _check_host(self, request: Request) -> None:
        if not is_own_host(request.headers.get("host", ""), self._host):
            raise HttpError(HTTPStatus.MISDIRECTED_REQUEST, "this host name is not mine")

    async def _answer(self, writer: asyncio.StreamWriter, answer: Answer, method: str) -> None:
        body = b"" if method == "HEAD" else answer.body
        await send(writer, head_of(answer.status, answer.kind, len(answer.body)) + body)

    async def _fail(self, writer: asyncio.StreamWriter, error: HttpError) -> None:
        answer = _json({"ok": False, "message": str(error)})
        head = head_of(error.status, answer.kind, len(answer.body))
        try:
            await send(writer, head + answer.body)
        except ConnectionError:
            _LOG.debug("a browser left before its answer")


def _json(fields: Mapping[str, object]) -> Answer:
    return Answer(body=json.dumps(fields, default=list).encode() + b"\n")
