"""The page to hand over: complete, harmless whatever names hold, and with the numbers of the screen."""

from __future__ import annotations

import os
import re
import resource
import shlex
import shutil
import stat
import sys
from collections.abc import Callable
from contextlib import closing
from functools import cache
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from memtop.analysis.memory_map.region_kinds import RegionKind
from memtop.cli import run
from memtop.columns import COLUMNS
from memtop.demo.recorded_runs import recorded_named
from memtop.engine.engine import Engine
from memtop.errors import AccessDenied, UsageError
from memtop.explain.incident_text import incident_sentences
from memtop.model.frame import Frame
from memtop.model.group import By
from memtop.model.timeline import EventKind, TimelineEvent
from memtop.report.collect import from_machine
from memtop.report.facts import report_of
from memtop.report.page import as_html, as_markdown, markdown_text
from memtop.report.recorded import from_recording
from memtop.report.write import replay_command, write_new
from memtop.sampling.request import Need
from memtop.sanitize import clean
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from memtop.time_of_day import parse_instant
from memtop.tui.panels.limits import limit_lines
from memtop.tui.panels.machine import machine_lines
from memtop.tui.panels.region_items import REGION_COLUMNS, RegionSort, items_of
from memtop.tui.side.finding_lines import finding_lines, full_lines
from memtop.units import long_size
from tests.engine.groups.test_groups import by
from tests.engine.groups.worlds import MIB, cgroup, world
from tests.engine.test_machine_view import PANEL
from tests.engine.test_machine_view import world as machine_world
from tests.fakes import KERNEL_FLAGS, MIB_PAGES, FakeProcess, FakeSource, frame_after
from tests.requests import changed, request
from tests.sampling.test_smaps import mapping
from tests.screenshots.record import RECORDINGS

HOSTILE = b"<script>x"
SERVER = str(RECORDINGS / "server.memtop")
QUEUE_WORKER = "4248"


