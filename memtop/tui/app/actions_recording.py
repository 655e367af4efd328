"""The key that keeps what memtop has seen: it begins and ends a recording."""

from __future__ import annotations

import time

from memtop import units
from memtop.errors import MemtopError
from memtop.tui.app.app_state import AppState


class RecordingActions(AppState):
    """Begins a recording with what was already sampled, and ends it.

    Both may wait for the disk, so a thread does it.
    """

    def action_record(self) -> None:
        if self.recording is None:
            self.say("already playing a recording", severity="warning")
            return
        self.run_worker(self._toggle, thread=True, exclusive=False, group="recording", name="recording")

    def _toggle(self) -> None:
        if self._toggling.acquire(blocking=False):  # the key was pressed again while the disk is slow
            try:
                text, severity = self._stop() if self._is_recording else self._start()
                self.call_from_thread(self._say_recording, text, severity)
            finally:
                self._toggling.release()

    @property
    def _is_recording(self) -> bool:
        return self.recording is not None and self.recording.state is not None

    def _start(self) -> tuple[str, str]:
        assert self.recording is not None
        now_s = time.time()
        path = time.strftime("memtop-%Y%m%d-%H%M%S.memtop", time.localtime(now_s))
        try:
            self.recording.start(path)
        except MemtopError as error:
            return f"not recorded: {error}", "error"
        state = self.recording.state
        past = ", from now on"
        if state is not None and state.from_s is not None and state.from_s < now_s:
            since = time.strftime("%H:%M:%S", time.localtime(state.from_s))
            every = "" if state.sparse_s is None else f", of so many processes every {state.sparse_s:.0f} s"
            past = f", from {since} on ({units.duration(now_s - state.from_s)} back, all that is in memory{every})"
        return f"recording to {path}{past}; w stops", "information"

    def _stop(self) -> tuple[str, str]:
        assert self.recording is not None
        state = self.recording.state
        problem = self.recording.stop()
        if state is None or problem:
            return problem or "recording stopped", "error"
        return f"recorded: {state.path}, {units.long_size(state.size_bytes)}", "information"

    def _say_recording(self, text: str, severity: str) -> None:
        self.say(text, severity=severity)
        self.show_header()
