"""Memory of sockets, by their inodes, as the kernel reports it over netlink: sock_diag(7)."""

from __future__ import annotations

import os
import re
import socket
import struct
from collections.abc import Iterator
from typing import Final

from memtop.sources.live.bounded_read import read_file

MOST: Final = 4096
"""Sockets of one process whose memory is looked up: each takes about 10 microseconds."""
NOTABLE_BYTES: Final = 4 << 20
"""Where all TCP and UDP sockets of the machine take less, those of one process are not looked up: that lists all."""
_MOST_BYTES: Final = 32 << 20
"""Most bytes of a list of all sockets: about 200,000 of them."""
_TIMEOUT_S: Final = 1.0
_SOCK_DIAG: Final = 4
_BY_FAMILY: Final = 20
_REQUEST, _DUMP = 0x1, 0x300
_DONE, _ERROR = 3, 2
_ALL: Final = 0xFFFFFFFF
_UNIX_PEER, _UNIX_RQLEN, _UNIX_MEMINFO = 2, 4, 5
_SHOW_UNIX: Final = 1 << _UNIX_PEER | 1 << _UNIX_RQLEN | 1 << _UNIX_MEMINFO
_INET_MEMINFO: Final = 7
_HEADER: Final = struct.Struct("=IHHII")
_UNIX_SIZE, _INET_SIZE = 16, 72
"""Bytes of an answer before its attributes."""
_UNIX_INODE, _INET_INODE = 4, 68
"""Where the inode is in it."""
_IN_USE: Final = re.compile(rb"^(?:TCP|UDP): .*\bmem (\d+)", re.MULTILINE)

_Attributes = dict[int, bytes]


def socket_bytes(prefix: str, folder: str, inodes: set[int]) -> int | None:
    """What the sockets with these inodes take. None where that is not known, as in another network namespace.

    ``folder`` is that of the process. What is in a Unix socket counts for the sender; for the receiver too, where the
    sender is no socket of its own.
    """
    if len(inodes) > MOST:
        return None
    try:
        if os.readlink(f"{prefix}{folder}/ns/net") != os.readlink(f"{prefix}proc/self/ns/net"):
            return None
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _SOCK_DIAG) as kernel:
            kernel.settimeout(_TIMEOUT_S)
            found = {inode: _unix(kernel, inode) for inode in inodes}
            size_bytes = sum(_unix_bytes(one, inodes) for one in found.values() if one is not None)
            others = {inode for inode, one in found.items() if one is None}
            return size_bytes + (_inet_bytes(kernel, prefix, others) if others else 0)
    except (OSError, struct.error):
        return None


def _unix(kernel: socket.socket, inode: int) -> _Attributes | None:
    """The attributes of a Unix socket; None for one of another family. Raises OSError."""
    body = struct.pack("=BBHIIIII", socket.AF_UNIX, 0, 0, _ALL, inode, _SHOW_UNIX, _ALL, _ALL)
    kernel.send(_HEADER.pack(_HEADER.size + len(body), _BY_FAMILY, _REQUEST, 0, 0) + body)
    data = kernel.recv(8192)
    if _HEADER.unpack_from(data)[1] == _ERROR:
        return None
    return _attributes(data[_HEADER.size + _UNIX_SIZE :])


def _unix_bytes(found: _Attributes, own: set[int]) -> int:
    peer = struct.unpack("=I", found[_UNIX_PEER])[0] if _UNIX_PEER in found else 0
    unread = struct.unpack_from("=I", found[_UNIX_RQLEN])[0] if _UNIX_RQLEN in found and peer not in own else 0
    return int(unread) + _memory(found.get(_UNIX_MEMINFO))


def _inet_bytes(kernel: socket.socket, prefix: str, inodes: set[int]) -> int:
    """What those of TCP and UDP take; 0 where all of the machine take little. Raises OSError."""
    pages = sum(map(int, _IN_USE.findall(read_file(prefix, "proc/net/sockstat", 4096))))
    if pages * os.sysconf("SC_PAGE_SIZE") < NOTABLE_BYTES:
        return 0
    return sum(
        _memory(_attributes(answer[_INET_SIZE:]).get(_INET_MEMINFO))
        for family in (socket.AF_INET, socket.AF_INET6)
        for protocol in (socket.IPPROTO_TCP, socket.IPPROTO_UDP)
        for answer in _listed(kernel, family, protocol)
        if struct.unpack_from("=I", answer, _INET_INODE)[0] in inodes
    )


def _listed(kernel: socket.socket, family: int, protocol: int) -> Iterator[bytes]:
    """The answers about all sockets. Raises OSError."""
    body = struct.pack("=BBBBI48x", family, protocol, 1 << (_INET_MEMINFO - 1), 0, _ALL)
    kernel.send(_HEADER.pack(_HEADER.size + len(body), _BY_FAMILY, _REQUEST | _DUMP, 0, 0) + body)
    left = _MOST_BYTES
    while left > 0:
        data = kernel.recv(1 << 16)
        left -= len(data)
        while data:
            length, kind, *_ = _HEADER.unpack_from(data)
            if kind == _DONE:
                return
            if kind == _ERROR:
                raise OSError("this kernel cannot list them")
            yield data[_HEADER.size : length]
            data = data[(length + 3) & ~3 :]
    raise OSError("too many sockets")


def _attributes(data: bytes) -> _Attributes:
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        found[kind] = data[4:length]
        data = data[max(4, (length + 3) & ~3) :]
    return found


def _memory(meminfo: bytes | None) -> int:
    """The bytes in the buffers of a socket, and what is kept for them: SK_MEMINFO of linux/sock_diag.h."""
    if meminfo is None:
        return 0
    received, _, sent, _, ahead, queued, options, backlog, *_ = struct.unpack_from("=8I", meminfo)
    return int(received + max(sent, queued) + ahead + options + backlog)
