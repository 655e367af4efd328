"""An oom_score_adj that cannot be read is unknown in every sentence, field, rank and count; it is never 0."""

from __future__ import annotations

import pytest

from memtop.analysis.limits.oom_score import Candidate, ranking
from memtop.engine.engine import Engine
from memtop.errors import AccessDenied, MemtopError
from memtop.explain.finding_text import sentences_of
from memtop.model.frame import Frame
from memtop.sampling.request import Need
from memtop.sources.protocol import Exit, pid_of
from memtop.tui.panels.limit_sentences import sentences
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource, outlook
from tests.requests import request
from tests.sampling.test_cgroups import APP, MIB, POD, STAT, v2

DENIED = AccessDenied("proc/43/oom_score_adj: Permission denied")
GIB = 1 << 30


def full(adj: bytes | MemtopError, *, steps: int = 4) -> tuple[FakeSource, Engine, Frame]:
    """A cgroup 95 % full of two processes; ``adj`` is that of the larger one."""
    process = FakeProcess(42, rss_pages=30 * MIB_PAGES)
    source = v2(process, FakeProcess(43, rss_pages=65 * MIB_PAGES, cmdline=b"giant\0"))
    source.files |= {
        f"{APP}/memory.high": b"max\n",
        f"{APP}/memory.oom.group": b"0\n",
        f"{APP}/memory.current": b"%d\n" % (96 * MIB),
        f"{APP}/memory.stat": STAT.replace(b"anon 50000000", b"anon %d" % (90 * MIB)),
        "proc/43/oom_score_adj": adj,
    }
    engine = Engine(source)
    return source, engine, after(engine, steps)


def after(engine: Engine, steps: int) -> Frame:
    ask = request(
        panel="limits",
        focus=FakeProcess(42).key,
        needs=Need.STAT | Need.STATUS,
        needs_all=Need.STAT | Need.STATUS | Need.OOM | Need.VICTIM,
    )
    for _ in range(steps):
        frame = engine.step(ask)
    assert frame is not None
    return frame


def said(frame: Frame) -> str:
    assert frame.detail is not None
    near = next(one for one in outlook(frame).findings if one.name == "near_limit")
    return "\n".join([sentences_of(near).says, *sentences(frame.detail, outlook(frame), frame)])


def test_with_all_known_the_first_victim_is_named() -> None:
    _, _, frame = full(b"0\n")
    text = said(frame)
    assert "giant (43) is first of 2" in text and "this process is 2nd of 2" in text
    assert {row.pid: row.oom_rank for row in frame.rows} == {43: 1, 42: 2}


def test_the_only_candidate_is_named_even_if_it_is_another_process() -> None:
    _, _, frame = full(b"-1000\n")
    assert "OOM-kills this process, the only candidate in the cgroup" in said(frame), "giant is exempt"
    source, engine, _ = full(b"0\n")
    source.files["proc/42/oom_score_adj"] = b"-1000\n"
    text = said(after(engine, 30))
    assert "OOM-kills giant (43), the only candidate in the cgroup" in text and "this process is exempt" in text


def test_where_all_are_killed_at_once_no_rank_is_given() -> None:
    source, engine, _ = full(b"0\n")
    source.files[f"{APP}/memory.oom.group"] = b"1\n"
    text = said(after(engine, 30))
    assert "would kill giant (43) first, and all processes in its cgroup with it (memory.oom.group)." in text
    assert "2nd of 2." not in text.partition("On the machine")[0]


def test_with_one_unknown_no_rank_no_victim_and_no_number_of_candidates_is_given() -> None:
    _, _, frame = full(DENIED)
    text = said(frame)
    assert "giant" not in text and "first of" not in text and "only" not in text and "2nd of" not in text
    assert (outlook(frame).in_cgroup, outlook(frame).on_machine) == (None, None)
    assert {row.oom_rank for row in frame.rows} == {None}
    assert next(row.oom_score_adj for row in frame.rows if row.pid == 43) is None


def test_a_rank_that_was_known_goes_when_it_cannot_be_read_any_more() -> None:
    source, engine, frame = full(b"0\n")
    assert {row.oom_rank for row in frame.rows} == {1, 2}
    source.files["proc/43/oom_score_adj"] = DENIED
    assert {row.oom_rank for row in after(engine, 31).rows} == {None}


@pytest.mark.parametrize(
    ("changes", "order"),
    [
        ({}, [2, 1]),
        ({"adj": None}, []),
        ({"swap_bytes": None}, []),
        ({"adj": None, "exempt": True}, [1]),
        ({"adj": -1000, "swap_bytes": None}, [1]),
    ],
)
def test_the_order_is_known_only_if_all_that_decides_is(changes: dict[str, int | None], order: list[int]) -> None:
    other = Candidate(2, 5, 2 * MIB, 0, 0, 0)._replace(**changes)  # type: ignore[arg-type]
    assert ranking([Candidate(1, 5, MIB, 0, 0, 0), other], GIB) == order


