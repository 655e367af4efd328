"""Serves the metrics over HTTP: few connections, short timeouts, loopback unless asked otherwise."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore, Thread
from typing import Any, Final

from memtop.errors import UsageError
from memtop.export.exposition import Exposition

LISTEN: Final = "127.0.0.1:9142"
MOST_CONNECTIONS: Final = 16
TIMEOUT_S: Final = 5.0
"""A client that sends or takes nothing for so long is dropped."""


class Server:
    """A listening exporter. Raises UsageError where the address cannot be used."""

    def __init__(self, exposition: Exposition, listen: str = LISTEN) -> None:
        host, port = address_of(listen)
        try:
            self._http = _Http((host, port), exposition)
        except OSError as error:
            raise UsageError(f"--listen {listen}: {error.strerror}") from error
        self._thread = Thread(target=self._http.serve_forever, name="memtop-export", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port, which the kernel chose if it was 0."""
        return int(self._http.server_address[1])

    def close(self) -> None:
        """Stop listening."""
        self._http.shutdown()
        self._http.server_close()


def address_of(text: str) -> tuple[str, int]:
    """``127.0.0.1:9142``, ``[::1]:9142`` or ``:9142``, which is loopback as well. Raises UsageError."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    if not colon or not port.isdecimal() or len(port) > 5 or not 0 <= int(port) <= 65535:
        raise UsageError(f"--listen {text}: expected ADDRESS:PORT, such as {LISTEN}")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise UsageError(f"--listen {text}: expected an IP address") from None
    return host, int(port)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = MOST_CONNECTIONS  # of five, the usual, others wait a second for their next try

    def __init__(self, address: tuple[str, int], exposition: Exposition) -> None:
        self.exposition = exposition
        self._free = BoundedSemaphore(MOST_CONNECTIONS)
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve on a thread, or drop the connection where too many are open."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """See ThreadingMixIn."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    timeout = TIMEOUT_S
    server: _Http
    server_version = "memtop"
    sys_version = ""

    def do_HEAD(self) -> None:
        """What a GET gives, without the text."""
        self._answer(with_text=False)

    def do_GET(self) -> None:
        """``/metrics``; everything else is not there."""
        self._answer(with_text=True)

    def _answer(self, *, with_text: bool) -> None:
        if self.path.partition("?")[0] not in ("/metrics", "/"):
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        text, content_type = self.server.exposition.text(self.headers.get("Accept", ""))
        with contextlib.suppress(OSError):
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if with_text:
                self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged."""
