"""Shared memory that no mount, segment or mapping explains: who has it open as memfds."""

from __future__ import annotations

import io
import json
from contextlib import closing
from pathlib import Path

import pytest

from memtop.analysis.ledger.machine import MachinePart
from memtop.engine.engine import Engine
from memtop.errors import AccessDenied, MemtopError, ProcessGone, Unavailable
from memtop.explain.machine_sentences import held_by, sentences
from memtop.headless import machine as command
from memtop.model.machine import Holder, MachineView
from memtop.procfs.memfds_report import Memfd, MemfdsReport, format_memfds_report
from memtop.sampling.memfd_reader import LEAST_PER_SAMPLE, PER_SAMPLE, REST_S
from memtop.sampling.request import Need
from memtop.sources.live import LiveSource
from memtop.sources.protocol import MOUNTS, READ_LIMIT, Answer
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from tests.children import eventually, python
from tests.engine.test_machine_view import MIB, PANEL, meminfo, part, shown
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource
from tests.requests import changed

UNMAPPED = "tmpfs or memfd: no process that can be read maps a tenth of it"


def report(*memfds: tuple[int, int, bytes], is_cut: bool = False, at_s: float = 1001.0) -> bytes:
    """Inode, MiB and name of each."""
    found = tuple(Memfd(one, size * MIB, name) for one, size, name in memfds)
    return format_memfds_report(MemfdsReport(at_s, found, is_cut))


def world(**memfds: bytes) -> tuple[FakeSource, Engine]:
    """300 MiB of shared memory and two processes, ``app`` 42 and ``app`` 43, with the reports p42 and p43."""
    source = FakeSource(FakeProcess(42), FakeProcess(43))
    source.files |= {
        "proc/meminfo": meminfo(),
        MOUNTS: b"tmpfs %d %d /dev/shm" % (8 * MIB, 2000 * MIB),
        "proc/sysvipc/shm": b"shmid size nattch uid cpid rss swap\n",
        "proc/42/memfds": memfds.get("p42", report()),
        "proc/43/memfds": memfds.get("p43", report()),
    }
    return source, Engine(source)


def held(view: MachineView, most: int = 3) -> str:
    return held_by(part(view, MachinePart.SHMEM), most)


def memfd_holders(view: MachineView) -> list[Holder]:
    return [one for one in part(view, MachinePart.SHMEM).holders if one.kind == "memfd"]


def unread(view: MachineView) -> str | None:
    return view.unread.get("some open memfds")


def asked(source: FakeSource) -> set[str]:
    return {path for path in source.asked_ever if path.endswith("/memfds")}


def test_the_process_that_has_a_memfd_open_is_named_with_its_name_cleaned() -> None:
    view = shown(world(p42=report((7, 236, b"ring\n\x1b[31mred")))[1], 5)
    assert held(view) == "app 42 236M (memfd ring^J^[[31mred), /dev/shm 8.00M"
    assert unread(view) is None


def test_a_memfd_that_several_processes_have_open_counts_once() -> None:
    shared = (7, 200, b"frames")
    view = shown(world(p42=report(shared, (8, 20, b"log"), (9, 10, b"x")), p43=report(shared))[1], 5)
    assert held(view) == "app 42 200M (memfd frames, also open in 1 more), app 42 30.0M (2 memfds), /dev/shm 8.00M"


def test_of_many_processes_the_largest_are_named_and_the_others_are_summed() -> None:
    source, engine = world(p42=report((7, 50, b"a")))
    for number in range(20):
        source.add(FakeProcess(100 + number))
        source.files[f"proc/{100 + number}/memfds"] = report((100 + number, 10, b"b"))
    holders = memfd_holders(shown(engine, 5))
    assert len(holders) == 5 and sum(one.size_bytes or 0 for one in holders) == 250 * MIB
    assert Holder("memfd", "other processes", 170 * MIB, memfds=17) == holders[0]
    assert held(shown(engine, 1), 1) == "other processes 170M (17 memfds)"


