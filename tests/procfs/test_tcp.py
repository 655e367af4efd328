"""Listening sockets, by the real files of this machine."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from memtop.procfs.tcp import Listener, parse_listeners, socket_inode, suggested_urls
from memtop.sources.endpoint import parse_endpoint


def test_a_socket_of_this_process_is_found_with_its_inode() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        inode = socket_inode(os.readlink(f"/proc/self/fd/{server.fileno()}"))
        listeners = parse_listeners(Path("/proc/self/net/tcp").read_bytes())
        assert inode is not None
        assert Listener("127.0.0.1", port, inode) in listeners
        assert suggested_urls(listeners, [inode]) == (
            f"http://127.0.0.1:{port}/debug/vars",
            f"http://127.0.0.1:{port}/metrics",
        )


def test_ipv6_addresses_are_read_too() -> None:
    line = b"head\n 0: 00000000000000000000000001000000:1F90 " + b"0" * 32 + b":0000 0A 0:0 0:0 0  0  0 4711 1\n"
    assert parse_listeners(line) == (Listener("::1", 8080, 4711),)
    everywhere = b"head\n 0: " + b"0" * 32 + b":1F90 " + b"0" * 32 + b":0000 0A 0:0 0:0 0  0  0 4711 1\n"
    assert parse_listeners(everywhere) == (Listener("::", 8080, 4711),)


def test_only_own_ports_on_the_loopback_or_everywhere_are_suggested() -> None:
    listeners = [
        Listener("0.0.0.0", 80, 1),
        Listener("10.0.0.5", 81, 1),
        Listener("::1", 82, 1),
        Listener("127.0.0.2", 83, 1),
        Listener("127.0.0.1", 84, 2),
        Listener("::ffff:127.0.0.1", 85, 1),
        Listener("::", 80, 1),
    ]
    assert [url for url in suggested_urls(listeners, {1}) if url.endswith("/metrics")] == [
        "http://127.0.0.1:80/metrics",
        "http://[::1]:82/metrics",
        "http://127.0.0.2:83/metrics",
        "http://127.0.0.1:85/metrics",
    ]


def test_whatever_is_suggested_may_be_asked() -> None:
    listeners = [Listener("::1", 82, 1), Listener("0.0.0.0", 80, 1), Listener("127.8.8.8", 9, 1)]
    for url in suggested_urls(listeners, [1]):
        assert parse_endpoint(url).label == url


def test_links_to_other_things_are_no_sockets() -> None:
    assert [socket_inode(link) for link in ("pipe:[5]", "/dev/null", "socket:[x]", "")] == [None] * 4


@given(st.binary(max_size=400))
def test_any_bytes_are_listeners_or_none(data: bytes) -> None:
    assert all(0 <= listener.port < 65536 for listener in parse_listeners(b"head\n" + data))
