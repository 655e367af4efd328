"""The timeline of a recording: RES of the process in focus is looked up once, and kept of a few."""

from __future__ import annotations

from collections.abc import Iterator

from memtop.engine.recorded_timeline import KEPT, RecordedTimeline
from memtop.model.timeline import PARTS
from memtop.process_key import ProcessKey
from memtop.sources.protocol import NotedEvent
from tests.tui.details import make_detail
from tests.tui.frames import frame


class Looked:
    """A recording of two samples that counts how often a process is looked up."""

    def __init__(self) -> None:
        self.pids: list[int] = []

    @property
    def span(self) -> tuple[float, float]:
        return 0.0, 100.0

    def events(self) -> list[tuple[float, NotedEvent]]:
        return []

    def sweeps_of(self, name: str, pid: int) -> Iterator[tuple[float, bytes | None]]:
        self.pids.append(pid)
        return iter([(0.0, b"9 5 1 1 0 9 0\n"), (50.0, b"9 6 1 1 0 9 0\n")])


def test_res_is_looked_up_again_only_after_many_others_were_in_focus() -> None:
    source = Looked()
    timeline = RecordedTimeline()
    detail = make_detail()

    def show(pid: int) -> None:
        timeline.at(frame(detail=detail._replace(row=detail.row._replace(key=ProcessKey(pid, 1)))), source)

    for pid in (*range(1, 1 + KEPT), 1):
        show(pid)
    assert source.pids == [*range(1, 1 + KEPT)]
    show(99)
    show(2)
    assert source.pids == [*range(1, 1 + KEPT), 99, 2]


def test_res_holds_between_samples_that_are_regularly_apart_and_not_where_none_came_for_long() -> None:
    class Sparse(Looked):
        def sweeps_of(self, name: str, pid: int) -> Iterator[tuple[float, bytes | None]]:
            return ((at_s, b"9 5 1 1 0 9 0\n") for at_s in (0.0, 1.0, 2.0, 8.0, 14.0, 20.0, 60.0, 61.0))

    timeline, source = RecordedTimeline(), Sparse()
    detail = make_detail()
    shown = frame(detail=detail._replace(row=detail.row._replace(started_s=None)))
    timeline.at(shown, source)
    while timeline.has_work:
        timeline.work(lambda: 0.0, 1.0)
    rss = timeline.at(shown, source).rss_bytes
    known = {at_s for at_s in range(62) if rss[int((at_s + 0.5) / 100 * PARTS)] is not None}
    assert known == {0, 1, *range(8, 20), 60}
