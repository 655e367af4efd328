"""From samples to verdicts, findings and autopsies, on a fake world of version 2."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Mapping
from functools import cache

import pytest

from memtop.analysis.limits.exit_cause import Oom
from memtop.analysis.severity import Severity
from memtop.analysis.trend.classify import Growth, Shape
from memtop.analysis.trend.hysteresis import Confirmation, Evidence
from memtop.columns import BY_NAME
from memtop.engine.assessment.exit_analysis import AUTOPSIES
from memtop.engine.assessment.exit_limits import full_limit
from memtop.engine.assessment.growth_tracker import Verdict
from memtop.engine.assessment.row_marks import sign
from memtop.engine.engine import Engine
from memtop.errors import AccessDenied, MemtopError, NotRecorded
from memtop.explain.finding_text import sentences_of
from memtop.explain.topic_loader import topic
from memtop.headless.check import Answer, answer_to
from memtop.model.assessment import Assessment, CountLimit, ExitReport, Limit, LimitRow
from memtop.model.frame import Frame
from memtop.model.request import Request
from memtop.model.row import Note
from memtop.procfs.statm import OWN_PAGE_BYTES
from memtop.sampling.request import Need
from memtop.sources.protocol import Exit
from memtop.tui.side.finding_lines import finding_lines
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource, outlook
from tests.requests import changed, request
from tests.sampling.test_cgroups import APP, MIB, MOUNT_V2, POD, ROOT, STAT, v1, v2

CLK_TCK = os.sysconf("SC_CLK_TCK")
OLD = 500
KILLED = 9


def on(process: FakeProcess, **changes: object) -> Request:
    return changed(request(focus=process.key, needs=Need.STAT | Need.STATUS, points=30), **changes)


def step(engine: Engine, ask: Request) -> Frame:
    frame = engine.step(ask)
    assert frame is not None
    return frame


def charge(source: FakeSource, used_bytes: int) -> None:
    """Of it 8 MB of page cache on top, as memory.stat of :func:`tests.sampling.test_cgroups.v2` has it."""
    source.files[f"{APP}/memory.current"] = b"%d\n" % (used_bytes + 8_000_000)
    source.files[f"{APP}/memory.stat"] = STAT.replace(b"anon 50000000", b"anon %d" % max(0, used_bytes - 1_400_000))


def grown(
    seconds: int = 100, *, pages_a_s: int = 64, beside: int = 0, files: Mapping[str, bytes] | None = None
) -> tuple[FakeSource, Engine, FakeProcess, Frame]:
    """A process that has grown for so long, in a cgroup of 100 MiB, with so many others that do the same."""
    process = FakeProcess(42, rss_pages=10 * MIB_PAGES)
    others = [FakeProcess(50 + number, rss_pages=10 * MIB_PAGES) for number in range(beside)]
    source = v2(process, *others)
    source.files[f"{APP}/memory.high"] = b"max\n"
    source.files |= files or {}
    engine = Engine(source)
    frame = step(engine, on(process))
    for _ in range(seconds):
        for one in (process, *others):
            one.rss_pages += pages_a_s
        charge(source, sum(4096 * (one.rss_pages - one.shr_pages) for one in (process, *others)))
        frame = step(engine, on(process))
    return source, engine, process, frame


@cache
def grown_steadily() -> tuple[FakeProcess, Frame]:
    """That process and the last frame, which several tests look at."""
    _, _, process, frame = grown()
    return process, frame


def freed_lazily(rollups: Callable[[int], bytes | MemtopError]) -> tuple[FakeSource, Frame]:
    """A process out of focus that rises for 180 s; its smaps_rollup shows so much for how much of that it gave back."""
    process, other = FakeProcess(42, rss_pages=10 * MIB_PAGES), FakeProcess(50)
    source = v2(process, other)
    engine = Engine(source)
    for second in range(180):
        process.rss_pages += 128
        source.files["proc/42/smaps_rollup"] = rollups(second * 512)
        frame = step(engine, request(focus=other.key, needs_all=Need.STAT | Need.STATUS))
    return source, frame


def test_a_row_whose_rise_is_all_given_back_is_level_and_has_no_arrow() -> None:
    source, frame = freed_lazily(
        lambda kib: b"0-1 ---p 00000000 00:00 0 [rollup]\nRss: %d kB\nPss: 9 kB\nLazyFree: %d kB\n" % (kib + 9, kib)
    )
    assert [row.verdict for row in frame.rows if row.pid == 42] == [" ─"]
    read = [path for path in source.asked_ever if "smaps" in path]
    assert set(read) == {"proc/42/smaps_rollup"}, "of nobody else"
    assert len(read) <= 30


@pytest.mark.parametrize("rollup", [AccessDenied("no"), b"0-1 ---p 0 00:00 0 [rollup]\nRss: 9 kB\nLazyFree: 0 kB\n"])
def test_a_row_that_gives_nothing_back_or_may_not_be_read_keeps_its_arrow(rollup: bytes | MemtopError) -> None:
    source, frame = freed_lazily(lambda _: rollup)
    assert [row.verdict for row in frame.rows if row.pid == 42] == ["!↗"]
    assert sum("smaps" in path for path in source.asked_ever) <= 6


def test_steady_growth_is_confirmed_named_and_given_a_range_of_time_that_holds_the_truth() -> None:
    process, frame = grown_steadily()
    found = outlook(frame)
    assert found.state is not None and found.state.alarm and found.state.evidence is Evidence.GROWING
    finding = next(one for one in found.findings if one.name == "growth")
    assert finding.facts["limit_name"] == "app.scope"
    left_s = (100 * MIB - 4096 * (process.rss_pages - process.shr_pages)) / (64 * 4096)
    assert float(finding.facts["early_s"]) <= left_s <= float(finding.facts["late_s"]) + 5
    assert finding.severity is Severity.DANGER
    assert next(row for row in frame.rows if row.pid == 42).verdict == "▲↗", "as the sentence: it is full in minutes"


def test_two_that_grow_in_one_cgroup_share_the_room() -> None:
    alone = next(one for one in outlook(grown_steadily()[1]).findings if one.name == "growth")
    _, _, process, frame = grown(beside=1)
    both = next(one for one in outlook(frame).findings if one.name == "growth")
    assert both.facts["siblings_count"] == 1
    left_s = (100 * MIB - 2 * 4096 * (process.rss_pages - process.shr_pages)) / (2 * 64 * 4096)
    assert float(both.facts["early_s"]) <= left_s <= float(both.facts["late_s"])
    assert float(both.facts["early_s"]) < float(alone.facts["early_s"]) / 2


def growth_of(frame: Frame) -> Mapping[str, float | str]:
    return next(one for one in outlook(frame).findings if one.name == "growth").facts


def test_growth_that_meets_memory_high_first_is_said_to_be_slowed_down() -> None:
    frame = grown(files={f"{APP}/memory.high": b"94371840\n"})[3]
    facts = growth_of(frame)
    assert (facts["brake_name"], facts["limit_bytes"]) == ("memory.high of app.scope", 90 * MIB)
    assert "limit_name" not in facts
    assert next(one for one in outlook(frame).findings if one.name == "growth").severity is Severity.WARNING


def test_once_memory_high_is_passed_the_limit_behind_it_is_told() -> None:
    facts = growth_of(grown(files={f"{APP}/memory.high": b"31457280\n"})[3])
    assert (facts["limit_name"], "brake_name" in facts) == ("app.scope", False)


def test_where_it_may_swap_the_limit_is_not_yet_the_end() -> None:
    files = {
        f"{APP}/memory.swap.max": b"52428800\n",
        f"{APP}/memory.swap.current": b"10485760\n",
        "proc/meminfo": b"MemTotal: 1024000 kB\nMemAvailable: 512000 kB\nSwapTotal: 900000 kB\nSwapFree: 800000 kB\n",
    }
    frame = grown(files=files)[3]
    assert growth_of(frame)["swap_room_bytes"] == 40 * MIB
    limit = outlook(frame).first_met
    assert limit is not None and (limit.limit, limit.swap_room_bytes) == (Limit.CGROUP, 40 * MIB)


def risen(*, anon_pages: int, shr_pages: int, samples: int) -> list[str]:
    """The sentences about a process that rises by so much from each sample to the next."""
    process = FakeProcess(42)
    engine = Engine(v2(process))
    frame = step(engine, on(process))
    for _ in range(samples - 1):
        process.rss_pages += anon_pages + shr_pages
        process.shr_pages += shr_pages
        frame = step(engine, on(process))
    return [sentences_of(one).says for one in outlook(frame).findings if one.name == "rising"]


def test_from_the_third_sample_on_a_rise_is_said_though_it_is_too_early_for_a_verdict() -> None:
    mib = MIB_PAGES
    assert risen(anon_pages=mib, shr_pages=0, samples=2) == []
    assert risen(anon_pages=mib, shr_pages=0, samples=3) == [
        "Rising: +2.00 MiB in 2 s, all of it anonymous; too early to say whether it will continue."
    ]
    assert (
        "+12.0 MiB in 12 s, 6.00 MiB of it anonymous" in risen(anon_pages=mib // 2, shr_pages=mib // 2, samples=13)[0]
    )
    assert "in pages of files or shared memory" in risen(anon_pages=0, shr_pages=mib, samples=3)[0]
    assert risen(anon_pages=-mib, shr_pages=0, samples=9) == risen(anon_pages=0, shr_pages=0, samples=9) == []


def test_what_comes_back_to_the_height_at_which_it_was_given_back_twice_is_not_said_to_rise() -> None:
    process = FakeProcess(42)
    engine = Engine(v2(process))
    said = []
    for mib in [*range(20, 30), *range(20, 30), *range(20, 30), *range(20, 40)]:
        process.rss_pages = mib * MIB_PAGES
        frame = step(engine, on(process))
        said.append("rising" in [one.name for one in outlook(frame).findings])
    assert any(said[:10]) and any(said[10:20]), "at first nobody can know that it comes back"
    assert not any(said[21:40]) and all(said[42:]), "beyond that height it rises"


def test_the_verdict_takes_the_place_of_the_fact() -> None:
    names = [one.name for one in outlook(grown_steadily()[1]).findings]
    assert "growth" in names and "rising" not in names


def test_page_cache_that_rises_is_no_growth() -> None:
    process = FakeProcess(42)
    engine = Engine(v2(process))
    for _ in range(100):
        process.rss_pages += 64
        process.shr_pages += 64
        frame = step(engine, on(process))
    state = outlook(frame).state
    assert state is not None and (state.kind, state.alarm) == (Shape.FLAT, False)


def test_swapping_out_is_no_relief() -> None:
    process = FakeProcess(42, rss_pages=80 * MIB_PAGES)
    source = v2(process)
    engine = Engine(source)
    for second in range(100):
        process.rss_pages -= 64
        source.files["proc/42/status"] = process.status().replace(b"VmSwap:\t0", b"VmSwap:\t%d" % (second * 256 + 256))
        frame = step(engine, on(process))
    growth = outlook(frame).growth
    assert growth is not None and growth.kind is Shape.FLAT


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
def test_a_clock_that_is_set_makes_no_process_young(jump_s: float) -> None:
    process = FakeProcess(42, start_ticks=100 * CLK_TCK)
    source = v2(process)
    engine = Engine(source)
    for second in range(100):
        source.wall_s += jump_s if second == 50 else 0.0
        frame = step(engine, on(process))
    assert "young" not in [one.name for one in outlook(frame).findings]


def test_in_the_first_minute_there_is_no_verdict_and_that_is_said() -> None:
    process = FakeProcess(42, start_ticks=1000 * CLK_TCK)
    source = v2(process)
    engine = Engine(source)
    for _ in range(20):
        process.rss_pages += 500
        frame = step(engine, on(process))
    assert "young" in [one.name for one in outlook(frame).findings]
    assert next(row for row in frame.rows if row.pid == 42).verdict == ""


def test_an_exec_forgets_the_verdict() -> None:
    _, engine, process, _ = grown()
    process.start_code += 4096
    process.comm = b"other"
    frame = step(engine, on(process))
    frame = step(engine, on(process))
    state = outlook(frame).state
    assert state is None or not state.alarm


def test_no_finding_about_the_program_before_an_exec_stands_after_it() -> None:
    """A finding stands for some samples after its condition has ended."""
    _, engine, process, _ = grown()
    for _ in range(4):
        process.minflt += 20_000
        frame = step(engine, on(process))
    assert "churn" in [one.name for one in outlook(frame).findings]
    process.start_code += 4096
    frame = step(engine, on(process))
    assert "churn" not in [one.name for one in outlook(frame).findings]


MEANS = {
    "": ("Unknown yet", "unknown yet", "too early to say", "A verdict on growth takes about 90 s"),
    " ?": ("Unknown yet", "verdict in a few seconds", "may be growing"),
    " ─": ("has been level for",),
    " ~": ("has varied without a trend for",),
    " w": ("swings between",),
    " ^": ("came back down",),
    " ↘": ("is falling",),
    " ┘": ("in one step", "rose in steps"),
    " ╭": ("the rise is ending",),
    "!↗": ("Growing: ",),
    "▲↗": ("Growing: ",),
}


def churn(rng: random.Random) -> Callable[[int], float]:
    """A collected heap whose load changes: single looks at it find growth, and with some seeds a leak."""
    level = [60.0]

    def at(second: int) -> float:
        level[0] = 0.97 * level[0] + 0.03 * 60 + rng.gauss(0, 1.5)
        return level[0] + 2 * (second % 5)

    return at


SHAPES: dict[str, tuple[Callable[[int], float], bool]] = {
    "churn": (churn(random.Random(5)), False),
    "more churn": (churn(random.Random(11)), False),
    "leak": (lambda second: 20 + 0.3 * second, True),
    "late leak": (lambda second: 20 + 0.3 * max(0, second - 60), True),
    "step": (lambda second: 20 + (second > 90) * 30, False),
    "sawtooth": (lambda second: 40 + second % 17, False),
    "spike": (lambda second: 40 + (100 < second < 120) * 30, False),
}
"""MiB at each second, and whether that grows."""


@pytest.mark.parametrize("name", SHAPES)
def test_the_sign_and_the_sentences_say_the_same_at_every_look(name: str) -> None:
    shape, grows = SHAPES[name]
    seen, unseen = FakeProcess(42), FakeProcess(43)
    engine = Engine(FakeSource(seen, unseen))
    signs: dict[int, list[str]] = {42: [""], 43: [""]}
    for second in range(240):
        seen.rss_pages = unseen.rss_pages = seen.shr_pages + int(shape(second) * MIB_PAGES)
        frame = step(engine, on(seen))
        for row in frame.rows:
            signs[row.pid] += [row.verdict] if row.verdict != signs[row.pid][-1] else []
        if frame.detail is not None and frame.detail.outlook is not None and second > 2:
            sign = signs[42][-1]
            said = " ".join(line.text for line in finding_lines(frame.detail, 1000)[0])
            assert any(words in said for words in MEANS[sign]), f"{second} s: {sign!r} beside {said}"
            assert ("Growing: " in said) == (sign in ("!↗", "▲↗"))
    for pid in (42, 43):
        assert bool({"!↗", "▲↗"} & set(signs[pid])) is grows, signs
        assert signs[pid][-1].strip()


def test_every_sign_of_column_v_is_explained_where_it_is_looked_for() -> None:
    looks = [(Growth(kind, 60, 60.0), Confirmation(kind=kind)) for kind in Shape]
    verdicts = [Verdict(look, stands, 0.0, look, 0.0, None) for look, stands in looks]
    shapes = {sign(verdict)[0].strip() for verdict in verdicts} - {""}
    assert {"─", "^", "↘"} <= shapes
    for text in (BY_NAME["verdict"].says, topic("verdicts").body):
        assert [shape for shape in shapes if f"{shape} " not in text] == []


def test_looking_back_shows_no_verdict_and_no_limit_of_now() -> None:
    """Column V went on with the live sign beside the numbers of the past."""
    process = FakeProcess(42)
    source = v2(process)
    engine = Engine(source)
    ask = on(process, needs_all=~Need.NONE)
    for _ in range(70):
        frame = step(engine, ask)
    (live,) = frame.rows
    assert (live.verdict, live.oom_rank) == (" ─", 1) and live.limit_percent is not None
    (past,) = step(engine, changed(ask, cursor_s=source.wall_s - 4, frozen=True)).rows
    assert past.rss_bytes == live.rss_bytes
    assert (past.verdict, past.verdict_rank, past.oom_rank, past.limit_percent) == ("", None, None, None)
    assert step(engine, ask).rows[0].verdict == " ─"


def test_what_is_given_back_by_madv_free_is_no_growth() -> None:
    process = FakeProcess(42)
    source = v2(process)
    engine = Engine(source)
    for second in range(140):
        process.rss_pages += 128
        rollup = b"5000-6000 ---p 00000000 00:00 0 [rollup]\nRss: %d kB\nLazyFree: %d kB\n"
        kib = OWN_PAGE_BYTES // 1024
        source.files["proc/42/smaps_rollup"] = rollup % (process.rss_pages * kib, 128 * kib * (second + 1))
        frame = step(engine, on(process))
    found = outlook(frame)
    assert found.state is not None and (found.state.kind, found.state.alarm) == (Shape.FLAT, False)
    assert found.lazy_free_bytes == pytest.approx(128 * OWN_PAGE_BYTES * 140, rel=0.05)
    assert "lazyfree" in [one.name for one in found.findings]
    asked = [path for path in source.asked_ever if path == "proc/42/smaps_rollup"]
    assert 20 <= len(asked) <= 30, "every five seconds, while it seems to grow"


def test_where_it_cannot_be_read_the_growth_says_so_and_it_is_not_asked_for_all_the_time() -> None:
    process = FakeProcess(42)
    source = v2(process)
    source.files["proc/42/smaps_rollup"] = AccessDenied("proc/42/smaps_rollup: Permission denied")
    engine = Engine(source)
    for _ in range(100):
        process.rss_pages += 64
        frame = step(engine, on(process))
    growth = next(one for one in outlook(frame).findings if one.name == "growth")
    assert growth.facts["unread"] == "no permission to read it"
    assert len([path for path in source.asked_ever if path == "proc/42/smaps_rollup"]) <= 4


def test_a_process_that_does_not_grow_is_not_read_for_it() -> None:
    process = FakeProcess(42)
    source = v2(process)
    engine = Engine(source)
    for _ in range(100):
        step(engine, on(process))
    assert not any("smaps" in path for path in source.asked_ever)


def test_limits_are_listed_with_the_one_that_binds_and_the_victim() -> None:
    process = FakeProcess(42)
    source = v2(process, FakeProcess(43, rss_pages=90 * MIB_PAGES, cmdline=b"python3\0/srv/giant.py\0"))
    charge(source, 95 * MIB)
    source.files["proc/42/limits"] = b"Max address space         512000000            unlimited            bytes     \n"
    engine = Engine(source)
    for _ in range(4):
        frame = step(engine, on(process, panel="limits"))
    found = outlook(frame)
    assert [row.limit for row in found.limits if row.binds] == [Limit.HIGH]
    assert {row.limit for row in found.limits} >= {Limit.CGROUP, Limit.MACHINE, Limit.HIGH, Limit.ADDRESS_SPACE}
    near = found.findings[0]
    assert (near.name, near.facts["group"]) == ("near_limit", "all")
    assert found.in_cgroup is not None and (found.in_cgroup.first_name, found.in_cgroup.rank) == ("giant.py (43)", 2)
    assert found.on_machine is not None and found.on_machine.of == 2


def test_where_cgroups_below_the_limit_may_have_other_members_none_is_called_the_only_one() -> None:
    source = v2(FakeProcess(42))
    source.files |= {
        f"{APP}/memory.max": b"max\n",
        f"{APP}/memory.high": b"max\n",
        f"{POD}/memory.max": b"104857600\n",
        f"{POD}/memory.current": b"99000000\n",
        f"{POD}/memory.stat": b"anon 99000000\nfile 0\n",
        f"{POD}/cgroup.procs": b"",
    }
    engine = Engine(source)
    found = [outlook(step(engine, request(focus=FakeProcess(42).key, only=frozenset({42})))) for _ in range(3)]
    near = found[0].findings[0]
    assert (near.name, "alone" in near.facts, found[0].in_cgroup) == ("near_limit", False, None)
    place = found[-1].in_cgroup
    assert place is not None and place.of == 1, "once all processes are read, it is known to be"


@pytest.mark.parametrize("of_version_2", [True, False])
@pytest.mark.parametrize(
    ("swappiness", "room"), [(b"60\n", 800_000 << 10), (b"0\n", 0), (AccessDenied("swappiness"), None)]
)
def test_with_a_swappiness_of_0_nothing_is_swapped_at_the_limit_and_unread_it_is_not_known(
    of_version_2: bool, swappiness: bytes | AccessDenied, room: int | None
) -> None:
    process = FakeProcess(42)
    source = v2(process) if of_version_2 else v1()
    folder = APP if of_version_2 else f"{ROOT}/memory/app"
    source.files.pop(f"{APP}/memory.swap.max", None)
    source.files["proc/meminfo"] = (
        b"MemTotal: 1024000 kB\nMemAvailable: 512000 kB\nSwapTotal: 900000 kB\nSwapFree: 800000 kB\n"
    )
    source.files["proc/sys/vm/swappiness" if of_version_2 else f"{folder}/memory.swappiness"] = swappiness
    engine = Engine(source)
    for _ in range(2):
        frame = step(engine, on(process))
    limit = next(row for row in outlook(frame).limits if row.limit is Limit.CGROUP)
    assert limit.swap_room_bytes == room


def test_a_limit_that_is_lowered_below_the_use_is_danger_and_no_error() -> None:
    process = FakeProcess(42)
    source = v2(process)
    engine = Engine(source)
    step(engine, on(process))
    source.files[f"{APP}/memory.max"] = b"10485760\n"
    charge(source, 50 * MIB)
    for _ in range(3):
        frame = step(engine, on(process))
    near = outlook(frame).findings[0]
    assert (near.name, near.facts["over_bytes"]) == ("near_limit", 40 * MIB)


def test_counters_that_go_backwards_count_nothing() -> None:
    process = FakeProcess(42)
    source = v2(process)
    engine = Engine(source)
    step(engine, on(process))
    source.files[f"{APP}/memory.events"] = b"low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n"
    source.files[f"{APP}/memory.events.local"] = b"oom_kill 0\n"
    found = outlook(step(engine, on(process)))
    assert (found.events.max, found.events.oom_kill) == (0, 0)
    assert "oom_kill" not in [one.name for one in found.findings]


def test_a_suspend_is_no_growth_and_no_error() -> None:
    source, engine, process, _ = grown(70)
    source.mono_s += 8 * 3600
    source.wall_s += 8 * 3600 - 5
    frame = step(engine, on(process))
    for _ in range(5):
        frame = step(engine, on(process))
    growth = outlook(frame).growth
    assert growth is None or growth.limit_s is None or growth.kind in (Shape.LEAK, Shape.LEAK_GC)


def dead(status: int | None, *, kills: int = 0, machine: int = 0, exits: bool = True) -> ExitReport:
    """How a process is found to have ended, with counters that moved so."""
    source, engine, process, _ = grown(5)
    if exits:
        source.ended = [Exit(42, source.wall_s + 0.5, status)]
    del source.processes[42]
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill %d\n" % (3 + machine)
    source.files[f"{APP}/memory.events.local"] = b"oom_kill %d\n" % (1 + kills)
    frame = step(engine, on(process))
    assert [autopsy.key for autopsy in frame.exits] == [process.key]
    assert step(engine, on(process)).exits == (), "an end is told once"
    autopsy = outlook(step(engine, on(process))).autopsy
    assert autopsy is not None
    return autopsy


def test_an_oom_kill_in_its_cgroup_is_certain_and_names_the_limit() -> None:
    autopsy = dead(KILLED, kills=1, machine=1)
    assert (autopsy.oom, autopsy.signal, autopsy.limit_name) == (Oom.CERTAIN, 9, "app.scope")
    assert autopsy.rss_bytes is not None and autopsy.peak_rss_bytes is not None
    assert autopsy.slope_bytes_per_min == pytest.approx(60 * 64 * 4096, rel=0.1)
    assert autopsy.cgroup_before_bytes is None, "the last reading is far below the limit at which it was killed"


def test_what_its_cgroup_used_long_before_the_end_is_not_called_its_use_at_the_end() -> None:
    source, engine, process, _ = grown(5)
    source.add(other := FakeProcess(77, b"other"))
    for _ in range(15):
        step(engine, on(other))
    source.ended = [Exit(42, source.wall_s + 0.5, KILLED)]
    del source.processes[42]
    step(engine, on(other))
    autopsy = outlook(step(engine, on(process))).autopsy
    assert autopsy is not None and autopsy.cgroup_before_bytes is None


def test_after_its_end_the_limits_are_as_they_were_and_nothing_speaks_of_a_future() -> None:
    source, engine, process, before = grown(100)
    source.ended = [Exit(42, source.wall_s + 0.5, KILLED)]
    del source.processes[42]
    found = outlook(step(engine, on(process)))
    assert found.autopsy is not None
    assert found.limits == outlook(before).limits and found.limits
    assert found.findings == ()
    assert found.events.oom_kill == 0
    source.files[f"{APP}/memory.events.local"] = b"oom_kill 2\n"
    assert outlook(step(engine, on(process))).events.oom_kill == 1, "its own end is counted"
    assert found.growth is not None and found.growth.limit_s is None
    cgroup = outlook(before).cgroup
    assert cgroup is not None and found.autopsy.cgroup_before_bytes == cgroup.usage_bytes
    charge(source, 0)
    again = outlook(step(engine, on(process)))
    assert again.autopsy is not None and again.autopsy.cgroup_after_bytes == 8_000_000, "it takes a moment"
    for _ in range(15):
        step(engine, on(process))
    charge(source, 50 * MIB)
    late = outlook(step(engine, on(process)))
    assert late.autopsy is not None and late.autopsy.cgroup_after_bytes == 8_000_000, "what others take is not its own"
    other = source.add(FakeProcess(77))
    step(engine, on(other))
    assert outlook(step(engine, on(process))).limits == found.limits, "also after somebody else was looked at"


@pytest.mark.parametrize(
    ("status", "limit"),
    [
        (1 << 8, "ulimit -v (RLIMIT_AS)"),
        (signal.SIGABRT, "ulimit -v (RLIMIT_AS)"),
        (None, "ulimit -v (RLIMIT_AS)"),
        (0, None),
        (143 << 8, None),
        (signal.SIGTERM, None),
        (KILLED, None),
    ],
    ids=["error", "SIGABRT", "unknown", "no error", "SIGTERM, answered by exit(143)", "SIGTERM", "SIGKILL"],
)
def test_a_limit_of_its_own_that_was_nearly_full_is_named_after_a_failure(
    status: int | None, limit: str | None
) -> None:
    process = FakeProcess(42)
    source = v2(process)
    source.files["proc/42/limits"] = b"Max address space         110000000            unlimited            bytes     \n"
    engine = Engine(source)
    for _ in range(4):
        step(engine, on(process, panel="limits"))
    if status is not None:
        source.ended = [Exit(42, source.wall_s, int(status))]
    del source.processes[42]
    autopsy = outlook(step(engine, on(process))).autopsy
    assert autopsy is not None
    assert (autopsy.full_limit.name if autopsy.full_limit is not None else None) == limit


def test_a_stack_at_its_limit_explains_a_segmentation_fault_only() -> None:
    full = Assessment(limits=(LimitRow(Limit.STACK, "ulimit -s (RLIMIT_STACK)", 8 * MIB, 8 * MIB, 0, 0),))
    found = full_limit(full, signal.SIGSEGV)
    assert found is not None and (found.name, found.used_percent) == ("ulimit -s (RLIMIT_STACK)", 100)
    assert full_limit(full, None) is None and full_limit(full, signal.SIGABRT) is None


def test_the_fullest_of_its_own_limits_counts_and_half_full_ones_do_not() -> None:
    counts = (
        CountLimit("vm.max_map_count", 65530, 65000, "mmap fails"),
        CountLimit("pids of api", 100, 50, "no thread"),
    )
    found = full_limit(Assessment(counts=counts), None)
    assert found is not None and (found.name, found.in_bytes) == ("vm.max_map_count", False)
    assert full_limit(Assessment(counts=counts[1:]), None) is None


def test_a_kill_by_hand_is_no_oom() -> None:
    autopsy = dead(KILLED)
    assert (autopsy.oom, autopsy.limit_name) == (Oom.NO, None)


def test_a_clean_exit_shows_its_code() -> None:
    autopsy = dead(3 << 8, kills=1, machine=1)
    assert (autopsy.oom, autopsy.exit_code, autopsy.signal) == (Oom.NO, 3, None)


def test_without_a_status_a_counted_kill_is_probable() -> None:
    assert dead(None, kills=1, machine=1, exits=False).oom is Oom.PROBABLE


def test_the_successor_is_the_younger_one_with_the_same_command_in_the_same_cgroup() -> None:
    source, engine, process, _ = grown(5)
    source.ended = [Exit(42, source.wall_s, KILLED)]
    del source.processes[42]
    step(engine, on(process))
    heir = source.add(FakeProcess(77, start_ticks=900))
    source.files["proc/77/cgroup"] = source.files["proc/42/cgroup"]
    for _ in range(4):
        frame = step(engine, on(process))
    autopsy = outlook(frame).autopsy
    assert autopsy is not None and autopsy.successor == heir.key


def test_a_successor_is_found_though_only_its_forerunner_was_asked_for() -> None:
    process, other = FakeProcess(42), FakeProcess(50, cmdline=b"other\0")
    source = v2(process, other)
    engine = Engine(source)
    ask = on(process, only=frozenset({42}))
    for _ in range(3):
        step(engine, ask)
    source.ended = [Exit(42, source.wall_s, KILLED)]
    del source.processes[42]
    step(engine, ask)
    heir = source.add(FakeProcess(77, start_ticks=900))
    source.files["proc/77/cgroup"] = source.files["proc/42/cgroup"]
    for _ in range(4):
        frame = step(engine, ask)
    autopsy = outlook(frame).autopsy
    assert autopsy is not None and autopsy.successor == heir.key
    assert [row.pid for row in frame.rows] == [42]


def test_the_largest_are_watched_without_being_asked_for() -> None:
    source = v2(*(FakeProcess(pid, rss_pages=pid * 10) for pid in range(42, 142)))
    engine = Engine(source)
    for _ in range(3):
        step(engine, request())
    assert sorted(source.watched[:50]) == list(range(92, 142)), "before those that were started last"
    source.ended = [Exit(141, source.wall_s, KILLED)]
    del source.processes[141]
    assert [autopsy.key.pid for autopsy in step(engine, request()).exits] == [141]


@pytest.mark.parametrize(
    ("limit", "available_kib", "name"),
    [
        (b"104857600\n", 512_000, "app.scope"),
        (b"104857600\n", 50_000, "this machine's memory"),
        (b"max\n", 512_000, "this machine's memory"),
        (b"", 512_000, None),
    ],
    ids=["its cgroup's", "a limit never touched, a machine that is low", "no limit but the machine's", "unreadable"],
)
def test_the_limit_of_a_process_that_nobody_looked_at_is_that_of_its_cgroup_or_unknown(
    limit: bytes, available_kib: int, name: str | None
) -> None:
    source = v2(FakeProcess(42), FakeProcess(43, rss_pages=10))
    source.files |= {
        f"{ROOT}/kubepods.slice/memory.max": b"max\n",
        f"{APP}/memory.max": limit,
        f"{APP}/memory.high": b"max\n",
        f"{APP}/memory.events": b"low 0\nhigh 0\nmax 0\noom 0\noom_kill 1\n",
        "proc/43/cgroup": b"0::/\n",
    }
    meminfo = b"MemTotal: 1024000 kB\nMemAvailable: %d kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n" % available_kib
    source.files["proc/meminfo"] = meminfo
    engine = Engine(source)
    for _ in range(3):
        step(engine, request())
    source.ended = [Exit(42, source.wall_s, KILLED)]
    del source.processes[42]
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 4\n"
    source.files[f"{APP}/memory.events.local"] = b"oom_kill 2\n"
    (autopsy,) = step(engine, request()).exits
    assert (autopsy.oom, autopsy.limit_name) == (Oom.CERTAIN, name)


def test_the_end_of_a_process_that_was_listed_only_once_is_known_with_its_cgroup() -> None:
    source = v2(FakeProcess(42))
    engine, ask = Engine(source), request(only=frozenset({42}))
    step(engine, ask)
    assert source.watched == [42]
    source.ended = [Exit(42, source.wall_s, KILLED)]
    del source.processes[42]
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 4\n"
    source.files[f"{APP}/memory.events.local"] = b"oom_kill 2\n"
    (report,) = step(engine, ask).exits
    assert (report.key.pid, report.oom, report.limit_name) == (42, Oom.CERTAIN, "app.scope")


def test_a_child_that_ends_before_the_next_sample_has_its_command_line() -> None:
    """A child that the OOM killer ends within a second is listed once."""
    source = v2(FakeProcess(42))
    engine, ask = Engine(source), request(only=frozenset({42}), children=True)
    engine.step(ask)
    source.add(FakeProcess(43, ppid=42, comm=b"python3", cmdline=b"python3\0eater.py\0", start_ticks=99_000))
    source.files["proc/43/cgroup"] = source.files["proc/42/cgroup"]
    frame = engine.step(ask)
    assert frame is not None
    assert {row.command for row in frame.rows if row.pid == 43} == {"python3 eater.py"}


def test_the_end_of_a_child_that_was_listed_only_once_is_reported_with_its_limit() -> None:
    parent = FakeProcess(42)
    source = v2(parent)
    source.files[f"{ROOT}/kubepods.slice/memory.max"] = b"max\n"
    engine = Engine(source)
    ask = request(only=frozenset({42}), children=True)
    for _ in range(2):
        step(engine, ask)
    for pid in range(100, 140):
        source.add(FakeProcess(pid, ppid=42 if pid == 100 else pid - 1, start_ticks=pid, rss_pages=1))
        source.files[f"proc/{pid}/cgroup"] = b"0::/kubepods.slice/pod1/app.scope\n"
    step(engine, ask)
    assert set(range(100, 140)) <= set(source.watched)
    source.ended = [Exit(120, source.wall_s, KILLED)]
    del source.processes[120]
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 4\n"
    source.files[f"{APP}/memory.events.local"] = b"oom_kill 2\n"
    (report,) = step(engine, ask).exits
    assert (report.key.pid, report.oom, report.limit_name) == (120, Oom.CERTAIN, "app.scope")


def test_the_report_on_the_process_in_focus_is_not_displaced_by_other_ends() -> None:
    focus = FakeProcess(42, rss_pages=300 * MIB_PAGES)
    source = v2(focus)
    engine = Engine(source)
    for _ in range(3):
        step(engine, on(focus))
    source.ended = [Exit(42, source.wall_s, 256)]
    del source.processes[42]
    step(engine, on(focus))
    ended = 0
    others = AUTOPSIES + 6
    for first in range(1000, 1000 + others, 10):
        pids = range(first, first + 10)
        for pid in pids:
            source.add(FakeProcess(pid, start_ticks=pid, rss_pages=100 * MIB_PAGES))
        for _ in range(6):  # until they are known to be the largest
            step(engine, on(focus))
        source.ended = [Exit(pid, source.wall_s, 0) for pid in pids]
        for pid in pids:
            del source.processes[pid]
        ended += len(step(engine, on(focus)).exits)
    assert ended == others
    autopsy = outlook(step(engine, on(focus))).autopsy
    assert autopsy is not None
    assert autopsy.exit_code == 1


@pytest.mark.parametrize(
    ("above", "name"), [(False, "memory.high of app.scope"), (True, "memory.high of kubepods.slice/pod1")]
)
def test_a_memory_high_of_an_ancestor_slows_down_as_that_of_its_own_cgroup_does(above: bool, name: str) -> None:
    process = FakeProcess(42)
    source = v2(process)
    if above:
        source.files |= {
            f"{APP}/memory.high": b"max\n",
            f"{POD}/memory.high": b"94371840\n",
            f"{POD}/memory.current": b"94000000\n",
        }
    engine = Engine(source)
    for second in range(4):
        events = b"low 0\nhigh %d\nmax 7\noom 1\noom_kill 1\n" % (50 * second)
        source.files |= dict.fromkeys((f"{APP}/memory.events", f"{POD}/memory.events"), events)
        frame = step(engine, on(process))
    found = next(one for one in outlook(frame).findings if one.name == "throttled")
    assert (found.facts["brake_name"], found.facts["high_bytes"]) == (name, 90 * MIB)


def without(path: str, error: MemtopError | None = None) -> Callable[[FakeSource], None]:
    def change(source: FakeSource) -> None:
        if error is not None:
            source.files[path] = error
        else:
            del source.files[path]

    return change


def with_file(path: str, content: bytes) -> Callable[[FakeSource], None]:
    return lambda source: source.files.__setitem__(path, content)


@pytest.mark.parametrize(
    ("change", "unread"),
    [
        (lambda source: None, ()),
        (with_file("proc/42/cgroup", b"0::/\n"), ()),
        (with_file("proc/self/mountinfo", b""), ("no file system of memory cgroups shows its cgroup",)),
        (with_file("proc/42/cgroup", b"0::/../x\n"), ("its cgroup is outside this cgroup namespace",)),
        (without("proc/42/cgroup", AccessDenied("no")), ("no permission to read its cgroup",)),
        (without(f"{APP}/memory.max", AccessDenied("no")), ("the limit of app.scope cannot be read (no)",)),
        (without(f"{APP}/memory.max"), ("the limit of app.scope cannot be read",)),
        (with_file(f"{APP}/memory.max", b"\xff"), ("the limit of app.scope cannot be read",)),
        (without(f"{APP}/memory.current"), ("how much app.scope uses of its 100 MiB cannot be read",)),
        (without(f"{POD}/memory.max"), ("the limit of kubepods.slice/pod1 cannot be read",)),
        (without("proc/meminfo"), ("this machine's memory cannot be read",)),
        (with_file("proc/meminfo", b"MemTotal: 1024000 kB\n"), ("this machine's memory cannot be read",)),
        (without("proc/42/limits", AccessDenied("no")), ("its resource limits cannot be read",)),
        (without("proc/42/limits", NotRecorded("no")), ("its resource limits were not read",)),
        (with_file("proc/42/limits", b"Max address space unli"), ("its resource limits cannot be read",)),
        (without("proc/sys/vm/overcommit_memory"), ("vm.overcommit_memory cannot be read",)),
        (with_file("proc/sys/vm/overcommit_memory", b"2\n"), ("CommitLimit cannot be read",)),
    ],
)
def test_what_could_not_be_read_of_the_limits_is_named(
    change: Callable[[FakeSource], None], unread: tuple[str, ...]
) -> None:
    process = FakeProcess(42)
    source = v2(process)
    source.files |= {
        "proc/42/limits": b"Max data size   unlimited  unlimited bytes\nMax address space unlimited unlimited bytes\n",
        "proc/sys/vm/overcommit_memory": b"0\n",
        f"{ROOT}/kubepods.slice/memory.max": b"max\n",
    }
    change(source)
    engine = Engine(source)
    step(engine, on(process))
    assert outlook(step(engine, on(process))).unread == unread


def test_a_limit_above_what_can_be_seen_is_not_said_to_be_far() -> None:
    process = FakeProcess(42)
    source = v1(b"9223372036854771712\n")
    source.files[f"{ROOT}/memory/app/memory.stat"] = b"hierarchical_memory_limit 104857600\ntotal_rss 50000000\n"
    engine = Engine(source)
    step(engine, on(process))
    frame = step(engine, on(process))
    assert "an ancestor cgroup that is not visible from here has a limit of 100 MiB" in outlook(frame).unread
    assert frame.incidents is not None and frame.incidents.unseen.unread_cgroups == 1


def test_percent_of_the_limit_is_on_every_visible_row_when_the_column_is_shown() -> None:
    process = FakeProcess(42)
    source = v2(process)
    charge(source, 50 * MIB)
    engine = Engine(source)
    ask = on(process, visible=frozenset({process.key}), needs=Need.STAT | Need.CGROUP)
    step(engine, ask)
    assert step(engine, ask).rows[0].limit_percent == pytest.approx(50.0)


def test_looking_back_there_is_no_outlook() -> None:
    source, engine, process, _ = grown(10)
    detail = step(engine, on(process, cursor_s=source.wall_s - 5, frozen=True)).detail
    assert detail is not None and detail.outlook is None


def killed_beside_others() -> tuple[FakeSource, Engine, Frame]:
    """One that was on screen and not in focus has been OOM-killed in its cgroup."""
    source = v2(FakeProcess(42), FakeProcess(43, comm=b"victim", cmdline=b"victim\0", rss_pages=10))
    engine = Engine(source)
    for pid in range(100, 160):  # larger ones, so that it is watched only because it is on screen
        source.add(FakeProcess(pid, start_ticks=pid, rss_pages=30 * MIB_PAGES))
    ask = screen_of(source)
    for _ in range(12):
        step(engine, ask)
    assert 43 in source.watched
    source.ended = [Exit(43, source.wall_s + 1, KILLED)]
    del source.processes[43]
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 4\n"
    source.files[f"{APP}/memory.events.local"] = b"oom_kill 2\n"
    return source, engine, step(engine, ask)


def screen_of(source: FakeSource) -> Request:
    return request(visible=frozenset(one.key for one in source.processes.values()), killed=True)


def test_an_oom_kill_out_of_focus_has_a_row_with_its_end_and_a_name_in_the_header() -> None:
    source, engine, frame = killed_beside_others()
    (row,) = [row for row in frame.rows if row.pid == 43]
    assert (row.note, row.gone_s) == (Note.OOM_KILLED, source.wall_s)
    assert frame.oom_victim == "victim 43"
    (report,) = frame.exits
    assert (report.oom, report.limit_name) == (Oom.CERTAIN, "app.scope")
    autopsy = outlook(step(engine, changed(screen_of(source), focus=row.key))).autopsy
    assert autopsy is not None and autopsy.limit_name == "app.scope"
    without = step(engine, changed(screen_of(source), killed=False))
    assert 43 not in [row.pid for row in without.rows], "lists that are read by programs have the living only"


def test_looking_back_shows_a_process_that_the_oom_killer_took_since() -> None:
    source, engine, _ = killed_beside_others()
    for _ in range(3):
        step(engine, screen_of(source))
    past = step(engine, changed(screen_of(source), cursor_s=source.wall_s - 6, frozen=True))
    (row,) = [row for row in past.rows if row.pid == 43]
    assert (row.note, row.gone_s, row.rss_bytes) == (Note.NONE, None, 10 * OWN_PAGE_BYTES)


def test_a_killed_process_leaves_the_list_after_ten_minutes() -> None:
    source, engine, _ = killed_beside_others()
    source.step_s = 601
    assert 43 not in [row.pid for row in step(engine, screen_of(source)).rows]


def test_a_kill_that_is_explained_is_not_laid_to_a_process_that_ended_shortly_after() -> None:
    source, engine, _ = killed_beside_others()
    source.ended = [Exit(100, source.wall_s + 1, None)]
    source.files["proc/100/cgroup"] = AccessDenied("no")
    del source.processes[100]
    (report,) = step(engine, screen_of(source)).exits
    assert (report.key.pid, report.oom) == (100, Oom.NO)


def test_a_cgroup_that_was_first_read_after_the_kill_is_named_where_its_limit_was_touched() -> None:
    source = v2(FakeProcess(42), FakeProcess(43, rss_pages=10))
    source.files |= {f"{APP}/memory.high": b"max\n", f"{ROOT}/kubepods.slice/memory.max": b"max\n"}
    engine = Engine(source)
    for _ in range(3):
        step(engine, request())
    source.files["proc/meminfo"] = b"MemTotal: 1024000 kB\nMemAvailable: 50000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n"
    source.ended = [Exit(42, source.wall_s, KILLED)]
    del source.processes[42]
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 4\n"
    source.files[f"{APP}/memory.events.local"] = b"oom_kill 2\n"
    (autopsy,) = step(engine, request()).exits
    assert (autopsy.oom, autopsy.limit_name) == (Oom.CERTAIN, "app.scope")


def test_a_successor_that_came_while_another_process_was_in_focus_is_known_at_once() -> None:
    source, engine, process, _ = grown(5)
    other = source.add(FakeProcess(50, cmdline=b"other\0"))
    source.ended = [Exit(42, source.wall_s, KILLED)]
    del source.processes[42]
    step(engine, on(process))
    for _ in range(2):
        step(engine, on(other))
    heir = source.add(FakeProcess(77, start_ticks=900))
    source.files["proc/77/cgroup"] = source.files["proc/42/cgroup"]
    for _ in range(4):
        step(engine, on(other))
    shown = engine.view(on(process))
    assert shown is not None
    autopsy = outlook(shown).autopsy
    assert autopsy is not None and autopsy.successor == heir.key


def test_of_a_recording_every_process_is_judged_without_being_named() -> None:
    source = v2(FakeProcess(42), FakeProcess(43))
    engine = Engine(source, position=lambda: (1, 100))
    for _ in range(3):
        frame = step(engine, request(outlooks=True))
    assert {key.pid for key in frame.outlooks} == {42, 43}
    live = Engine(v2(FakeProcess(42)))
    for _ in range(3):
        frame = step(live, request(outlooks=True))
    assert not frame.outlooks, "live they are judged when they are asked for"


def test_the_machine_is_not_named_as_the_limit_of_a_process_whose_cgroup_is_not_known() -> None:
    process = FakeProcess(42)
    source = v2(process)
    source.files["proc/42/cgroup"] = AccessDenied("no")
    engine = Engine(source)
    for _ in range(3):
        frame = step(engine, on(process))
    assert outlook(frame).first_met is None
    assert Limit.MACHINE in [row.limit for row in outlook(frame).limits]


def test_a_process_that_nobody_watched_is_reported_where_its_cgroup_counted_its_kill() -> None:
    source = v2(*(FakeProcess(pid, rss_pages=pid * 10) for pid in range(42, 1142)))
    engine = Engine(source)
    for _ in range(4):
        step(engine, request())
    assert 43 not in source.watched
    del source.processes[43]
    source.files["proc/vmstat"] = b"pgfault 1000\noom_kill 4\n"
    source.files[f"{APP}/memory.events.local"] = b"oom_kill 2\n"
    frame = step(engine, request(killed=True))
    assert [(report.key.pid, report.oom) for report in frame.exits] == [(43, Oom.PROBABLE)]
    assert 43 in [row.pid for row in frame.rows]
    for _ in range(12):
        step(engine, request())
    del source.processes[44]
    assert step(engine, request()).exits == (), "an end without a kill is no report of one that nobody watched"


@pytest.mark.parametrize("version", ["v2", "v1"])
def test_huge_pages_have_limits_of_their_own(version: str) -> None:
    """A memory cgroup is not charged for them: the hugetlb controller is asked, and the pool."""
    process = FakeProcess(42, hugetlb_kib=62 * 1024)
    source = v2(process)
    files = ("max", "current") if version == "v2" else ("limit_in_bytes", "usage_in_bytes")
    folder = APP
    if version == "v2":
        source.files[f"{ROOT}/cgroup.controllers"] = b"cpu memory pids hugetlb\n"
    else:
        folder = f"{ROOT}/hugetlb/app"
        mount = b"40 1 0:33 / /sys/fs/cgroup/hugetlb rw - cgroup cgroup rw,hugetlb\n"
        source.files["proc/self/mountinfo"] = MOUNT_V2 + mount
        source.files["proc/42/cgroup"] = b"5:hugetlb:/app\n0::/kubepods.slice/pod1/app.scope\n"
    source.files[f"{folder}/hugetlb.2MB.{files[0]}"] = b"%d\n" % (64 * MIB)
    source.files[f"{folder}/hugetlb.2MB.{files[1]}"] = b"%d\n" % (62 * MIB)
    source.files["proc/meminfo"] = (
        b"MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\nMemFree: 1 kB\nHugePages_Total: 40\nHugePages_Free: 9\n"
        b"HugePages_Rsvd: 2\nHugepagesize: 2048 kB\nHugetlb: 81920 kB\n"
    )
    engine = Engine(source)
    ask = request(focus=process.key, focus_needs=Need.LIMITS, needs_all=Need.STATUS)
    engine.step(ask)
    frame = engine.step(ask)
    assert frame is not None
    rows = {row.limit: row for row in outlook(frame).limits}
    assert (rows[Limit.HUGETLB].limit_bytes, rows[Limit.HUGETLB].used_bytes) == (64 * MIB, 62 * MIB)
    assert (rows[Limit.HUGE_POOL].limit_bytes, rows[Limit.HUGE_POOL].used_bytes) == (80 * MIB, 66 * MIB)
    assert frame.rows[0].hugetlb_bytes == 62 * MIB


def test_each_kind_of_limit_is_one_of_its_own() -> None:
    assert len({one.value for one in Limit}) == len(Limit.__members__)


@pytest.mark.parametrize(("gained", "answer"), [(200, Answer.BAD), (0, Answer.FINE)])
def test_mappings_that_rise_to_their_limit_are_found_before_it_is_near(gained: int, answer: Answer) -> None:
    process = FakeProcess(42)
    engine = Engine(v2(process))
    for _ in range(100):
        process.mappings += gained
        frame = engine.step(request(focus=process.key, needs=Need.STAT | Need.STATUS))
    assert frame is not None and frame.detail is not None and frame.detail.outlook is not None
    found = frame.detail.outlook
    rises = [sentences_of(one).says for one in found.findings if one.name == "count_rise"]
    assert answer_to(found) is answer
    assert bool(rises) is (answer is Answer.BAD)
    assert all("of 65,530 in use" in one and "full in about 4 min: then mmap fails" in one for one in rises)


def test_a_large_process_that_grows_by_less_than_is_noticed_at_once_is_never_called_fine() -> None:
    process = FakeProcess(42, rss_pages=4096 * MIB_PAGES, virt_pages=8192 * MIB_PAGES)
    engine, answers = Engine(FakeSource(process)), []
    for _ in range(280):
        process.rss_pages += MIB_PAGES // 2
        frame = engine.step(request(focus=process.key, needs=Need.STAT | Need.STATUS))
        assert frame is not None and frame.detail is not None
        answers.append(answer_to(frame.detail.outlook))
    assert set(answers[:150]) == {Answer.UNKNOWN}, "less than 2 % is no verdict"
    assert answers[-1] is Answer.BAD and Answer.FINE not in answers


@pytest.mark.parametrize(("stack_kib", "alarms"), [(8188, False), (8192, False), (8000, True), (132, False)])
def test_a_main_stack_that_is_mapped_to_its_end_is_not_called_full(stack_kib: int, alarms: bool) -> None:
    process = FakeProcess(42)
    source = FakeSource(process)
    source.files["proc/42/status"] = process.status() + b"VmStk:\t%d kB\n" % stack_kib
    source.files["proc/42/limits"] = b"Max stack size            8388608              unlimited            bytes     \n"
    engine = Engine(source)
    for _ in range(4):
        frame = engine.step(request(focus=process.key, needs=Need.STAT | Need.STATUS))
    found = outlook(frame)
    assert ("resource_limit" in [one.name for one in found.findings]) is alarms
    assert any("main stack" in one for one in found.not_looked_at) is (stack_kib >= 8188)
