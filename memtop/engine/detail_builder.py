"""Builds the Detail of the process in focus, for the instant that is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from memtop.engine.focus_readers import FocusReaders
from memtop.engine.frozen_view import Shown
from memtop.engine.row_builder import why_unknown
from memtop.history.process_history import fitting_window_s, joined, right_edge_s, series, slope_bytes_per_min
from memtop.history.rings import Event, EventLog, History
from memtop.model.detail import Detail, Mark, Series, ShownWindow
from memtop.model.request import Request
from memtop.model.row import ProcessRow
from memtop.process_key import ProcessKey
from memtop.sampling.request import Need

AFTER_END: Final = 0.15
"""The share of the chart that lies after the end of a process."""


class OtherLife(NamedTuple):
    """Another life of the program whose process is in focus."""

    key: ProcessKey
    until_s: float
    """Its end on the clock of Instant.mono_s; infinite while it lives."""
    how: str
    """How it ended, in one or two words; empty while it lives."""


class DetailBuilder:
    """Combines history, events and readings into a Detail. It reads nothing itself."""

    def __init__(self, history: History, events: EventLog, readers: FocusReaders) -> None:
        self._history = history
        self._events = events
        self._readers = readers

    def build(
        self, request: Request, shown: Shown, row: ProcessRow, past_s: float | None, others: Sequence[OtherLife] = ()
    ) -> Detail:
        """Build the detail.

        ``row`` is the process at the instant shown: that of ``shown``, or ``past_s`` under the cursor. ``others`` are
        lives of the same program that the chart shows beside its own, the oldest first.
        """
        key, window, needs = row.key, request.window, request.readings.focus_needs
        now_s, back = shown.now_s, past_s is not None
        until_s = self._known_until_s(next((one for one in shown.rows if one.key == key), row), shown)
        outlook = None if back else shown.outlooks.get(key)
        autopsy = outlook.autopsy if outlook is not None else None
        own_end = autopsy.on_chart if autopsy is not None else next((one.how for one in others if one.key == key), "")
        others = [one for one in others if one.key in self._history.tracks and one.key != key]
        tracks = [found for one in (key, *(one.key for one in others)) if (found := self._history.tracks.get(one))]
        known_s = now_s - min((track.first_s for track in tracks), default=now_s)
        if row.gone_s is not None and not back:  # the chart stands still with the end in it
            window_s = window.window_s or fitting_window_s(known_s - (now_s - until_s))
            last_s = min(now_s, until_s + AFTER_END * window_s)
            right_s = right_edge_s(last_s, last_s, window_s, window.points)
        else:
            window_s = window.window_s or fitting_window_s(known_s)
            right_s = right_edge_s(now_s if past_s is None else past_s, now_s, window_s, window.points)
        at_s = now_s if past_s is None else past_s
        readers = self._readers
        regions = readers.regions(key, now_s, window) if Need.MAPPINGS in needs else None
        sharing = readers.sharing(key, regions) if regions is not None and Need.FAMILY in needs and not back else None
        mark = readers.mark(key, now_s)
        own = [one._replace(label=own_end) if own_end and one.kind == "gone" else one for one in self._events.of(key)]
        events = [*own, *readers.gc_events(key, right_s - window_s, right_s)]
        if mark is not None:
            events.append(Event(mark.at_s, "mark", "mark"))
        events += [Event(one.until_s, "gone", one.how) for one in others if one.how]

        def past_of(one: ProcessKey, end_s: float) -> Series:
            return series(self._history, one, right_s=right_s, until_s=end_s, window_s=window_s, points=window.points)

        past = past_of(key, until_s)
        for one in reversed(others):
            if one.until_s > right_s - window_s:
                past = joined(past, past_of(one.key, min(one.until_s, now_s)))
        return Detail(
            row=row,
            status=None if back else shown.status(key),
            series=past,
            window=ShownWindow(
                window_s,
                right_edge_s=right_s + shown.offset_s,
                edge_age_s=now_s - right_s,
                cursor_s=None if past_s is None else past_s - right_s,
            ),
            marks=tuple(
                Mark(event.at_s - right_s, event.kind, event.label)
                for event in sorted(events)
                if right_s - window_s <= event.at_s <= right_s
            ),
            gone=row.gone_s is not None,
            slope_bytes_per_min=slope_bytes_per_min(self._history, key, until_s if past_s is None else past_s),
            why_unknown=why_unknown(row, back),
            outlook=outlook,
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
        detailed, track = self._history.detailed_tracks.get(row.key), self._history.tracks.get(row.key)
        if detailed:
            return min(shown.now_s, detailed.times_s[-1])
        if row.gone_s is not None:
            return min(shown.now_s, row.gone_s - shown.offset_s)
        return min(shown.now_s, track.changed_s) if track is not None else shown.now_s
