"""The Limits panel, the findings beside the chart, and the successor, on a fake world in a whole application."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memtop.analysis.limits.exit_cause import Oom
from memtop.engine.engine import Engine
from memtop.explain.chart_levels import chart_limits
from memtop.explain.virt_text import virt_sentence
from memtop.model.assessment import Assessment, ExitReport, Limit, LimitRow
from memtop.model.frame import Frame
from memtop.model.request import Request
from memtop.process_key import ProcessKey
from memtop.procfs.membership import CgroupOwner
from memtop.sampling.request import Need
from memtop.sources.protocol import Exit
from memtop.tui.panels.limits import LimitsPanel, limit_lines
from memtop.tui.side.finding_lines import finding_lines
from tests.engine.assessment.test_assessor import charge
from tests.fakes import FakeProcess, FakeSource, frame_after
from tests.requests import request
from tests.sampling.test_cgroups import APP, MIB, v2
from tests.tui.frames import WidgetApp


def near() -> tuple[FakeSource, Engine, Request, Frame]:
    process = FakeProcess(42)
    source = v2(process)
    charge(source, 95 * MIB)
    engine = Engine(source)
    ask = request(focus=process.key, needs=Need.STAT | Need.STATUS, panel="limits", points=30)
    frame = frame_after(engine, ask, 5)
    return source, engine, ask, frame


def swapping() -> Frame:
    """Both the cgroup and the machine can still swap."""
    process = FakeProcess(42)
    source = v2(process)
    source.files |= {f"{APP}/memory.swap.max": b"52428800\n", f"{APP}/memory.swap.current": b"0\n"}
    source.files["proc/meminfo"] = b"MemTotal: 1024000 kB\nMemAvailable: 512000 kB\nSwapFree: 900000 kB\n"
    return frame_after(Engine(source), request(focus=process.key), 3)


def text(frame: Frame, width: int) -> str:
    return "\n".join(line.text for line in limit_lines(frame, width))


@pytest.mark.parametrize("width", [20, 40, 78, 118, 200])
def test_no_line_is_wider_than_the_panel(width: int) -> None:
    frame = near()[3]
    assert all(len(line.text) <= max(width, 8) for line in limit_lines(frame, width))


@pytest.mark.parametrize("width", [38, 58, 78, 118, 198])
def test_what_the_kernel_does_beyond_a_limit_is_told_to_the_end(width: int) -> None:
    """It was cut where the panel is narrow, down to "the kerne"."""
    frame = swapping()
    shown = " ".join(text(frame, width).split())
    for part in ("swaps 50.0M, then OOM-kills in the cgroup", "slows it down", "swaps 879M, then OOM-kills a process"):
        assert part in shown


def test_the_table_of_limits_names_them_whole_on_the_smallest_ordinary_screen() -> None:
    assert "this machine's memory " in text(near()[3], 78)


def test_with_too_few_readings_the_verdict_says_how_many_it_takes() -> None:
    shown = " ".join(text(near()[3], 78).split())
    assert (
        "Verdict: unknown yet; it needs 30 readings in 60 s or more, then 3 checks that agree; so far 3 in 2 s."
        in shown
    )


def test_the_panel_names_limits_events_split_and_victim() -> None:
    shown = " ".join(text(near()[3], 118).split())
    for part in (
        "▲ app.scope",
        "memory.high of app.scope",
        "this machine's memory",
        "anon 93.7 MiB",
        "shmem 977 KiB, kernel 391 KiB, reclaimable slab 0 B, sock 0 B",
        "active page cache 977 KiB, inactive page cache 6.68 MiB, other ",
    ):
        assert part in shown
    assert "OOM-killed 0 times" in shown
    assert "the cgroup uses" in shown and "would kill app (42) first" in shown
    assert "Memory pressure (PSI) of the machine: some 1.5 % of the last" in shown


def test_a_cgroup_that_may_not_swap_is_no_alarm() -> None:
    process = FakeProcess(42)
    source = v2(process)
    source.files |= {f"{APP}/memory.swap.max": b"0\n", f"{APP}/memory.swap.current": b"0\n"}
    frame = frame_after(Engine(source), request(panel="limits", focus=process.key), 4)
    (line,) = [line for line in text(frame, 118).splitlines() if "swap of" in line]
    assert line.lstrip().startswith("swap of") and "no more swapping" in line


def test_how_the_kernel_hands_memory_out_is_said() -> None:
    process = FakeProcess(42)
    source = v2(process)
    source.files |= {"proc/sys/vm/overcommit_memory": b"2\n", "proc/sys/vm/max_map_count": b"65530\n"}
    engine = Engine(source)
    frame = frame_after(engine, request(focus=process.key), 3)
    assert "overcommits: never beyond CommitLimit (2); limit of mappings per process: 65,530." in text(frame, 118)


def test_an_unknown_cgroup_is_said_to_be_unknown() -> None:
    source = FakeSource(FakeProcess(42))
    source.files["proc/self/mountinfo"] = b""
    frame = frame_after(Engine(source), request(focus=FakeProcess(42).key), 3)
    assert "Memory cgroup: unknown from here" in text(frame, 118)


def test_limits_are_lines_of_the_chart() -> None:
    detail = near()[3].detail
    assert detail is not None
    assert ("▲ app.scope", 100.0 * MIB) in chart_limits(detail.outlook), "with the sign of the finding about it"
    assert chart_limits(None) == ()


def test_limits_on_what_neither_virt_nor_res_counts_are_no_lines_of_the_chart() -> None:
    rows = [LimitRow(limit, limit.name, 8 << 20, 1, 1, 1) for limit in Limit]
    drawn = {label for label, _ in chart_limits(Assessment(limits=tuple(rows)))}
    assert drawn == {"CGROUP", "HIGH", "MACHINE", "ADDRESS_SPACE"}


def test_the_limit_at_which_it_was_killed_is_a_line_of_the_chart_once_even_if_it_was_not_read_before() -> None:
    end = ExitReport(
        ProcessKey(42, 1), "app", "app", 1.7e9, None, 9, Oom.CERTAIN, (), limit_name="app.scope", limit_bytes=60 << 20
    )
    row = LimitRow(Limit.CGROUP, "app.scope", 60 << 20, 1, 1, 1)
    for limits in ((), (row,)):
        assert chart_limits(Assessment(limits=limits, autopsy=end)) == (("▲ app.scope", float(60 << 20)),)
    assert chart_limits(Assessment(autopsy=end._replace(limit_name=None, limit_bytes=None, oom=Oom.NO))) == ()


def test_findings_stand_beside_the_chart_with_marks_and_lead_to_their_topics() -> None:
    detail = near()[3].detail
    assert detail is not None
    lines, topics, _ = finding_lines(detail, 44)
    assert lines[0].text.startswith("▲ app.scope:") and lines[0].look == "danger"
    assert topics[0] == "limits"
    assert any(line.text.lstrip().startswith("Next:") for line in lines)


def test_with_nothing_wrong_there_is_a_line_that_says_so() -> None:
    process = FakeProcess(42)
    source = v2(process)
    engine = Engine(source)
    frame = frame_after(engine, request(focus=process.key, needs=Need.STAT | Need.STATUS), 70)
    assert frame.detail is not None
    lines, *_ = finding_lines(frame.detail, 80)
    assert lines[0].text.startswith("· Nothing wrong: memory has been level for 68 s (file pages")
    assert " ".join(line.text.strip() for line in lines).endswith("not counted), and no limit is near.")


def test_after_the_end_the_autopsy_takes_the_place_of_findings() -> None:
    source, engine, ask, _ = near()
    source.ended = [Exit(42, source.wall_s, 9)]
    del source.processes[42]
    engine.step(ask)
    frame = engine.step(ask)
    assert frame is not None and frame.detail is not None
    lines, topics, _ = finding_lines(frame.detail, 80)
    shown = " ".join(line.text for line in lines)
    assert "Ended by signal 9 (SIGKILL)" in shown and "Not OOM-killed" in shown
    assert set(topics.values()) == {"autopsy"}
    panel = " ".join(text(frame, 80).split())
    assert panel.startswith("As of its end at ")
    assert "The cgroup used 103 MiB before the end and 103 MiB after." in panel
    assert "▲ app.scope" in panel


async def test_of_one_that_nobody_looked_at_while_it_lived_there_are_no_limits_to_show() -> None:
    process = FakeProcess(42)
    source = v2(process)
    engine = Engine(source)
    for _ in range(3):
        engine.step(request(only=frozenset({42})))
    source.ended = [Exit(42, source.wall_s, 9)]
    del source.processes[42]
    frame = frame_after(engine, request(only=frozenset({42}), focus=process.key), 2)
    assert "it ended before its limits were read" in text(frame, 120)
    panel = LimitsPanel()
    async with WidgetApp(panel).run_test(size=(60, 18)):
        assert panel.words(frame) == len(limit_lines(frame, 59)) == 1, "it leaves its place to the chart"
        assert panel.words(near()[3]) is None


def test_the_first_sentence_measures_res_against_the_cgroup_from_the_second_look_on() -> None:
    process = FakeProcess(42)
    source = v2(process)
    source.files[f"{APP}/memory.high"] = b"max\n"
    charge(source, 20 * MIB)
    engine = Engine(source)
    ask = request(focus=process.key)
    engine.step(ask)
    frame = engine.step(ask)
    assert frame is not None and frame.detail is not None
    said = virt_sentence(frame.detail.row, frame.system, frame.detail.outlook)
    assert "RES is 20.0 MiB, 20.0 % of the 100 MiB that app.scope allows." in said
    charge(source, 60 * MIB)
    frame = engine.step(ask)
    assert frame is not None and frame.detail is not None
    said = virt_sentence(frame.detail.row, frame.system, frame.detail.outlook)
    assert "that app.scope allows (60.0 % including everything else charged to it)" in said


def test_both_ends_of_the_room_are_shown_where_page_cache_is_in_use() -> None:
    process = FakeProcess(42)
    source = v2(process)
    source.files[f"{APP}/memory.high"] = b"max\n"
    source.files[f"{APP}/memory.current"] = b"%d\n" % (90 * MIB)
    source.files[f"{APP}/memory.stat"] = b"anon %d\ninactive_file 0\nactive_file %d\n" % (15 * MIB, 75 * MIB)
    frame = frame_after(Engine(source), request(focus=process.key), 5)
    shown = " ".join(text(frame, 118).split())
    assert "app.scope 100M 15.0M 15.0 85.0M" in shown
    assert "Room of app.scope: 10.0 MiB at full speed, 85.0 MiB before the limit takes effect" in shown
    assert frame.detail is not None and frame.detail.outlook is not None
    names = [one.name for one in frame.detail.outlook.findings]
    assert "cache_in_use" in names and "near_limit" not in names


def test_a_container_is_named_by_the_first_digits_of_its_id() -> None:
    frame = near()[3]
    assert frame.detail is not None and frame.detail.outlook is not None
    outlook = replace(frame.detail.outlook, owner=CgroupOwner(runtime="docker", container="ab" * 32))
    shown = text(frame._replace(detail=frame.detail._replace(outlook=outlook)), 200)
    assert "(docker abababababab)" in shown
