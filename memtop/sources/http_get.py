"""HTTP GET of a program's own metrics, from an address that the user gave. Only this module opens a connection.

The server may be hostile or hang. One deadline around each recv limits the time (the timeout of a socket does not limit
a body that drips); bytes and header lines are limited too. There are no redirects, no proxies, no cookies, no
compression and no credentials. TLS verifies the certificate with the authorities of the system, or with those that
SSL_CERT_FILE names. Only the slow threads of the Source call this module, never the sampling path.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from functools import cache
from http.client import HTTPException, HTTPResponse
from typing import Final

from memtop.errors import Unavailable
from memtop.sanitize import clean
from memtop.sources.endpoint import Endpoint

DEADLINE_S: Final = 1.9
"""Limit for everything from the connection to the last byte. It is shorter than that of the slow threads, so that the
error can name the reason."""
MOST_BYTES: Final = 4 << 20
_MOST_HEADER_BYTES: Final = 64 << 10
_MOST_HEADER_LINES: Final = 64


def fetch(endpoint: Endpoint, deadline_s: float = DEADLINE_S, most_bytes: int = MOST_BYTES) -> bytes:
    """The body of one GET. Raises Unavailable with the reason in plain words, which quotes nothing from the server."""
    end_s = time.monotonic() + deadline_s
    try:
        with _connect(endpoint, end_s) as connection:
            _send(connection, _request(endpoint), end_s)
            # HTTPResponse uses only makefile() of its socket
            response = HTTPResponse(_Stream(connection, end_s, most_bytes + _MOST_HEADER_BYTES), method="GET")  # type: ignore[arg-type]
            try:
                response.begin()
                return _body(response, most_bytes)
            finally:
                response.close()
    except TimeoutError as error:
        raise Unavailable(f"no complete answer within {deadline_s:.0f} s") from error
    except ssl.SSLCertVerificationError as error:
        why = clean(error.verify_message)
        raise Unavailable(f"its certificate is not trusted ({why}); SSL_CERT_FILE may name its authority") from error
    except ssl.SSLError as error:
        raise Unavailable("it does not speak TLS; try http") from error
    except ConnectionRefusedError as error:
        raise Unavailable("connection refused: nothing listens there") from error
    except ConnectionError as error:
        raise Unavailable("the connection was closed early") from error
    except HTTPException as error:
        raise Unavailable("the answer is not HTTP, or it is cut short") from error
    except (OSError, ValueError) as error:  # ValueError: malformed header fields and chunk sizes
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "a malformed answer"
        raise Unavailable(f"it cannot be read: {clean(reason)}") from error


def _request(endpoint: Endpoint) -> bytes:
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return (
        f"GET {endpoint.path} HTTP/1.1\r\nHost: {host}:{endpoint.port}\r\nUser-Agent: memtop\r\n"
        "Accept: application/json, text/plain\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


def _connect(endpoint: Endpoint, end_s: float) -> socket.socket:
    """Connect to the first address that accepts."""
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
    try:
        connection.settimeout(_left_s(end_s))
        return _tls_context().wrap_socket(connection, server_hostname=endpoint.host)
    except BaseException:
        connection.close()
        raise


@cache
def _tls_context() -> ssl.SSLContext:
    """The TLS settings, created once.

    Loading the system's certificates takes 20 ms: once a second that is 2 % of a core.
    """
    return ssl.create_default_context()


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
        raise Unavailable("the response is compressed, although memtop asked for identity encoding")
    if response.length is not None and response.length > most_bytes:
        raise Unavailable(f"the answer is larger than {most_bytes >> 20} MiB")
    body = response.read(most_bytes + 1)
    if len(body) > most_bytes:
        raise Unavailable(f"the answer is larger than {most_bytes >> 20} MiB")
    if response.length:
        raise ConnectionError
    return body


class _Stream(io.RawIOBase):
    """Bytes from a socket, until a deadline and up to a number of bytes, including header lines and chunk marks."""

    def __init__(self, connection: socket.socket, end_s: float, most_bytes: int) -> None:
        self._connection = connection
        self._end_s = end_s
        self._left_bytes = most_bytes

    def makefile(self, _mode: str) -> io.BufferedReader:
        """The file object that HTTPResponse reads from."""
        return io.BufferedReader(self, 64 << 10)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._left_bytes <= 0:
            raise Unavailable("the answer is too large for metrics")
        self._connection.settimeout(_left_s(self._end_s))
        got = self._connection.recv_into(buffer, min(len(buffer), self._left_bytes))
        self._left_bytes -= got
        return got
