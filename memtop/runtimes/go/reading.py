"""Readings of a Go program: three variables of its environment, its listening sockets, its metrics."""

from __future__ import annotations

from typing import Final

from memtop.errors import ParseError, Unavailable
from memtop.procfs.tcp import parse_listeners, socket_inode, suggested_urls
from memtop.runtimes.go.environ import only_go_variables
from memtop.runtimes.go.heap import FIGURES, GoHeap, MetricsFormat, go_heap
from memtop.runtimes.go.metrics import parse_go_metrics
from memtop.runtimes.process_folder import process_folder
from memtop.runtimes.protocol import Access
from memtop.runtimes.small_json import dumps, loads, member, number, text, whole

_ENVIRON_BYTES: Final = 2 << 20
_MOST_DESCRIPTORS: Final = 4096


def read_environ(access: Access, pid: int, argument: str = "") -> bytes:
    """GOGC, GOMEMLIMIT and GODEBUG."""
    return only_go_variables(access.read(f"{process_folder(access, pid)}/environ", _ENVIRON_BYTES))


def read_listeners(access: Access, pid: int, argument: str = "") -> bytes:
    """URLs to suggest, one per line."""
    process = process_folder(access, pid)
    folder = f"{process}/fd"
    inodes = []
    for name in access.names(folder)[:_MOST_DESCRIPTORS]:
        try:
            inode = socket_inode(access.link(f"{folder}/{name}"))
        except FileNotFoundError:  # closed after the directory was read
            continue
        if inode is not None:
            inodes.append(inode)
    if not inodes:
        return b""
    found = [
        listener
        for name in ("tcp", "tcp6")
        for listener in parse_listeners(access.read_or_empty(f"{process}/net/{name}"))
    ]
    return "\n".join(suggested_urls(found, inodes)).encode()


def read_metrics(access: Access, pid: int, url: str) -> bytes:
    """Read the heap figures from an address. Raises Unavailable, which names the address without its query."""
    label, body = access.fetch(url)
    try:
        return encode_metrics(label, parse_go_metrics(body))
    except ParseError as error:
        raise Unavailable(f"{label}: {error.why}") from error


def encode_metrics(url: str, heap: GoHeap) -> bytes:
    """Encode the figures of a Go program, and the address they came from without its query."""
    figures = {name: value for name in FIGURES if (value := getattr(heap, name)) is not None}
    shape = {"url": url, "format": heap.format.value, "version": heap.version, "rounding": heap.rounding_bytes}
    return dumps(shape | {"figures": figures})


def decode_metrics(data: bytes) -> tuple[str, GoHeap]:
    """The inverse of :func:`encode_metrics`. Raises ParseError."""
    found = loads(data)
    figures, form, rounding = found.get("figures"), member(MetricsFormat, found.get("format")), found.get("rounding")
    if not isinstance(figures, dict) or form is None:
        raise ParseError("metrics", "not what was recorded")
    numbers = {name: value for name, value in figures.items() if name in FIGURES and number(value)}
    digits = rounding if isinstance(rounding, int) and whole(rounding) else 0
    return text(found, "url"), go_heap(numbers, form, text(found, "version") or None, digits)
