"""Metrics over https from a real TLS server on the loopback, whose certificate is trusted or not."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from memtop.errors import Unavailable
from memtop.sources.endpoint import Endpoint, parse_endpoint
from memtop.sources.http_get import fetch
from tests.children import DEADLINE_S

BODY = b'{"memstats": {"HeapAlloc": 123}}'
ON_A_SCREEN = """
import sys
from memtop.tui.terminal import late_imports, memory_tuning
memory_tuning.prepare()
with late_imports.without_unneeded():
    import memtop.tui.app.app
from memtop.sources.endpoint import parse_endpoint
from memtop.sources.http_get import fetch
sys.stdout.buffer.write(fetch(parse_endpoint(sys.argv[1])))
"""

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that is its own authority, and its key, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=memtop test", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    certificate.write_bytes(certificate.read_bytes() + key.read_bytes())
    return certificate


@pytest.fixture
def server(certificate: Path) -> Iterator[Endpoint]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with plain:
                plain.settimeout(DEADLINE_S)
                try:
                    with context.wrap_socket(plain, server_side=True) as connection:
                        connection.recv(4096)
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)
                except OSError:  # the client does not trust us
                    continue

    thread = threading.Thread(target=listen)
    thread.start()
    yield parse_endpoint(f"https://127.0.0.1:{listener.getsockname()[1]}")
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_a_certificate_that_nobody_vouches_for_is_refused_in_one_clear_line(server: Endpoint) -> None:
    with pytest.raises(Unavailable, match=r"its certificate is not trusted \(self.signed certificate\); SSL_CERT_FILE"):
        fetch(server)


def test_a_screen_without_optional_reads_https_once_its_authority_is_named(server: Endpoint, certificate: Path) -> None:
    environment = {**os.environ, "SSL_CERT_FILE": str(certificate)}
    command = [sys.executable, "-c", ON_A_SCREEN, server.label]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=3 * DEADLINE_S, check=False)
    assert (done.stdout, done.stderr) == (BODY, b"")


def test_a_server_that_speaks_no_tls_is_named_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(Unavailable, match="does not speak TLS"):
            fetch(parse_endpoint(f"https://127.0.0.1:{listener.getsockname()[1]}"))
        thread.join()
