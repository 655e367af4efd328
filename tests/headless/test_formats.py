"""Frames as data: the JSON contract, CSV, plain text."""

from __future__ import annotations

import base64
import csv
import io
import json
from dataclasses import replace
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.analysis.findings import Finding
from memtop.analysis.severity import Severity
from memtop.analysis.trend.classify import Growth, Shape
from memtop.analysis.trend.hysteresis import Confirmation
from memtop.columns import COLUMNS, DEFAULT_COLUMNS
from memtop.engine.process_tree import grow
from memtop.headless import iso
from memtop.headless.formats import csv_writer, json_writer
from memtop.headless.text_format import text_writer
from memtop.model.assessment import Assessment
from memtop.model.frame import Shares
from memtop.model.row import Note, ProcessRow, SystemRow
from memtop.procfs.membership import CgroupNames, CgroupOwner
from memtop.sanitize import clean
from tests.rows import proc_row, system_row
from tests.tui.frames import frame

PROCESS_KEYS = {
    "pid",
    "ppid",
    "start_ticks",
    "name",
    "command",
    "user",
    "state",
    "threads",
    "virt_bytes",
    "rss_bytes",
    "anon_bytes",
    "file_bytes",
    "shmem_bytes",
    "shr_bytes",
    "swap_bytes",
    "peak_rss_bytes",
    "page_tables_bytes",
    "hugetlb_bytes",
    "mem_percent",
    "minflt",
    "majflt",
    "minflt_per_s",
    "majflt_per_s",
    "cpu_percent",
    "oom_score",
    "oom_score_adj",
    "cgroup",
    "unit",
    "container",
    "pod",
}
SYSTEM_KEYS = {
    "mem_total_bytes",
    "mem_available_bytes",
    "swap_total_bytes",
    "swap_free_bytes",
    "pgfault_per_s",
    "pgmajfault_per_s",
    "oom_kills",
    "psi_memory_some_avg10",
    "psi_memory_full_avg10",
}


def unknown_row() -> ProcessRow:
    """A process of which nothing but its existence is known."""
    none = {
        name: None
        for name, type_ in ProcessRow.__annotations__.items()
        if "None" in str(type_) and name not in ("trend", "command_raw")
    }
    return proc_row(42, **{**none, "user": "", "command_raw": None, "note": Note.DENIED})


def refuse(text: str) -> NoReturn:
    raise AssertionError(f"{text} is not JSON")


def lines_of(*rows: ProcessRow, **changes: Any) -> list[str]:
    out = io.StringIO()
    json_writer(out)(frame(rows, **changes))
    return out.getvalue().splitlines(keepends=True)


def record_of(*rows: ProcessRow, **changes: Any) -> dict[str, Any]:
    (line,) = lines_of(*rows, **changes)
    record: dict[str, Any] = json.loads(line, parse_constant=refuse)
    return record


def cells_of(row: ProcessRow, *, redact: bool = True) -> dict[str, str]:
    out = io.StringIO()
    csv_writer(out, redact=redact)(frame([row]))
    header, cells = csv.reader(io.StringIO(out.getvalue()))
    return dict(zip(header, cells, strict=True))


def test_a_sample_has_every_key_of_the_contract() -> None:
    record = record_of(proc_row(42), elapsed_s=0.5)
    assert (record["schema"], record["type"], record["elapsed_s"]) == (1, "sample", 0.5)
    assert record["at"] == "2023-11-14T22:13:20.000Z"
    assert record["system"].keys() >= SYSTEM_KEYS
    (process,) = record["processes"]
    assert process.keys() >= PROCESS_KEYS
    assert (process["pid"], process["start_ticks"], process["rss_bytes"]) == (42, 1042, 212 << 20)


def test_unknown_is_null_and_no_key_is_left_out() -> None:
    none = {name: None for name in SystemRow._fields if name != "processes"}
    record = record_of(unknown_row(), system=system_row(**none), elapsed_s=None)
    (process,) = record["processes"]
    known = {"pid", "start_ticks", "name", "state"}
    assert {key for key in PROCESS_KEYS if process[key] is None} == PROCESS_KEYS - known
    assert all(record["system"][key] is None for key in SYSTEM_KEYS)
    assert record["elapsed_s"] is None
    assert process["note"] == "denied"


def test_the_number_of_processes_that_may_not_be_read_is_given() -> None:
    out = io.StringIO()
    json_writer(out)(frame([], hidden=3))
    assert json.loads(out.getvalue())["hidden"] == 3
    out = io.StringIO()
    json_writer(out)(frame([], hidden=None))
    assert json.loads(out.getvalue())["hidden"] is None


def test_zero_is_zero() -> None:
    (process,) = record_of(proc_row(42, swap_bytes=0, minflt_per_s=0.0))["processes"]
    assert (process["swap_bytes"], process["minflt_per_s"]) == (0, 0.0)


