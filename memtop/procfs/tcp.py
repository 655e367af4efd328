"""/proc/PID/net/tcp and tcp6, proc_pid_net(5): the listening TCP ports of a process, and URLs suggested from them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

_LISTEN: Final = b"0A"
_LINE = re.compile(
    rb"\s*\d+:\s+([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})\s+[0-9A-F]+:[0-9A-F]{4}\s+([0-9A-F]{2})(?:\s+\S+){5}\s+(\d{1,20})\s"
)
_SOCKET = re.compile(r"socket:\[(\d{1,20})\]\Z")
METRIC_PATHS: Final = ("/debug/vars", "/metrics")


class Listener(NamedTuple):
    """A socket that waits for connections."""

    address: str
    """An address of this machine; ``0.0.0.0`` and ``::`` stand for every address."""
    port: int
    inode: int
    """Inode of the socket. The descriptors of a process refer to it."""


def parse_listeners(data: bytes) -> tuple[Listener, ...]:
    """Parse the listening sockets of one file, which covers the whole network namespace."""
    found = []
    for line in data.split(b"\n")[1:]:
        match = _LINE.match(line)
        if match and match[3] == _LISTEN:
            found.append(Listener(_address(match[1]), int(match[2], 16), int(match[4])))
    return tuple(found)


def socket_inode(link: str) -> int | None:
    """Parse the inode from the target of a link below /proc/PID/fd. None if it is no socket."""
    match = _SOCKET.match(link)
    return int(match[1]) if match else None


def suggested_urls(listeners: Iterable[Listener], own_inodes: Iterable[int]) -> tuple[str, ...]:
    """URLs at which the process that holds ``own_inodes`` may offer metrics.

    memtop only suggests them; it never connects unasked. Only ports on the loopback address and on "every address" are
    included.
    """
    own = set(own_inodes)
    ports: dict[int, str] = {}
    for listener in listeners:
        address = ipaddress.ip_address(listener.address)
        address = getattr(address, "ipv4_mapped", None) or address
        if listener.inode not in own or not (address.is_loopback or address.is_unspecified):
            continue
        only_ipv6 = address.version == 6 and address.is_loopback
        ports.setdefault(listener.port, "[::1]" if only_ipv6 else str(address) if address.is_loopback else "127.0.0.1")
    return tuple(f"http://{host}:{port}{path}" for port, host in sorted(ports.items()) for path in METRIC_PATHS)


def _address(written: bytes) -> str:
    """Parse an address as the kernel writes it: words of 32 bits, each in the byte order of this machine (little)."""
    raw = bytes.fromhex(written.decode())
    words = [raw[at : at + 4][::-1] for at in range(0, len(raw), 4)]
    return str(ipaddress.ip_address(b"".join(words)))
