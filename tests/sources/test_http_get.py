"""The HTTP reader against a server that misbehaves in every way that was thought of, on the loopback only."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from memtop.errors import ParseError, Unavailable, UsageError
from memtop.runtimes.go.metrics import parse_go_metrics
from memtop.sources.endpoint import Endpoint, is_loopback, parse_endpoint
from memtop.sources.http_get import fetch

Behaviour = Callable[[socket.socket], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SHORT_S = 0.2
LONG_S = 20.0
DRIPPING_S = 20.0
"""How long a server drips: a reader that waited for its end would be found out, also on a slow machine."""
BODY = b'{"memstats": {"HeapAlloc": 123}}'


@contextmanager
def server(behave: Behaviour) -> Iterator[tuple[Endpoint, list[bytes]]]:
    """One that takes connections until the end of the block and gives each to ``behave``; and what it was sent."""
    seen: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(2 * DRIPPING_S)
    threads: list[threading.Thread] = []

    def answer(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(2 * DRIPPING_S)
            seen.append(connection.recv(4096))
            with suppress(OSError):  # the reader hangs up when it has seen enough
                behave(connection)

    def listen() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=answer, args=(connection,)))
            threads[-1].start()

    accepting = threading.Thread(target=listen)
    accepting.start()
    try:
        yield Endpoint("127.0.0.1", listener.getsockname()[1], "/debug/vars"), seen
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for thread in threads:
            thread.join()


def sends(*parts: bytes) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)

    return behave


def drips(head: bytes, drop: bytes) -> Behaviour:
    """Something every 20 ms, for ever: no single recv ever waits long."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(head)
        end_s = time.monotonic() + DRIPPING_S
        while time.monotonic() < end_s:
            connection.sendall(drop)
            threading.Event().wait(0.02)

    return behave


def floods(head: bytes, block: bytes, times: int) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in range(times):
            connection.sendall(block)

    return behave


def resets(connection: socket.socket) -> None:
    connection.sendall(OK + b"Content-Length: 1000\r\n\r\nhalf of")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def never_answers(connection: socket.socket) -> None:
    connection.recv(1)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def test_a_good_server_is_read_whole() -> None:
    with server(sends(OK, b"Content-Length: %d\r\n\r\n" % len(BODY), BODY)) as (endpoint, seen):
        assert fetch(endpoint) == BODY
    assert seen[0].startswith(b"GET /debug/vars HTTP/1.1\r\n")
    assert b"Accept-Encoding: identity" in seen[0]
    assert not {b"cookie", b"authorization"} & set(seen[0].lower().replace(b":", b"").split())


def test_a_body_without_length_and_a_body_in_chunks_are_read_too() -> None:
    with server(sends(OK, b"\r\n", BODY)) as (endpoint, _):
        assert fetch(endpoint) == BODY
    chunks = (chunk(BODY[:5]), chunk(BODY[5:]), b"0\r\n\r\n")
    with server(sends(OK, b"Transfer-Encoding: chunked\r\n\r\n", *chunks)) as (endpoint, _):
        assert fetch(endpoint) == BODY