def test_little_that_is_found_explains_nothing() -> None:
    view = shown(world(p42=report((7, 20, b"small")))[1], 5)
    assert held(view) == UNMAPPED and [one.pid for one in memfd_holders(view)] == [42], "JSON has what was found"


@pytest.mark.parametrize("explained", ["mount", "segment", "mapping", "small", "no panel", "unknown mounts"])
def test_nobody_is_looked_through_where_something_else_explains_it_or_nobody_asks(explained: str) -> None:
    source, engine = world(p42=report((7, 236, b"ring")))
    if explained == "mount":
        source.files[MOUNTS] = b"tmpfs %d %d /dev/shm" % (200 * MIB, 2000 * MIB)
    elif explained == "segment":
        source.files["proc/sysvipc/shm"] = b"shmid size nattch uid cpid rss swap\n7 %d 0 0 1 %d 0\n" % (
            (200 * MIB,) * 2
        )
    elif explained == "mapping":
        source.processes[43].shmem_kib = 200 * 1024
        source.processes[43].rss_pages = source.processes[43].shr_pages = 300 * MIB_PAGES
    elif explained == "small":
        source.files["proc/meminfo"] = meminfo(Shmem=60)
    elif explained == "unknown mounts":
        source.files[MOUNTS] = AccessDenied(MOUNTS)
    for _ in range(5):
        engine.step(changed(PANEL, focus_needs=Need.NONE) if explained == "no panel" else PANEL)
    assert asked(source) == set()


def test_a_few_processes_are_looked_through_at_a_time_and_who_is_missing_is_said() -> None:
    source, engine = world()
    source.took_s = 0.0001
    for number in range(3 * PER_SAMPLE):
        source.add(FakeProcess(100 + number))
        source.files[f"proc/{100 + number}/memfds"] = report()
    source.files["proc/43/memfds"] = AccessDenied("proc/43/memfds")
    source.files["proc/42/memfds"] = report((7, 1, b"x"), is_cut=True)
    before, rounds = len(asked(source)), []
    for _ in range(12):
        view = shown(engine, 1)
        rounds.append(len(asked(source)) - before)
        before = len(asked(source))
    assert max(rounds) == PER_SAMPLE and sum(rounds) == 3 * PER_SAMPLE + 2
    assert unread(view) == "not permitted for 1 process, not all of 1 process"
    said = "some open memfds could not be read: not permitted for 1 process, not all of 1 process."
    assert said in sentences(view)
    source, engine = world()
    assert unread(shown(engine, 2)) == "not yet for 2 processes"


@pytest.mark.parametrize(
    ("error", "said"), [(ProcessGone("proc/43/memfds"), None), (Unavailable("proc/43/memfds"), "not yet for 1 process")]
)
def test_a_process_that_has_just_ended_has_none_and_one_that_cannot_be_read_is_missing(
    error: MemtopError, said: str | None
) -> None:
    source, engine = world(p42=report((7, 236, b"ring")))
    source.files["proc/43/memfds"] = error
    view = shown(engine, 5)
    assert unread(view) == said and held(view, 1) == "app 42 236M (memfd ring)"


def test_of_processes_that_take_long_fewer_are_looked_through() -> None:
    source, engine = world()
    source.took_s = 0.02
    for number in range(100):
        source.add(FakeProcess(100 + number))
        source.files[f"proc/{100 + number}/memfds"] = report()
    shown(engine, 8)
    before = len(asked(source))
    shown(engine, 5)
    assert len(asked(source)) - before == 5 * LEAST_PER_SAMPLE


def test_it_is_looked_again_after_a_rest_and_what_was_closed_is_gone() -> None:
    source, engine = world(p42=report((7, 236, b"ring")), p43=report((8, 40, b"log")))
    assert len(memfd_holders(shown(engine, 5))) == 2
    source.files["proc/42/memfds"] = report()
    source.add(FakeProcess(43, start_ticks=900))  # another process, which has none
    source.files["proc/43/memfds"] = report()
    times = source.asked_ever.count("proc/42/memfds")
    assert [one.pid for one in memfd_holders(shown(engine, 5))] == [42]
    assert memfd_holders(shown(engine, int(REST_S) + 5)) == []
    assert source.asked_ever.count("proc/42/memfds") == times + 1


