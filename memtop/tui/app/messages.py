"""Messages from the sampler's thread to the application."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from memtop.model.frame import Frame


class FrameReady(Message):
    """A newer frame. It replaces one that waits."""

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self.frame = frame

    def can_replace(self, message: Message) -> bool:
        """A frame is obsolete when there is a newer one."""
        return isinstance(message, FrameReady)


@dataclass
class SamplerTroubled(Message):
    """The sampler failed and was started again."""

    text: str


class RecordingEnded(Message):
    """A replay has reached its end."""