class Page(HTMLParser):
    """Tags that are open, and texts."""

    VOID = frozenset({"meta", "link", "br", "line", "polygon", "polyline", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.feed(text)
        assert not self.open, "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def frame_of(process: FakeProcess, ticks: int = 40) -> Frame:
    source = FakeSource(process)
    engine = Engine(source)
    frame = None
    for _ in range(ticks):
        process.rss_pages += MIB_PAGES
        frame = engine.step(changed(request(focus=process.key, needs=Need.STAT | Need.STATUS), points=40))
    assert frame is not None
    return frame


@cache
def plain_frame() -> Frame:
    """Of a process with a name that needs no care."""
    return frame_of(FakeProcess(42))


def on_screen(frame: Frame) -> str:
    """What the screen says of a frame on all its panels, where it has room for it; blanks made one."""
    width, detail = 2000, frame.detail
    assert detail is not None
    lines = [*full_lines(detail, frame.system, width).lines, *finding_lines(detail, width).lines]
    lines += [*limit_lines(frame, width), *machine_lines(frame, width)]
    texts = [line.text for line in lines]
    if detail.regions is not None:
        for item in items_of(detail.regions, RegionSort(), list(RegionKind)):
            texts.append(" ".join(column.text(item) for column in REGION_COLUMNS))
    for row in frame.rows:
        texts.append(" ".join(column.text(row) for column in COLUMNS))
    for incident in frame.incidents.standing if frame.incidents is not None else ():
        texts.append(incident_sentences(incident).says)  # as the list of incidents has it
    return " ".join(" ".join(texts).split())


@cache
def grows_in_a_cgroup() -> Frame:
    """A process whose growth towards the limit of its cgroup is confirmed."""
    source = world(p42="/shop")
    process, engine, frame = source.processes[42], Engine(source), None
    for tick in range(150):
        process.rss_pages += 2 * MIB_PAGES
        cgroup(source, "/shop", 100 + 2 * tick, b"%d\n" % (1000 * MIB), anon=90 + 2 * tick)
        frame = engine.step(changed(request(focus=process.key, panel="limits"), points=40))
    assert frame is not None
    return frame


def recorded_frame(path: str, pid: int | None, **times_s: float | None) -> Frame:
    """The frame of a report on a recording."""
    with closing(Replay(path)) as source:
        return from_recording(source, Engine, pid, **times_s).frame


def of_recording(to: str | None) -> Frame:
    """A frame of a recorded process with readings of its mappings and of the machine."""
    with closing(Replay(SERVER)) as source:
        to_s = None if to is None else parse_instant(to, *source.span)
    return recorded_frame(SERVER, int(QUEUE_WORKER), to_s=to_s)


def test_what_was_read_of_sums_only_is_not_said_to_be_unread(tmp_path: Path) -> None:
    path, source = str(tmp_path / "r"), world(p42="/shop")
    recorder, process = Recorder(source, path), source.processes[42]
    recorded = Engine(recorder)
    asked = request(focus=process.key, focus_needs=Need.LIMITS | Need.LAZY_FREE)
    for _ in range(120):
        process.rss_pages += 2 * MIB_PAGES
        source.files["proc/42/maps"] = b"0-1000 rw-p 0 0:0 0\n"
        source.files["proc/42/smaps_rollup"] = b"Rss: 1024 kB\nPss: 1024 kB\nLazyFree: 0 kB\n"
        frame = recorded.step(asked)
    recorder.close()
    assert frame is not None
    live, page = as_markdown(report_of(frame)), as_markdown(report_of(recorded_frame(path, 42)))
    assert "Growing" in live and "could not be read" not in live
    assert "Growing" in page and "could not be read" not in page


@pytest.mark.parametrize(
    "frame_made",
    [
        pytest.param(plain_frame, id="grows"),
        pytest.param(grows_in_a_cgroup, id="towards a limit"),
        pytest.param(lambda: of_recording("+24s"), id="recorded"),
        pytest.param(lambda: of_recording(None), id="ended"),
    ],
)
def test_every_number_and_sentence_on_the_page_is_that_of_the_screen(
    frame_made: Callable[[], Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    frame = frame_made()
    screen, report = on_screen(frame), report_of(frame)
    assert frame.detail is not None
    row = frame.detail.row
    assert f"RES {long_size(row.rss_bytes)}, VIRT {long_size(row.virt_bytes)}" in report.summary[1]
    for one in (*report.answers, *report.findings):
        says = [one.says] if one not in report.findings or one.severity != "danger" else one.says.split("  ")
        assert all(" ".join(text.split()) in screen for text in says), one
    tables = {table.title.split(",")[0].split(" (")[0]: table for table in report.tables}
    for title in ("Limits", "Regions by kind", "Largest mappings", "Where the machine's RAM went", "Largest processes"):
        for cells in tables[title].rows if title in tables else ():
            numbers = [cell for cell in cells[1:] if re.fullmatch(r"[+-]?[0-9.]+[A-Z]?", cell)]
            assert " ".join(numbers[:2]) in screen or all(f" {one} " in f" {screen} " for one in numbers), cells
    outlook = frame.detail.outlook
    alarm = outlook is not None and outlook.state is not None and outlook.state.alarm and outlook.autopsy is None
    assert (report.forecast is not None) == ("Forecast" in tables) == (alarm and bool(outlook and outlook.first_met))


def test_of_very_many_processes_the_largest_are_listed() -> None:
    frame = grows_in_a_cgroup()
    many = tuple(frame.rows[0]._replace(pid=7000 + number, rss_bytes=number << 20) for number in range(100))
    text = as_markdown(report_of(frame._replace(rows=many)))
    listed = [number for number in range(100) if f"({7000 + number})" in text]
    assert listed == list(range(85, 100))


def test_the_page_has_the_verdict_the_limits_in_use_and_the_groups() -> None:
    frame = grows_in_a_cgroup()
    groups = Engine(world(p42="/shop", p43="/other")).step(by(By.CGROUP))
    assert groups is not None and groups.groups is not None
    text = as_markdown(report_of(frame, groups=groups.groups)).replace("\\", "")
    assert "## Verdict" in text and "Growing +120 MiB/min" in text
    assert "| limit | at | used | % | room | when full |" in text
    assert "## Groups" in text and all(f"| {one} |" in text.replace("| /", "| ") for one in ("shop", "other"))
    assert "## Forecast" in text


def test_the_chart_is_well_formed_and_has_every_part() -> None:
    page = as_html(report_of(plain_frame()))
    svg = re.search(r"<svg.*</svg>", page, re.DOTALL)
    assert svg is not None
    root = ElementTree.fromstring(svg[0])
    assert {"anon", "file", "res", "virt", "peak"} <= {element.get("class") for element in root}


@pytest.mark.parametrize(
    "name", [HOSTILE, b'"onload="x', b"a|b`c*", b"[x](http://y)", b"&amp;", b"\x1b]0;t\x07", b"=1+1", b"</svg>"]
)
def test_no_name_becomes_markup(name: bytes) -> None:
    process = FakeProcess(42, comm=name, cmdline=name + b"\0--password=hunter2\0")
    report = report_of(frame_of(process), host="<b>host</b>")
    page = as_html(report)
    assert not Page(page).tags & {"script", "b>host", "img"}
    assert "<script>x" not in page and "<b>host" not in page and "\x1b" not in page
    assert "hunter2" not in page
    text = as_markdown(report)
    assert "<script" not in text.replace("\\<", "") and "hunter2" not in text
    assert "](http" not in text.replace("\\]", "")
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert len({line.replace("\\|", "").count("|") for line in table if "RES" in line or "(42" in line}) <= 2


ODD_NAMES = {
    "bidi": "\u202egnp.exe\u2066".encode(),
    "zero width": "a\u200bb\ufeff".encode(),
    "line separators": "a\u2028b\u0085c".encode(),
    "newlines": b"a\n\n# b\n| x | y |\n---",
    "not UTF-8": b"\xff\xfe\xc3(",
    "tags": "a\U000e0041b".encode(),
    "comment": b"--><!--",
    "closes the style": b"</style><style>*{display:none}",
    "template": b"{{ report.title }}{% if 1 %}",
    "template in XML": b"]]><![CDATA[",
    "4 KiB": b"x" * 4096,
    "4 KiB of markup": b"<b>" * 1365,
    "blank": b" ",
    "formula": b"@SUM(1+1)*cmd|' /C calc'!A0",
    "picture": b"![x](javascript:alert(1))",
}


@cache
def tags_of_a_plain_name() -> set[str]:
    """The elements of the page of a process with a name that needs no care."""
    frame = plain_frame()
    assert frame.detail is not None
    event = TimelineEvent(frame.detail.window.right_edge_s - 2, EventKind.MARK, "x", 42)
    return Page(as_html(report_of(frame, events=[event], host="h", source="s"))).tags


@pytest.mark.parametrize("name", ODD_NAMES.values(), ids=ODD_NAMES)
def test_an_odd_name_of_a_process_its_group_and_host_stays_one_visible_text(name: bytes) -> None:
    process = FakeProcess(42, comm=name[:15], cmdline=name + b"\0")
    frame = frame_of(process)
    text = name.decode(errors="surrogateescape")
    assert frame.detail is not None
    event = TimelineEvent(frame.detail.window.right_edge_s - 2, EventKind.MARK, clean(text), 42)
    report = report_of(frame, events=[event], host=text, kernel=text, source=text)
    page, markdown = as_html(report), as_markdown(report)
    assert Page(page).tags == tags_of_a_plain_name(), "no element that another name has not"
    for made in (page, markdown):
        assert not [one for one in made if one != "\n" and (not one.isprintable() or one == "\ufeff")]
    rows = [len(re.findall(r"(?<!\\)\|", line)) for line in markdown.splitlines() if "42)" in line and line[0] == "|"]
    assert set(rows) <= {4, 7}, "events have three columns, processes six"


def test_a_page_needs_nothing_from_elsewhere() -> None:
    page = as_html(report_of(plain_frame()))
    assert "http" not in page.replace("http-equiv", "") and "url(" not in page
    assert "default-src 'none'" in page
    assert page.startswith("<!DOCTYPE html>") and '<html lang="en">' in page


def test_the_page_is_valid_html() -> None:
    html5lib = pytest.importorskip("html5lib")
    odd = frame_of(FakeProcess(42, comm=b'a"b<c>&d', cmdline=b"</td>\0<!--\0"))
    for page in (as_html(report_of(frame, host="h", kernel="6", source="x")) for frame in (plain_frame(), odd)):
        parser = html5lib.HTMLParser()
        parser.parse(page)
        assert parser.errors == []


def test_labels_of_levels_that_are_near_stand_beside_each_other() -> None:
    report = report_of(plain_frame())
    peak_bytes = float(report.detail.row.peak_rss_bytes or 0) if report.detail is not None else 0.0
    page = as_html(report._replace(limits=(("one", peak_bytes), ("other", peak_bytes * 1.001))))
    places = re.findall(r'<text class="(?:limit|peak)-text" x="([0-9.]+)"', page)
    assert len(places) == len(set(places)) == 3


def test_the_chart_marks_what_happened_to_the_process_and_at_its_limits_and_nothing_else() -> None:
    frame = grows_in_a_cgroup()
    assert frame.detail is not None and frame.detail.outlook is not None
    limit, edge_s = frame.detail.outlook.limits[0].name, frame.detail.window.right_edge_s
    events = [
        TimelineEvent(edge_s - 30, EventKind.VERDICT, "app (42): <b>growing", 42),
        TimelineEvent(edge_s - 29, EventKind.LIMIT, f"{limit}: 80 %"),
        TimelineEvent(edge_s - 28, EventKind.LIMIT, "/elsewhere: 90 %"),
        TimelineEvent(edge_s - 27, EventKind.OOM, "other (43)", 43),
    ]
    page = as_html(report_of(frame, events=events))
    drawn = re.findall(r'<text class="event-text"[^>]* y="([0-9.]+)">([^<]*)</text>', page)
    assert [label for _, label in drawn] == ["&lt;b&gt;growing", "80 % of limit"]
    assert len({y for y, _ in drawn}) == 2, "labels that are near stand below each other"


def test_of_very_many_events_each_has_its_line_and_no_label_covers_another() -> None:
    frame = grows_in_a_cgroup()
    assert frame.detail is not None
    edge_s = frame.detail.window.right_edge_s
    events = [TimelineEvent(edge_s - 30 + at / 100, EventKind.MARK, "app (42)", 42) for at in range(100)]
    page = as_html(report_of(frame, events=events))
    drawn = re.findall(r'<text class="event-text"[^>]* x="([0-9.]+)" y="([0-9.]+)"', page)
    assert page.count('<line class="event"') == 100
    assert 4 <= len(drawn) < 20 and len(set(drawn)) == len(drawn)


def test_the_group_that_an_oom_kill_has_emptied_is_in_the_table_of_groups() -> None:
    frame = grows_in_a_cgroup()
    groups = Engine(world(p42="/shop", p43="/other")).step(by(By.CGROUP))
    assert groups is not None and groups.groups is not None
    rows = [
        row._replace(gone_s=frame.at_s, oom_kills=1 if row.name == "/shop" else 0) if row.name != "/other" else row
        for row in groups.groups
    ]
    (table,) = [one for one in report_of(frame, groups=rows).tables if one.title == "Groups"]
    assert [row[0] for row in table.rows] == ["/shop (gone)", "/other"]
    assert table.numeric == (False, *[True] * 6)


def test_of_many_groups_that_oom_kills_have_emptied_and_of_many_problems_the_last_ones_are_listed() -> None:
    frame = grows_in_a_cgroup()._replace(problems=("first", "second", "third"))
    groups = Engine(world(p42="/shop")).step(by(By.CGROUP))
    assert groups is not None and groups.groups is not None
    row = next(one for one in groups.groups if one.name == "/shop")
    killed = [row._replace(name=f"/{number}", gone_s=frame.at_s, oom_kills=1) for number in range(8)]
    report = report_of(frame, groups=killed)
    (table,) = [one for one in report.tables if one.title == "Groups"]
    assert [row[0] for row in table.rows] == [f"/{number} (gone)" for number in range(3, 8)]
    assert "Problems: second; third." in report.summary


def test_ages_are_those_of_an_instant_that_stands_above_them() -> None:
    report = report_of(plain_frame())
    assert report.as_of.startswith("As of 20")
    for page in (as_html(report), as_markdown(report)):
        assert page.index(markdown_text(report.as_of)) < page.index(markdown_text(report.summary[0])[:12])


def test_the_page_says_how_to_see_its_instant_and_its_process_again(tmp_path: Path) -> None:
    frame = grows_in_a_cgroup()
    command = shlex.split(replay_command(str(tmp_path / "a b.memtop"), frame))
    assert command[:3] == ["memtop", "replay", "a b.memtop"] and command[-2:] == ["-p", "42"]
    assert parse_instant(command[4], frame.shown_s - 5, frame.shown_s + 5) == pytest.approx(frame.shown_s, abs=1)


def test_markdown_is_text_on_one_line() -> None:
    assert markdown_text("a_b*c\n# d") == "a\\_b\\*c \\# d"
    says = "leak-2.py (18) was OOM-killed at 22:07:03 +0000; it had grown +59.8 MiB/min!"
    assert markdown_text(says) == says, "what is no markup has no backslash"


@pytest.mark.parametrize(
    "name",
    [
        *("- x", "+ x", "1. x", "123456789) x", "---", "===", "# x", "> x", "[x](http://y)", "![x](y)", "http://y"),
        *("www.y.z", "a@b.co", "`x`", "**x**", "_x_", "~~x~~", "&lt;", "<b>", "a|b", "a\\|b", "\\", "| a | b |"),
    ],
)
def test_what_is_markup_is_shown_as_it_is(name: str) -> None:
    markdown = MarkdownIt("gfm-like")
    shown = f"<p>{escape(name, quote=False)}</p>"
    assert markdown.render(markdown_text(name)).strip() == shown
    table = markdown.render(f"| h |\n| --- |\n| {markdown_text(name)} |\n")
    assert f"<td>{escape(name, quote=False)}</td>" in table
    assert markdown_text(":rocket: $x$") == "\\:rocket: \\$x\\$"


def test_the_command_writes_a_private_file_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert run(["report", SERVER, "--pid", QUEUE_WORKER, "-o", str(page)]) == 0
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    text = " ".join(Page(page.read_text()).texts)
    assert "queue-worker (4248)" in text and "Regions by kind" in text and "memtop replay server.memtop" in text
    assert run(["report", SERVER, "-o", str(page)]) == 2
    assert "File exists" in capsys.readouterr().err


def test_the_name_of_standard_output_makes_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = os.path.abspath(SERVER)
    monkeypatch.chdir(tmp_path)
    assert run(["report", server, "--pid", QUEUE_WORKER, "--markdown", "-o", "-"]) == 0
    assert "queue-worker" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_a_stretch_of_time_may_be_chosen(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    whole = reported(capsys, SERVER, "--pid", QUEUE_WORKER)
    part = reported(capsys, SERVER, "--pid", QUEUE_WORKER, "--to", "+24s")
    assert "has ended" in whole and "has ended" not in part


def reported(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert run(["report", "--markdown", *argv]) == 0
    return capsys.readouterr().out.replace("\\", "")


@pytest.mark.parametrize("pid", [None, 42])
def test_the_first_instants_of_a_recording_have_a_report_too(tmp_path: Path, pid: int | None) -> None:
    path, source = str(tmp_path / "r"), world(p42="/shop")
    recorder = Recorder(source, path)
    recorded = Engine(recorder)
    for _ in range(3):
        recorded.step(request(needs_all=Need.STAT))
    recorder.close()
    with closing(Replay(path)) as source_of:
        first_s = source_of.span[0]
    for after_s in (0.0, 1.0, 2.0):
        detail = recorded_frame(path, pid, to_s=first_s + after_s).detail
        assert detail is not None and detail.row.pid == 42


def test_that_a_recording_is_incomplete_is_in_its_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorder = Recorder(world(p42="/shop"), str(tmp_path / "r"))
    recorded = Engine(recorder)
    for _ in range(3):
        recorded.step(request(needs_all=Need.STAT))
    recorder.recent()  # waits until the samples so far are in the file
    for name in ("r", "r-wal"):  # as a killed recorder leaves them
        shutil.copy(tmp_path / name, tmp_path / name.replace("r", "killed", 1))
    recorder.close()
    assert "incomplete" in reported(capsys, str(tmp_path / "killed"))
    assert "incomplete" not in reported(capsys, str(tmp_path / "r"))


@pytest.mark.parametrize("back_s", [1.5, 3600.0, 1e9])
def test_a_recording_in_which_the_clock_was_set_back_has_a_report(tmp_path: Path, back_s: float) -> None:
    path, source = str(tmp_path / "r"), world(p42="/shop")
    recorder = Recorder(source, path)
    recorded = Engine(recorder)
    for tick in range(40):
        source.wall_s -= back_s * (tick == 20)
        recorded.step(request(needs_all=Need.STAT))
    recorder.close()
    for pid in (None, 42):
        detail = recorded_frame(path, pid).detail
        assert detail is not None and detail.row.pid == 42
        assert list(detail.series.times_s) == sorted(detail.series.times_s)


def test_of_a_long_recording_the_past_is_in_the_chart_though_little_of_it_is_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memtop.report.recorded.PAST_TICKS", 20)
    monkeypatch.setattr("memtop.report.recorded.ENDED_S", 30.0)
    path, source = str(tmp_path / "r"), world(p42="/shop", p43="/shop")
    recorder, process = Recorder(source, path), source.processes[42]
    recorded = Engine(recorder)
    for tick in range(90):
        process.rss_pages += MIB_PAGES
        if tick == 30:
            del source.processes[43]
        recorded.step(request(needs_all=Need.STAT))
    recorder.close()
    frame = recorded_frame(path, 42)
    assert frame.detail is not None
    series = frame.detail.series
    assert series.times_s[0] == pytest.approx(-89, abs=1.5), "it begins with the recording"
    assert series.rss_bytes[-1] == frame.detail.row.rss_bytes
    ended = recorded_frame(path, 43)
    assert ended.detail is not None and ended.detail.gone, "long ago, and reported as of then"
    assert ended.at_s < frame.at_s - 30


def test_without_a_pid_a_recording_is_about_the_process_in_trouble(capsys: pytest.CaptureFixture[str]) -> None:
    recorded = recorded_named("leak")
    assert f"({recorded.pid})" in reported(capsys, recorded.path)


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (["/nowhere.memtop"], 2, "nowhere"),
        ([SERVER, "--pid", "1"], 3, "does not hold process 1;"),
        ([SERVER, "--to", "noon"], 2, "not a time of day"),
        ([SERVER, "--from", "2025-11-22 03:00"], 2, "there are samples from"),
        ([SERVER, "--from", "+54s", "--to", "+24s"], 2, "ends before it begins"),
        ([SERVER, "--for", "3"], 2, "--for"),
        (["4242", "--to", "12:00"], 2, "for a recording"),
    ],
)
def test_what_cannot_be_reported_is_said_in_one_line(
    argv: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    assert run(["report", *argv]) == code
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


@pytest.mark.parametrize("argv", [["1"], ["--markdown", "1"], [SERVER]], ids=" ".join)
def test_without_jinja2_nothing_is_watched(
    argv: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("jinja2", "markupsafe"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr("memtop.cli.report.LiveSource", None)
    assert run(["report", *argv]) == 2
    assert capsys.readouterr().err.startswith("memtop: a report needs Jinja2: pip install")


def test_a_living_process_is_watched_for_some_seconds() -> None:
    process = FakeProcess(42)
    waited: list[float] = []
    collected = from_machine(Engine(FakeSource(process)), 42, 5.0, 1.0, waited.append)
    assert waited == [1.0] * 5
    assert collected.frame.detail is not None and collected.frame.detail.row.pid == 42
    assert os.path.basename(report_of(collected.frame).title) == "Memory of app (42)"


def test_a_kernel_thread_has_a_report_too() -> None:
    kernel = FakeProcess(42, flags=KERNEL_FLAGS)
    collected = from_machine(Engine(FakeSource(kernel)), 42, 1.0, 1.0, lambda _: None)
    summary = " ".join(report_of(collected.frame).summary)
    assert "has no memory of its own" in summary
    assert "takes about a minute" not in summary


def test_a_process_that_may_not_be_read_is_no_process_that_is_not_there() -> None:
    source = FakeSource(FakeProcess(42))
    source.files["proc/42/stat"] = source.files["proc/42/statm"] = AccessDenied("proc/42/stat: Permission denied")
    with pytest.raises(AccessDenied):
        from_machine(Engine(source), 42, 0.0, 1.0, lambda _: None)


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_watched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", str(os.getpid()), "--for", "60", "-o", str(tmp_path / "nowhere" / "r.html")]) == 2
    assert "No such file or directory" in capsys.readouterr().err


def test_half_a_report_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.html"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        with pytest.raises(UsageError, match="File too large"):
            write_new(str(path), "x" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not path.exists()


def test_of_very_many_ends_the_latest_are_listed() -> None:
    source = FakeSource(FakeProcess(1), *(FakeProcess(pid, rss_pages=12 * MIB_PAGES) for pid in range(100, 120)))
    engine = Engine(source)
    frame_after(engine, request(), 3)
    for pid in range(100, 120):
        del source.processes[pid]
        frame = frame_after(engine, request(), 1)
    assert len(frame.ended) == 20
    (table,) = [one for one in report_of(frame, exits=tuple(reversed(frame.ended))).tables if one.title == "Ended"]
    assert len(table.rows) == 15
    assert "119" in "".join(table.rows[-1]) and "105" in "".join(table.rows[0])


def test_of_very_many_events_the_latest_are_listed_and_of_a_part_few_holders() -> None:
    source, engine = machine_world()
    for number in range(8):
        source.add(FakeProcess(100 + number, cmdline=b"holder\0", rss_pages=(60 + number) * MIB_PAGES))
    frame = frame_after(engine, PANEL, 3)
    events = [TimelineEvent(float(number), EventKind.MARK, f"mark-{number}") for number in range(100)]
    tables = {one.title: one for one in report_of(frame, events=events).tables}
    assert [row[-1] for row in tables["Events"].rows] == [f"mark-{number}" for number in range(70, 100)]
    said = [cell.count("holder") for one in tables.values() for row in one.rows for cell in row]
    assert max(said) == 3


def test_of_a_very_long_command_line_the_beginning_is_there() -> None:
    process = FakeProcess(7, cmdline=b"x" * 3000 + b"\0")
    frame = frame_after(Engine(FakeSource(process)), request(), 1)
    (table,) = [one for one in report_of(frame).tables if one.title == "Largest processes"]
    assert table.rows[0][-1] == "x" * 200


@pytest.mark.parametrize("played_ticks", [300, 20], ids=["played", "sizes only"])
def test_of_a_long_recording_some_points_are_drawn(played_ticks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memtop.report.recorded.POINTS", 10)
    monkeypatch.setattr("memtop.report.recorded.PAST_TICKS", played_ticks)
    detail = recorded_frame(SERVER, int(QUEUE_WORKER)).detail
    assert detail is not None and 5 < len(detail.series.times_s) <= 11
    assert detail.series.times_s[-1] - detail.series.times_s[0] > 60, "they are of all of it"


def test_of_very_many_mappings_the_largest_are_listed_and_of_a_long_past_some_points_are_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("memtop.report.collect.POINTS", 20)
    source = FakeSource(FakeProcess(42))
    source.files["proc/42/smaps"] = b"".join(mapping(at << 20, 512, 4 + 4 * at) for at in range(1, 31))
    collected = from_machine(Engine(source), 42, 60.0, 1.0, sleep=lambda seconds: None)
    series = collected.frame.detail.series if collected.frame.detail is not None else None
    assert series is not None and 2 < len(series.times_s) <= 21
    (table,) = [one for one in report_of(collected.frame).tables if one.title.startswith("Largest mappings")]
    assert [row[0].split("-")[0].split()[0] for row in table.rows] == [f"{at << 20:012x}" for at in range(30, 20, -1)]
