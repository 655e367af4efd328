"""A program's own metrics over HTTP, from an address that the user has typed. Nothing else here opens a connection.

The server may be hostile or hang: everything is bounded by one deadline around each recv (a socket's timeout alone
does not bound a body that drips), by bytes and by header lines. No redirects, no proxies, no cookies, no compression,
no credentials. Meant for the Source's slow threads, never for the sampling path.
"""

from __future__ import annotations

import io
import ipaddress
import socket
import time
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Final
from urllib.parse import urlsplit

from memtop.errors import Unavailable, UsageError
from memtop.sanitize import clean

DEADLINE_S: Final = 1.9
"""For everything from the connection to the last byte: below that of the slow threads, so that it can say why."""
MOST_BYTES: Final = 4 << 20
_MOST_HEADER_BYTES: Final = 64 << 10
_MOST_HEADER_LINES: Final = 64
_DEFAULT_PATH: Final = "/debug/vars"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where metrics are read: checked once, so that nothing else is ever connected to."""

    host: str
    """A literal address, or a name where remote ones are allowed."""
    port: int
    path: str
    """With its query, as typed."""
    tls: bool = False

    @property
    def label(self) -> str:
        """The address to show and to write down: without its query, which may hold a token."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return clean(f"{'https' if self.tls else 'http'}://{host}:{self.port}{self.path.partition('?')[0]}")


def parse_endpoint(url: str, allow_remote: bool = False) -> Endpoint:
    """``http://127.0.0.1:6060/debug/vars``, ``localhost:6060``, ``:6060``, ``6060``.

    Names other than localhost are not looked up unless remote hosts are allowed, so no name can lead elsewhere.
    Raises UsageError that says what is allowed; it never quotes user information or the query.
    """
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url) or len(url) > 2000:
        raise UsageError("a URL has no spaces and no control characters")
    if not url.isascii():
        raise UsageError("a URL is written in ASCII")
    text = f"http://127.0.0.1:{url.removeprefix(':')}" if url.removeprefix(":").partition("/")[0].isdecimal() else url
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise UsageError("this is no URL such as http://127.0.0.1:6060/debug/vars") from error
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise UsageError("only http and https are read, such as http://127.0.0.1:6060/debug/vars")
    if parts.username is not None or parts.password is not None:
        raise UsageError("a URL with a user name or a password in it is not used")
    if not allow_remote and not is_loopback(host):
        raise UsageError(f"{clean(host[:60])} is not this machine: only 127.0.0.1, ::1 and localhost are asked")
    tls = parts.scheme == "https"
    path = (parts.path or _DEFAULT_PATH) + (f"?{parts.query}" if parts.query else "")
    return Endpoint(host, port or (443 if tls else 80), path, tls)


def is_loopback(host: str) -> bool:
    """Whether this is a loopback address, or localhost, which is never looked up but taken for 127.0.0.1 and ::1."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def fetch(endpoint: Endpoint, deadline_s: float = DEADLINE_S, most_bytes: int = MOST_BYTES) -> bytes:
    """The body of one GET. Raises Unavailable with the reason in plain words; nothing the server said is quoted."""
    end_s = time.monotonic() + deadline_s
    try:
        with _connect(endpoint, end_s) as connection:
            _send(connection, _request(endpoint), end_s)
            # HTTPResponse asks its socket for nothing but a file to read from
            response = HTTPResponse(_Stream(connection, end_s, most_bytes + _MOST_HEADER_BYTES), method="GET")  # type: ignore[arg-type]
            try:
                response.begin()
                return _body(response, most_bytes)
            finally:
                response.close()
    except TimeoutError as error:
        raise Unavailable(f"no complete answer within {deadline_s:.0f} s") from error
    except ConnectionRefusedError as error:
        raise Unavailable("the connection is refused: nothing listens there") from error
    except ConnectionError as error:
        raise Unavailable("the connection was broken off") from error
    except HTTPException as error:
        raise Unavailable("the answer is not HTTP, or it is cut short") from error
    except (OSError, ValueError) as error:  # ValueError: header fields and chunk sizes that make no sense
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "a malformed answer"
        raise Unavailable(f"it cannot be read: {clean(reason)}") from error


def _request(endpoint: Endpoint) -> bytes:
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return (
        f"GET {endpoint.path} HTTP/1.1\r\nHost: {host}:{endpoint.port}\r\nUser-Agent: memtop\r\n"
        "Accept: application/json, text/plain\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


def _connect(endpoint: Endpoint, end_s: float) -> socket.socket:
    """A connection to the first address that takes one."""
    hosts = ("127.0.0.1", "::1") if endpoint.host == "localhost" else (endpoint.host,)
    failure: OSError | None = None
    for host in hosts:
        try:
            connection = socket.create_connection((host, endpoint.port), _left_s(end_s))
            break
        except OSError as error:
            failure = failure or error
    else:
        raise failure or ConnectionRefusedError
    if not endpoint.tls:
        return connection
    import ssl  # noqa: PLC0415 (its certificates cost 20 ms, and few use it)

    connection.settimeout(_left_s(end_s))
    try:
        return ssl.create_default_context().wrap_socket(connection, server_hostname=endpoint.host)
    except BaseException:
        connection.close()
        raise


def _send(connection: socket.socket, request: bytes, end_s: float) -> None:
    connection.settimeout(_left_s(end_s))
    connection.sendall(request)


def _left_s(end_s: float) -> float:
    left_s = end_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _body(response: HTTPResponse, most_bytes: int) -> bytes:
    if 300 <= response.status < 400:
        raise Unavailable(f"it answers with a redirect ({response.status}), which is not followed")
    if response.status != 200:
        raise Unavailable(f"it answers with status {response.status}")
    if len(response.headers) > _MOST_HEADER_LINES:
        raise Unavailable("it answers with more header lines than metrics need")
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise Unavailable("the answer is compressed, though it was asked not to be")
    if response.length is not None and response.length > most_bytes:
        raise Unavailable(f"the answer is larger than {most_bytes >> 20} MiB")
    body = response.read(most_bytes + 1)
    if len(body) > most_bytes:
        raise Unavailable(f"the answer is larger than {most_bytes >> 20} MiB")
    if response.length:
        raise ConnectionError
    return body


class _Stream(io.RawIOBase):
    """What comes from a socket until a deadline and up to so many bytes, header lines and chunk marks included."""

    def __init__(self, connection: socket.socket, end_s: float, most_bytes: int) -> None:
        self._connection = connection
        self._end_s = end_s
        self._left_bytes = most_bytes

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What HTTPResponse reads from."""
        return io.BufferedReader(self, 64 << 10)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._left_bytes <= 0:
            raise Unavailable("the answer is larger than metrics are")
        self._connection.settimeout(_left_s(self._end_s))
        got = self._connection.recv_into(buffer, min(len(buffer), self._left_bytes))
        self._left_bytes -= got
        return got
