"""Builds the Detail of the process in focus, for the instant that is shown."""

from __future__ import annotations

from memtop.engine.event_log import Event, EventLog
from memtop.engine.focus_readers import FocusReaders
from memtop.engine.frozen_view import Shown
from memtop.engine.row_builder import why_unknown
from memtop.history.process_history import fitting_window_s, right_edge_s, series, slope_bytes_per_min
from memtop.history.rings import History
from memtop.model.frame import Detail, Mark, ProcessRow
from memtop.model.request import Request
from memtop.sampling.request import Need


class DetailBuilder:
    """Combines history, events and readings into a Detail. It reads nothing itself."""

    def __init__(self, history: History, events: EventLog, readers: FocusReaders) -> None:
        self._history = history
        self._events = events
        self._readers = readers

    def build(self, request: Request, shown: Shown, row: ProcessRow, past_s: float | None) -> Detail:
        """Build the detail.

        ``row`` is the process at the instant shown: that of ``shown``, or ``past_s`` under the cursor.
        """
        key, window, needs = row.key, request.window, request.readings.focus_needs
        now_s, back = shown.now_s, past_s is not None
        at_s = now_s if past_s is None else past_s
        track = self._history.tracks.get(key)
        window_s = window.window_s or fitting_window_s(now_s - track.first_s if track is not None else 0.0)
        right_s = right_edge_s(at_s, now_s, window_s, window.points)
        until_s = self._known_until_s(next((one for one in shown.rows if one.key == key), row), shown)
        readers = self._readers
        regions = readers.regions(key, now_s, window) if Need.MAPPINGS in needs else None
        sharing = readers.sharing(key, regions) if regions is not None and Need.FAMILY in needs and not back else None
        mark = readers.mark(key, now_s)
        events = [*self._events.of(key), *readers.gc_events(key, right_s - window_s, right_s)]
        if mark is not None:
            events.append(Event(mark.at_s, "mark", "mark"))
        return Detail(
            row=row,
            status=None if back else shown.status(key),
            series=series(
                self._history, key, right_s=right_s, until_s=until_s, window_s=window_s, points=window.points
            ),
            window_s=window_s,
            right_edge_s=right_s + shown.offset_s,
            cursor_s=None if past_s is None else past_s - right_s,
            marks=tuple(
                Mark(event.at_s - right_s, event.kind, event.label)
                for event in sorted(events)
                if right_s - window_s <= event.at_s <= right_s
            ),
            gone=row.gone_s is not None,
            slope_bytes_per_min=slope_bytes_per_min(self._history, key, until_s if past_s is None else past_s),
            why_unknown=why_unknown(row, back),
            outlook=None if back else shown.outlooks.get(key),
            regions=regions,
            sharing=sharing,
            runtime=readers.runtime(row, at_s, shown.sample) if Need.RUNTIME in needs else None,
            mark=mark,
            mark_dropped=readers.mark_dropped(key),
            paused=window.stands_still,
        )

    def _known_until_s(self, row: ProcessRow, shown: Shown) -> float:
        """The last time at which its memory was read: the instant shown, unless it had ended or become a zombie."""
        process = shown.process(row.key)
        if process is not None and process.statm is not None:
            return shown.now_s
        diary, track = self._history.diaries.get(row.key), self._history.tracks.get(row.key)
        if diary:
            return min(shown.now_s, diary.times_s[-1])
        if row.gone_s is not None:
            return min(shown.now_s, row.gone_s - shown.offset_s)
        return min(shown.now_s, track.changed_s) if track is not None else shown.now_s