@pytest.mark.parametrize("name", [b"a) R (b\n\xc3)", b"\xff", b"\xed\xa0\x80"])
def test_names_that_are_not_utf_8_are_also_given_exactly(name: bytes) -> None:
    (process,) = record_of(proc_row(42, name_raw=name, command_raw=name + b"\0-x\0"))["processes"]
    assert base64.b64decode(process["name_b64"]) == name
    assert base64.b64decode(process["command_b64"]) == name + b" -x"


def test_names_that_are_utf_8_are_exact_as_they_are() -> None:
    (process,) = record_of(proc_row(42, name_raw="\x1b[31mñ\u202e".encode(), command_raw=b""))["processes"]
    assert process["name"] == "\x1b[31mñ\u202e"
    assert "name_b64" not in process
    assert process["command"] == ""


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_a_sample_is_one_line_of_strict_json_whatever_the_names(name: bytes, command: bytes) -> None:
    (line,) = lines_of(proc_row(42, name_raw=name, command_raw=command), proc_row(43))
    assert line.endswith("}\n")
    assert line.isascii()
    (process, _) = json.loads(line, parse_constant=refuse)["processes"]
    exact = base64.b64decode(process["name_b64"]) if "name_b64" in process else process["name"].encode()
    assert exact == name


def test_what_is_not_a_number_is_never_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        lines_of(proc_row(42, cpu_percent=float("nan")))


def test_every_line_is_flushed() -> None:
    class Counting(io.StringIO):
        flushed = 0

        def flush(self) -> None:
            self.flushed += 1

    out = Counting()
    write = json_writer(out)
    for _ in range(3):
        write(frame())
    assert (out.flushed, len(out.getvalue().splitlines())) == (3, 3)


@pytest.mark.parametrize("command", ["=cmd|' /C calc'!A0", "+1", "-x", "@SUM(A1)", "\uff1d1", "  =1"])
def test_no_cell_of_csv_is_a_formula(command: str) -> None:
    cells = cells_of(proc_row(42, command=command, name=command, user=command))
    assert (cells["command"], cells["name"], cells["user"]) == ("'" + command,) * 3


def test_no_cell_is_a_formula_where_a_semicolon_separates_cells() -> None:
    cells = cells_of(proc_row(42, name="a;=1+1", command="sh -c x; @SUM(A1);y"))
    assert (cells["name"], cells["command"]) == ("a;'=1+1", "sh -c x; '@SUM(A1);y")


def test_the_columns_of_csv_stay_those_of_the_first_sample() -> None:
    out = io.StringIO()
    write = csv_writer(out)
    shares = Shares(1, {}, decides=False)
    write(frame([proc_row(7)], shares=shares))
    write(frame([proc_row(7)]))
    heading, *rows = csv.reader(io.StringIO(out.getvalue()))
    assert heading[-1] == "pss_unknown" and {len(row) for row in rows} == {len(heading)}


def test_csv_of_a_later_sample_has_its_time_and_what_has_changed() -> None:
    out = io.StringIO()
    write = csv_writer(out)
    calm, moved, ended = proc_row(42), proc_row(43), proc_row(44)
    first, later = frame([calm, moved, ended]), frame([calm, moved._replace(rss_bytes=12_345), proc_row(45)])
    write(first)
    write(later._replace(at_s=first.at_s + 1))
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert [row["pid"] for row in rows] == ["42", "43", "44", "42", "43", "45"]
    assert {row["at"] for row in rows[3:]} == {iso(first.at_s + 1)}
    assert rows[3] == rows[0] | {"at": iso(first.at_s + 1)}
    assert rows[4] == rows[1] | {"at": iso(first.at_s + 1), "rss_bytes": "12345"}


def test_findings_that_outlast_an_assessment_are_printed_with_its_verdict() -> None:
    out, row = io.StringIO(), proc_row(42)
    write = json_writer(out)
    found = (Finding("leader_gone", Severity.NOTE, "special_processes", {}),)
    of_memory = Assessment(
        findings=found, growth=Growth(Shape.FLAT, points=9, span_s=90.0), state=Confirmation(kind=Shape.FLAT)
    )
    for one in (of_memory, replace(of_memory, of_heap=True), replace(of_memory, findings=())):
        write(frame([row])._replace(outlooks={row.key: one}))
    said = [json.loads(line)["processes"][0] for line in out.getvalue().splitlines()]
    assert [one["verdict"]["of"] for one in said] == ["memory", "heap", "memory"]
    assert [[each["id"] for each in one["findings"]] for one in said] == [["leader_gone"], ["leader_gone"], []]


def test_no_name_breaks_a_line_of_csv() -> None:
    names = CgroupNames('/a\r\nb"c,d', CgroupOwner())
    assert cells_of(proc_row(42, names=names))["cgroup"] == '/a^M^Jb"c,d'


