"""Recognizes the format of a Go program's metrics by their content, not by path or content type."""

from __future__ import annotations

from typing import Final

from memtop.errors import ParseError
from memtop.runtimes.go.expvar import parse_expvar
from memtop.runtimes.go.heap import GoHeap
from memtop.runtimes.go.plaintext import parse_plain_text
from memtop.runtimes.go.prometheus import parse_prometheus

MOST_BYTES: Final = 4 << 20
_PROMETHEUS: Final = (
    b"go_memstats_",
    b"go_memory_classes_",
    b"go_goroutines",
    b"go_gc_duration_seconds",
    b"process_runtime_go_",
)


def parse_go_metrics(body: bytes) -> GoHeap:
    """Parse the heap figures of an answer. Raises ParseError with a reason that the panel can show."""
    if len(body) > MOST_BYTES:
        raise ParseError("metrics", "more than 4 MiB, too large for Go metrics")
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:64].lower()
    if not start:
        raise ParseError("metrics", "an empty answer")
    if start.startswith((b"{", b"[")):
        return parse_expvar(body.removeprefix(b"\xef\xbb\xbf"))
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")):
        raise ParseError("metrics", "a web page, not metrics; is the path right?")
    if b"\0" in body:
        raise ParseError("metrics", "binary data (a profile, perhaps), not metrics")
    if any(name in body for name in _PROMETHEUS):
        return parse_prometheus(body)
    return parse_plain_text(body)
