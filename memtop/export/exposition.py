"""The Prometheus text of a frame's metrics, made once a sample, however often it is scraped."""

from __future__ import annotations

from threading import Lock

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder, generate_latest

from memtop.export.metrics import Families, Metrics
from memtop.model.frame import Frame


class Exposition:
    """Takes frames on one thread, gives text on others."""

    def __init__(self) -> None:
        self._metrics = Metrics()
        self._lock = Lock()
        self._registry = CollectorRegistry()
        self._texts: dict[str, bytes] = {}
        """By content type."""

    def take(self, frame: Frame) -> None:
        """The next sample."""
        registry = CollectorRegistry()
        registry.register(Families(self._metrics.families(frame)))
        ProcessCollector(registry=registry)  # memtop's own CPU, memory and descriptors
        with self._lock:
            self._registry, self._texts = registry, {}

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """The text, and its content type, for a header Accept."""
        encode, content_type = choose_encoder(accept)  # one of a handful, whatever is asked for
        with self._lock:
            if content_type not in self._texts:
                self._texts[content_type] = encode(self._registry)
            return self._texts[content_type], content_type

    def plain(self) -> bytes:
        """The text format that node_exporter reads from files."""
        with self._lock:
            return generate_latest(self._registry)