@pytest.mark.parametrize("kernel_threads", [True, False])
def test_only_the_init_of_the_machine_is_exempt_and_not_that_of_a_pid_namespace(kernel_threads: bool) -> None:
    init = FakeProcess(1, ppid=0, rss_pages=50 * MIB_PAGES)
    source = FakeSource(init, FakeProcess(42), *([FakeProcess(2, ppid=0, flags=0x0020_8040)] if kernel_threads else []))
    ranks = {row.pid: row.oom_rank for row in after(Engine(source), 3).rows if row.pid != 2}
    assert ranks == ({1: None, 42: 1} if kernel_threads else {1: 1, 42: 2})


def pod_of_two() -> FakeSource:
    """A pod with a limit, whose larger process is in another cgroup than the one that is asked for."""
    source = v2(FakeProcess(42, rss_pages=30 * MIB_PAGES))
    source.add(FakeProcess(43, rss_pages=65 * MIB_PAGES, cmdline=b"giant\0"))
    source.add(FakeProcess(44, rss_pages=90 * MIB_PAGES, cmdline=b"elsewhere\0"))
    other = f"{POD}/other.scope"
    source.files |= {
        "proc/43/cgroup": b"0::/kubepods.slice/pod1/other.scope\n",
        "proc/44/cgroup": b"0::/kubepods.slice\n",
        f"{APP}/cgroup.procs": b"42\n",
        f"{APP}/memory.max": b"max\n",
        f"{APP}/memory.high": b"max\n",
        f"{other}/cgroup.controllers": b"memory pids\n",
        f"{other}/memory.max": b"max\n",
        f"{other}/memory.high": b"max\n",
        f"{other}/cgroup.procs": b"43\n",
        f"{POD}/memory.max": b"%d\n" % (100 * MIB),
        f"{POD}/memory.oom.group": b"0\n",
        f"{APP}/memory.oom.group": b"1\n",
        f"{other}/memory.oom.group": b"0\n",
        f"{POD}/memory.current": b"%d\n" % (70 * MIB),
        f"{POD}/memory.stat": STAT.replace(b"anon 50000000", b"anon %d" % (60 * MIB)),
        **{f"proc/{pid}/oom_score_adj": b"0\n" for pid in (42, 43, 44)},
    }
    return source


def fill(source: FakeSource) -> None:
    source.files |= {
        f"{POD}/memory.current": b"%d\n" % (96 * MIB),
        f"{POD}/memory.stat": STAT.replace(b"anon 50000000", b"anon %d" % (90 * MIB)),
    }


@pytest.mark.parametrize("on_screen", [False, True])
def test_where_only_one_process_is_asked_for_the_first_victim_of_a_limit_above_it_is_named(*, on_screen: bool) -> None:
    """The limit is that of the pod, and the larger process is in another cgroup of it, which is not read until then."""
    source = pod_of_two()
    engine = Engine(source)
    ask = request(only=frozenset({42}), outlooks=True, needs_all=Need.STAT | Need.STATUS | Need.OOM)
    if on_screen:
        key = FakeProcess(42).key
        ask = request(only=frozenset({42}), focus=key, visible=frozenset({key}), needs=Need.STAT | Need.OOM)
    for _ in range(3):
        engine.step(ask)
    assert {pid_of(path) for path in source.read_paths} <= {42, None}, "while no limit is near"
    fill(source)
    for _ in range(24):
        frame = engine.step(ask)
    assert frame is not None
    found = outlook(frame) if on_screen else frame.outlooks[FakeProcess(42).key]
    (near,) = [one for one in found.findings if one.name == "near_limit"]
    assert "giant (43) is first of 2" in sentences_of(near).says
    assert "all processes" not in sentences_of(near).says, "memory.oom.group is that of another cgroup"
    assert [row.pid for row in frame.rows] == [42]
    assert not frame.exits and not engine.step(ask).exits  # type: ignore[union-attr]
    del source.processes[43]
    source.ended = [Exit(43, source.wall_s, 1 << 8)]
    ends = [one for _ in range(6) for one in engine.step(ask).exits]  # type: ignore[union-attr]
    assert not ends, "it was not asked for"


def test_a_recording_of_one_process_does_not_become_one_of_all() -> None:
    source = pod_of_two()
    fill(source)
    engine = Engine(source)
    ask = request(only=frozenset({42}), focus=FakeProcess(42).key, outlooks=True, alone=True, needs_all=Need.OOM)
    for _ in range(8):
        frame = engine.step(ask)
        assert {pid_of(path) for path in source.read_paths} <= {42, None}
    assert outlook(frame).in_cgroup is None


def test_a_process_that_may_not_be_read_may_be_the_first_victim() -> None:
    """hidepid=1: 45 is a member, and what it has is not known."""
    source, engine, frame = full(b"0\n")
    assert "giant (43) is first of 2" in said(frame)
    source.add(FakeProcess(45, rss_pages=80 * MIB_PAGES))
    source.files |= {
        f"{APP}/cgroup.procs": b"42\n43\n45\n",
        "proc/45/statm": AccessDenied("proc/45/statm: Permission denied"),
        "proc/45/stat": AccessDenied("proc/45/stat: Permission denied"),
    }
    frame = after(engine, 3)
    assert "first of" not in said(frame) and outlook(frame).in_cgroup is None