def test_what_was_known_when_the_panel_was_left_is_not_shown_when_it_is_opened_again() -> None:
    source, engine = world(p42=report((7, 236, b"ring")))
    source.hanging.add(43)
    assert memfd_holders(shown(engine, 5))
    for _ in range(20):
        engine.step(changed(PANEL, focus_needs=Need.NONE))
    source.files["proc/42/memfds"] = report()
    assert memfd_holders(shown(engine, 1)) == []
    assert "proc/43/memfds" in source.abandoned


def test_who_opens_a_recording_later_sees_what_had_been_found_unless_it_is_old(tmp_path: Path) -> None:
    source, _ = world(p42=report((7, 236, b"ring"), at_s=1003.0))
    recorder = Recorder(source, str(tmp_path / "r"))
    shown(Engine(recorder), 150)
    recorder.close()
    with closing(Replay(str(tmp_path / "r"))) as replay:
        for position, found in ((20, True), (60, True), (140, False)):
            replay.seek(position)
            view = shown(Engine(replay, position=replay.position), 3)
            assert [one.pid for one in memfd_holders(view)] == ([42] if found else []), position


def test_a_replay_shows_the_same_holders(tmp_path: Path) -> None:
    source, _ = world(p42=report((7, 236, b"ring")))
    source.files["proc/43/memfds"] = AccessDenied("proc/43/memfds")
    recorder = Recorder(source, str(tmp_path / "r"))
    engine, views = Engine(recorder), []
    for _ in range(6):
        views.append(shown(engine, 1))
    recorder.close()
    with closing(Replay(str(tmp_path / "r"))) as replay:
        played = Engine(replay, position=replay.position)
        again = [shown(played, 1) for _ in range(6)]
    assert [held(view) for view in again] == [held(view) for view in views]
    assert held(again[-1]).startswith("app 42 236M (memfd ring)")
    assert unread(again[-1]) == unread(views[-1]) == "not permitted for 1 process"


class MostlyUnmapped(LiveSource):
    """This machine with 65 MiB of shared memory, none of it in a mount or a segment."""

    def read(self, path: str, size: int = READ_LIMIT) -> bytes:
        return meminfo(Shmem=65) if path == "proc/meminfo" else super().read(path, size)

    def ask(self, path: str, size: int = READ_LIMIT) -> Answer | None:
        return Answer(b"", 0.0) if path in (MOUNTS, "proc/sysvipc/shm") else super().ask(path, size)


def test_what_a_real_process_has_written_is_named_live_in_a_replay_and_by_the_command(tmp_path: Path) -> None:
    write = "import os; f = os.memfd_create('frames'); os.posix_fallocate(f, 0, 40 << 20); print(flush=True); input()"
    with python(write) as child:
        panel = changed(PANEL, only=frozenset({child.pid}))
        with closing(Recorder(MostlyUnmapped(), str(tmp_path / "r"))) as recorder:
            engine = Engine(recorder)

            def view() -> MachineView:
                frame = engine.step(panel)
                assert frame is not None and frame.machine is not None
                return frame.machine

            assert eventually(lambda: bool(memfd_holders(view())))
            (live,) = memfd_holders(view())
        out = io.StringIO()
        with closing(MostlyUnmapped()) as source:
            assert command.run(source, json=True, out=out, err=io.StringIO()) == 0
    assert (live.pid, live.size_bytes, live.memfd) == (child.pid, 40 * MIB, "frames")
    with closing(Replay(str(tmp_path / "r"))) as replay:
        played, last = Engine(replay, position=replay.position), None
        while (frame := played.step(PANEL)) is not None:
            last = frame.machine
    assert last is not None and memfd_holders(last) == [live]
    holders = next(one["holders"] for one in json.loads(out.getvalue())["parts"] if one["part"] == "shmem")
    printed = next(one for one in holders if one["pid"] == child.pid)
    assert (printed["kind"], printed["bytes"], printed["memfd"], printed["memfds"]) == ("memfd", 40 * MIB, "frames", 1)