def test_pss_and_uss_are_there_where_they_were_asked_for_with_the_reason_where_they_are_unknown() -> None:
    known, unknown = proc_row(7, pss_bytes=5, uss_bytes=3), proc_row(8)
    assert "pss_bytes" not in json.loads(lines_of(known)[0])["processes"][0]
    shares = Shares(2, {unknown.key: "too_dear"}, decides=False)
    found = json.loads(lines_of(known, unknown, shares=shares)[0])["processes"]
    assert [(one["pss_bytes"], one["uss_bytes"], one["pss_unknown"]) for one in found] == [
        (5, 3, None),
        (None, None, "too_dear"),
    ]
    out = io.StringIO()
    csv_writer(out)(frame([known, unknown], shares=shares))
    heading, *rows = csv.reader(io.StringIO(out.getvalue()))
    assert heading[-3:] == ["pss_bytes", "uss_bytes", "pss_unknown"]
    assert [row[-3:] for row in rows] == [["5", "3", ""], ["", "", "too_dear"]]


@given(st.binary(max_size=40))
def test_csv_gives_cells_back_and_none_of_them_begins_like_a_formula(raw: bytes) -> None:
    cells = cells_of(proc_row(42, command=clean(raw)), redact=False)
    assert cells["command"].replace("'", "") == clean(raw).replace("'", "")
    assert not cells["command"].startswith(("=", "+", "-", "@", "\t", "\r"))


def test_csv_has_one_header_and_unknown_is_an_empty_cell() -> None:
    out = io.StringIO()
    write = csv_writer(out)
    write(frame([unknown_row()]))
    write(frame([proc_row(43), proc_row(44)]))
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert [row["pid"] for row in rows] == ["42", "43", "44"]
    assert (rows[0]["rss_bytes"], rows[1]["rss_bytes"], rows[1]["swap_bytes"]) == ("", str(212 << 20), "0")


def test_a_negative_change_is_a_number_and_needs_no_guard() -> None:
    assert cells_of(proc_row(42, growth_bytes_per_min=-5.0))["growth_bytes_per_min"] == "-5.0"


def test_the_table_is_aligned_and_ends_every_frame_with_an_empty_line() -> None:
    out = io.StringIO()
    text_writer(out, DEFAULT_COLUMNS, None)(frame([proc_row(42), unknown_row()], hidden=3))
    headline, first, _, blank, titles, *rows, end = out.getvalue().split("\n")[:-1]
    assert headline.startswith("8.30 GiB available") and "2 processes  (3 hidden)" in first
    assert (blank, end) == ("", "")
    assert titles.split() == [column.title for column in DEFAULT_COLUMNS]
    assert {row.index("proc-42") for row in rows} == {titles.index("COMMAND")}
    assert "–" in rows[1]


def test_the_table_shows_the_tree_and_is_cut_at_the_width() -> None:
    rows, places = grow([proc_row(10), proc_row(20, ppid=10)], frozenset())
    out = io.StringIO()
    text_writer(out, DEFAULT_COLUMNS, 125)(frame(rows, places))
    lines = out.getvalue().splitlines()
    assert any("└─ proc" in line for line in lines)
    assert max(map(len, lines)) <= 125


def test_every_column_can_be_printed_of_a_process_of_which_nothing_is_known() -> None:
    text_writer(io.StringIO(), COLUMNS, None)(frame([unknown_row()]))


def test_times_are_utc_with_milliseconds() -> None:
    assert iso(1.5) == "1970-01-01T00:00:01.500Z"


@pytest.mark.parametrize("redact", [True, False])
def test_secrets_of_command_lines_are_shown_only_to_those_who_ask_for_them(redact: bool) -> None:
    row = proc_row(42, command="curl -u bob:hunter2 x", command_raw=b"curl\0-u\0bob:hunter2\0x\0")
    json_out, csv_out = io.StringIO(), io.StringIO()
    json_writer(json_out, redact=redact)(frame([row]))
    csv_writer(csv_out, redact=redact)(frame([row]))
    command = "curl -u *** x" if redact else "curl -u bob:hunter2 x"
    assert json.loads(json_out.getvalue())["processes"][0]["command"] == command
    assert next(csv.DictReader(io.StringIO(csv_out.getvalue())))["command"] == command


def test_the_names_of_a_cgroup_are_data_and_null_where_there_is_none() -> None:
    names = CgroupNames("/system.slice/a.service", CgroupOwner(unit="a.service"))
    (process,) = record_of(proc_row(42, names=names))["processes"]
    assert [process[key] for key in ("cgroup", "unit", "container", "pod")] == [names.path, "a.service", None, None]
    assert cells_of(proc_row(42, names=names))["unit"] == "a.service"
    assert cells_of(proc_row(42))["cgroup"] == ""