BAD: dict[str, tuple[Behaviour, str]] = {
    "a body that drips": (drips(OK + b"Content-Length: 100000\r\n\r\n", b"{"), "no complete answer"),
    "headers that drip": (drips(b"HTTP/1.1 200 OK\r\n", b"x"), "no complete answer"),
    "a status line that drips": (drips(b"", b"H"), "no complete answer"),
    "continue for ever": (drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "no complete answer"),
    "200 MB with their length": (
        floods(OK + b"Content-Length: 200000000\r\n\r\n", b"x" * 1_000_000, 200),
        "larger than 4 MiB",
    ),
    "200 MB without a length": (floods(OK + b"\r\n", b"x" * 1_000_000, 200), "larger than"),
    "200 MB in chunks of a byte": (
        floods(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 100_000, 300),
        "larger than|no complete",
    ),
    "headers without end": (floods(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000, 10_000), "not HTTP|larger"),
    "one endless header line": (floods(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 100_000, 2000), "not HTTP|larger"),
    "seventy header lines": (sends(OK, b"X: y\r\n" * 70, b"\r\n", BODY), "header lines"),
    "a redirect": (sends(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\n\r\n"), "redirect .302."),
    "gzip": (sends(OK, b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b" " * 10_000_000)), "compressed"),
    "status 500": (sends(b"HTTP/1.1 500 no\r\nContent-Length: 2\r\n\r\nno"), "status 500"),
    "status 404": (sends(b"HTTP/1.1 404 Not Found\r\n\r\n404 page not found"), "status 404"),
    "status 401 with an escape": (sends(b"HTTP/1.1 401 \x1b]0;x\x07\r\n\r\n"), "status 401"),
    "a reset": (resets, "closed early"),
    "an end too early": (sends(OK, b"Content-Length: 1000\r\n\r\nhalf"), "closed early|cut short"),
    "no answer at all": (never_answers, "no complete answer"),
    "hanging up at once": (sends(), "closed early|not HTTP"),
    "not HTTP": (sends(b"SSH-2.0-OpenSSH_9.2\r\n"), "not HTTP"),
    "bad chunks": (sends(OK, b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello"), "not HTTP|malformed"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_server_costs_a_clear_line_and_never_more_than_its_deadline(name: str) -> None:
    behave, reason = BAD[name]
    deadline_s = SHORT_S if "no complete" in reason else LONG_S
    with server(behave) as (endpoint, _):
        started_s = time.monotonic()
        with pytest.raises(Unavailable, match=reason) as caught:
            fetch(endpoint, deadline_s=deadline_s)
        assert time.monotonic() - started_s < DRIPPING_S / 2
    assert str(caught.value).isprintable()


def test_headers_take_a_bounded_amount() -> None:
    lines = [b"X-%d: %s\r\n" % (number, b"x" * 2000) for number in range(60)]
    with server(sends(OK, *lines[:20], b"\r\n", BODY)) as (endpoint, _):
        assert fetch(endpoint, LONG_S, 1000) == BODY
    with server(sends(OK, *lines, b"\r\n", BODY)) as (endpoint, _), pytest.raises(Unavailable):
        fetch(endpoint, LONG_S, 1000)


def test_the_deadline_is_two_seconds_for_everything() -> None:
    with server(BAD["a body that drips"][0]) as (endpoint, _):
        started_s = time.monotonic()
        with pytest.raises(Unavailable, match="within 2 s"):
            fetch(endpoint)
        assert 1.9 < time.monotonic() - started_s < DRIPPING_S / 2


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[" * 200_000, "nested too deeply"),
        (b'{"memstats": {"HeapAlloc": NaN}}', "NaN"),
        (b'{"memstats": {"HeapAlloc": ' + b"9" * 5000 + b"}}", "20 digits"),
        (b'{"memstats": {"HeapAlloc": 1e999}}', "impossibly large"),
        (b"<!doctype html><title>hi</title>", "web page"),
        (b"\x1f\x8b\x08\0\0", "binary data"),
    ],
)
def test_an_answer_that_arrives_and_is_not_metrics_is_refused_by_the_parser(body: bytes, reason: str) -> None:
    with (
        server(sends(OK, b"Content-Length: %d\r\n\r\n" % len(body), body)) as (endpoint, _),
        pytest.raises(ParseError, match=reason),
    ):
        parse_go_metrics(fetch(endpoint))


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(sends(OK, b"\r\n", b"proxy")) as (proxy, asked), server(sends(OK, b"\r\n", BODY)) as (endpoint, _):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert fetch(endpoint) == BODY
    assert asked == []


def test_a_port_where_nobody_listens_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Unavailable, match="refused"):
        fetch(Endpoint("127.0.0.1", port, "/"))


def test_localhost_is_tried_on_both_loopback_addresses() -> None:
    with server(sends(OK, b"\r\n", BODY)) as (endpoint, _):
        assert fetch(Endpoint("localhost", endpoint.port, "/")) == BODY


@pytest.mark.parametrize(
    ("typed", "endpoint"),
    [
        ("http://127.0.0.1:6060/debug/vars", Endpoint("127.0.0.1", 6060, "/debug/vars")),
        ("http://localhost:6060", Endpoint("localhost", 6060, "/debug/vars")),
        ("localhost:6060/metrics", Endpoint("localhost", 6060, "/metrics")),
        (":6060", Endpoint("127.0.0.1", 6060, "/debug/vars")),
        ("6060/metrics", Endpoint("127.0.0.1", 6060, "/metrics")),
        ("http://[::1]:8080/m?x=1", Endpoint("::1", 8080, "/m?x=1")),
        ("https://127.3.2.1/", Endpoint("127.3.2.1", 443, "/", tls=True)),
    ],
)
def test_addresses_are_taken_as_people_type_them(typed: str, endpoint: Endpoint) -> None:
    assert parse_endpoint(typed) == endpoint


@pytest.mark.parametrize(
    "typed",
    [
        "http://example.org/debug/vars",
        "http://10.0.0.1:6060/",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1.example.org/",
        "http://[::ffff:10.0.0.1]/",
        "http://0.0.0.0:80/",
        "http://2130706433/",
        "file:///etc/hostname",
        "ftp://127.0.0.1/",
        "http://user:pw@127.0.0.1/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:/debug/vars",
        "127.0.0.1:",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1/\r\nX: y",
        "http://127.0.0.1/ x",
        "http://127.0.0.1/ü",
        "http://[::1/",
        "",
        "a" * 3000,
        "http://127.0.0.1:6060/" + "a" * 3000,
    ],
)
def test_anything_but_this_machine_is_refused_in_one_visible_line(typed: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_endpoint(typed)
    assert str(caught.value).isprintable()
    assert "pw" not in str(caught.value)


def test_another_machine_is_asked_only_where_that_is_allowed() -> None:
    assert parse_endpoint("http://10.0.0.1:6060/x", allow_remote=True) == Endpoint("10.0.0.1", 6060, "/x")


def test_loopback_is_the_whole_of_127_and_one_address_of_ipv6_however_written() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "localhost")))
    assert not any(map(is_loopback, ("128.0.0.1", "::2", "::ffff:1.2.3.4", "localhost.evil", "0.0.0.0", "::")))


def test_a_label_shows_no_query() -> None:
    assert Endpoint("::1", 80, "/m?token=x").label == "http://[::1]:80/m"
