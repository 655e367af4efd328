"""The topic that explains the Runtime panel: that of the runtime which the process in focus runs on."""

from __future__ import annotations

from typing import Final

from memtop.model.frame import Frame

_TOPICS: Final = {"jvm": "jvm_panel", "node": "node_heap", "python": "pymalloc"}


def runtime_topic(frame: Frame | None) -> str:
    """Name of the topic; that of allocators where no runtime is known."""
    inside = frame.detail.inside if frame is not None and frame.detail is not None else None
    native = inside.native if inside is not None else None
    runtime = native.runtime.value if native is not None and native.runtime is not None else ""
    if inside is not None and (inside.build is not None or inside.go is not None):
        return "go_panel"
    return _TOPICS.get(runtime, "allocators")
