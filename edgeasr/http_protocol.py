"""The little of HTTP/1.1 that a status page needs, with a limit on everything."""

import asyncio
import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

__all__ = ["Answer", "HttpError", "Request", "head_of", "is_own_host", "read_request", "send"]

MAX_HEAD_BYTES = 8_192
MAX_BODY_BYTES = 64_000
READ_S = 10.0
WRITE_S = 5.0

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class HttpError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request that was read whole."""

    method: str
    path: str
    headers: Mapping[str, str]
    """By name in lower case"""
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What to send back."""

    body: bytes
    kind: str = "application/json"
    status: HTTPStatus = HTTPStatus.OK


async def read_request(reader: asyncio.StreamReader) -> Request:
    """Return a request; `reader` limits its head to MAX_HEAD_BYTES. Raises HttpError."""
    try:
        async with asyncio.timeout(READ_S):
            head = await reader.readuntil(b"\r\n\r\n")
            request = _parse(head)
            size = _body_size(request)
            body = await reader.readexactly(size) if size else b""
    except TimeoutError as error:
        raise HttpError(HTTPStatus.REQUEST_TIMEOUT, "the request took too long") from error
    except asyncio.LimitOverrunError as error:
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        raise HttpError(status, f"a head of more than {MAX_HEAD_BYTES} bytes") from error
    return Request(method=request.method, path=request.path, headers=request.headers, body=body)


def _parse(head: bytes) -> Request:
    try:
        first, *lines = head.decode("ascii").split("\r\n")[:-2]
        method, target, version = first.split(" ")
        pairs = [line.split(":", 1) for line in lines]
        headers = {name.lower(): value.strip() for name, value in pairs}
    except (UnicodeDecodeError, ValueError) as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, "this is not HTTP") from error
    if not version.startswith("HTTP/1.") or not target.startswith("/"):
        raise HttpError(HTTPStatus.BAD_REQUEST, "this is not HTTP/1.1 with a path")
    return Request(method=method, path=target.partition("?")[0], headers=headers)


def _body_size(request: Request) -> int:
    if "transfer-encoding" in request.headers:
        raise HttpError(HTTPStatus.LENGTH_REQUIRED, "send Content-Length, not chunks")
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or len(length) > 12:
        raise HttpError(HTTPStatus.BAD_REQUEST, "Content-Length is no number")
    if int(length) > MAX_BODY_BYTES:
        message = f"a body of {int(length)} bytes; at most {MAX_BODY_BYTES}"
        raise HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)
    return int(length)


def head_of(status: HTTPStatus, kind: str, length: int | None) -> bytes:
    """Return a response's head; without a length the body ends with the connection."""
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", f"Content-Type: {kind}"]
    lines += [f"{name}: {value}" for name, value in _HEADERS.items()]
    lines += [] if length is None else [f"Content-Length: {length}"]
    return ("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n").encode("ascii")


async def send(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Write; raises ConnectionError for a client that does not read for WRITE_S."""
    try:
        async with asyncio.timeout(WRITE_S):
            writer.write(data)
            await writer.drain()
    except TimeoutError as error:
        writer.transport.abort()
        raise ConnectionError("the client does not read") from error


def is_own_host(header: str, listen_host: str) -> bool:
    """Whether a Host header names this machine.

    A page of another site may make a browser resolve its own name to this address (DNS
    rebinding); its requests carry that name.
    """
    name = header.rsplit(":", 1)[0] if not header.endswith("]") else header
    name = name.strip("[]").lower().rstrip(".")
    own = socket.gethostname().lower()
    if name in ("localhost", listen_host.lower(), own, f"{own}.local"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
