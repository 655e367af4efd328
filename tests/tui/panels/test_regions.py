"""The Regions and Sharing panels: what they show of real processes, and what their keys do."""

from __future__ import annotations

import gzip
from functools import cache
from typing import Any

import pytest

from memtop.analysis.findings import Finding
from memtop.analysis.memory_map.piece_budget import SMAPS_MAX_S
from memtop.analysis.memory_map.read_cost import Load, Machine, ReadBudget
from memtop.analysis.memory_map.region_kinds import RegionKind
from memtop.analysis.memory_map.regions import Split
from memtop.analysis.memory_map.sharing import Bounds, Freed, Sharing, freed_by_kill, member
from memtop.analysis.severity import Severity
from memtop.explain.region_placeholders import BESIDE_NOW, mapping_sentence, sizes_then
from memtop.explain.region_sentences import caption, mark_sentence, what_is_known, why_no_reading
from memtop.explain.sharing_sentences import READING_FREED, kill_sentences, sharing_sentences
from memtop.explain.topic_loader import topic, topics
from memtop.model.assessment import Assessment
from memtop.model.detail import Detail
from memtop.model.row import Note
from memtop.procfs.smaps_rollup import parse_rollup
from memtop.sampling.smaps.parse_worker import NO_GROWTH, Raw, digest
from memtop.sampling.smaps.smaps_view import InPieces, MarkView, Missing, Reading, RegionsView, Relative, SharingView
from memtop.tui.panels.region_items import MOST_MAPPINGS, RegionSort, items_of
from memtop.tui.panels.regions import RegionsPanel, missing_lines
from memtop.tui.panels.regions_table import RegionsTable
from memtop.tui.panels.sharing import sharing_lines
from memtop.tui.panels.switcher import Panels
from memtop.tui.side.finding_lines import finding_lines
from memtop.tui.side.virt_bar import bar, legend
from memtop.units import long_size
from tests.analysis.memory_map.smaps_files import DATA
from tests.explain.regions import REGION_FACTS
from tests.rows import GIB, MIB
from tests.tui.details import make_detail, make_row
from tests.tui.frames import WidgetApp, frame, line

HEAP = 0x6000_0000


def read(data: bytes, first: Reading | None = None, mark: Reading | None = None) -> RegionsView:
    """A view of one smaps."""
    found = digest(
        Raw(
            data=data,
            at_s=100.0,
            took_s=0.003,
            cut=False,
            start_code=0,
            threads=1,
            tmpfs=(),
            first=None if first is None else (90.0, first.regions),
            mark=None if mark is None else mark.regions,
        )
    )
    assert found is not None
    return view(reading=found.reading, age_s=2.0, start_age_s=10.0, since_mark=found.since_mark)


def view(**changes: Any) -> RegionsView:
    """Nothing known, but for what a test says."""
    values: dict[str, Any] = {
        "reading": None,
        "age_s": None,
        "start_age_s": None,
        "missing": Missing.NOTHING,
        "waiting_s": None,
        "resting_s": 0.0,
        "calm": False,
        "stall_s": 0.001,
        "mappings": None,
        "since_mark": None,
    }
    return RegionsView(**{**values, **changes})


def real(program: str) -> RegionsView:
    """Of a process that was photographed."""
    return read(gzip.decompress((DATA / program / "smaps.gz").read_bytes()))


def many(count: int, rss_kib: int = 4) -> bytes:
    """So many mappings of 8 KiB each, not merged."""
    return b"".join(
        b"%x-%x rw-p 00000000 00:00 0 \nSize: 8 kB\nRss: %d kB\nPss: 4 kB\nPrivate_Dirty: 4 kB\nSwap: 0 kB\n"
        % (HEAP + at * 16384, HEAP + at * 16384 + 8192, rss_kib)
        for at in range(count)
    )


@cache
def thousands() -> RegionsView:
    """Of a process with 5,000 mappings; to read them takes longer than to list them."""
    return read(many(5000))


POOL = (
    b"40000000-41400000 rw-p 00000000 00:10 7 /anon_hugepage (deleted)\nSize: 20480 kB\nRss: 0 kB\nPss: 0 kB\n"
    b"Shared_Clean: 0 kB\nShared_Dirty: 0 kB\nPrivate_Clean: 0 kB\nPrivate_Dirty: 0 kB\nAnonymous: 0 kB\n"
    b"Shared_Hugetlb: 0 kB\nPrivate_Hugetlb: 10240 kB\nSwap: 0 kB\nVmFlags: rd wr mr mw me de ht\n"
)
"""Twenty MiB of huge pages, half of them touched."""


# -- lines as data


def test_kinds_unfold_to_their_mappings_and_both_are_sorted() -> None:
    go = real("go")
    closed = items_of(go, RegionSort("rss"))
    assert [item.kind for item in closed][:1] == [RegionKind.GO_HEAP]
    sizes = [item.sizes.rss_bytes for item in closed if item.sizes]
    assert sizes == sorted(sizes, key=lambda size: size or 0, reverse=True)
    opened = items_of(go, RegionSort("size", descending=False), {RegionKind.GO_RUNTIME})
    below = [
        item.sizes.size_bytes for item in opened if item.kind is RegionKind.GO_RUNTIME and item.start and item.sizes
    ]
    assert len(below) > 1 and below == sorted(below)


@pytest.mark.parametrize("key", ["size", "rss", "touched", "pss", "dirty", "swap", "mark", "start", "count", "kind"])
def test_of_tens_of_thousands_of_mappings_only_the_first_are_listed(key: str) -> None:
    items = items_of(thousands(), RegionSort(key), {RegionKind.ANON})
    assert len(items) == 1 + MOST_MAPPINGS + 1
    assert items[-1].title.strip() == "… 4,000 more"


def test_huge_pages_are_named_beside_their_kind_and_their_mappings_because_rss_leaves_them_out() -> None:
    kind, mapping = items_of(read(POOL), RegionSort(), {RegionKind.HUGETLB})
    for item in (kind, mapping):
        assert item.where.startswith("+10.0M not in RSS") and item.touched_percent == 50
    own = read(POOL)
    assert own.reading is not None
    freed = freed_by_kill(own.reading.regions)
    alone = Relative(42, "app", MIB, None, None, Missing.NOTHING, None)
    sharing = SharingView((alone,), Sharing(()), None, freed, own)
    words, _ = sharing_sentences(make_detail(), sharing)[0]
    assert "0 B of its 0 B RES" in words and "and 10.0 MiB in huge pages, which RES does not count" in words


def test_growth_stands_beside_the_kind_and_the_mapping_that_grew() -> None:
    before = read(many(3)).reading
    assert before is not None
    now = read(many(3, 8), first=before, mark=before)
    kind, *mappings = items_of(now, RegionSort(), {RegionKind.ANON})
    assert (kind.since_mark, kind.since_start) == (12288, 12288)
    assert [item.since_mark for item in mappings] == [4096] * 3


# -- the table


async def test_enter_opens_a_kind_and_explains_a_mapping() -> None:
    table = RegionsTable()
    app = WidgetApp(table)
    async with app.run_test(size=(120, 20)) as pilot:
        table.show(real("threads"))
        await pilot.pause()
        assert "KIND" in line(table, 0) and "SINCE MARK" in line(table, 0) and "▸" in line(table, 1)
        await pilot.press("enter")
        assert "▾" in line(table, 1)
        opened = len(table.items)
        await pilot.press("down", "enter")
        (asked,) = app.heard_of(RegionsTable.ExplainAsked)
        assert asked.start is not None and len(table.items) == opened
        await pilot.press("o")
        assert len(table.items) < opened
        assert "▸" in line(table, 1)


async def test_the_order_follows_the_keys_and_the_cursor_its_line() -> None:
    table = RegionsTable()
    app = WidgetApp(table)
    async with app.run_test(size=(120, 20)) as pilot:
        table.show(real("go"))
        await pilot.press("greater_than_sign")
        assert table.order == RegionSort("rss")
        assert "RSS▼" in line(table, 0)
        await pilot.press("I")
        assert "RSS▲" in line(table, 0)
        await pilot.press("G", "e")
        await pilot.press("I", "e")
        assert [asked.kind for asked in app.heard_of(RegionsTable.ExplainAsked)] == [RegionKind.GO_HEAP] * 2


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
async def test_columns_are_whole_at_every_width(width: int) -> None:
    table = RegionsTable()
    async with WidgetApp(table).run_test(size=(width, 12)) as pilot:
        table.show(real("jvm"))
        await pilot.pause()
        heading = line(table, 0)
        assert all(title in heading for title in ("KIND", "SIZE", "RSS"))
        assert len(heading) == width


async def test_tens_of_thousands_of_mappings_are_drawn_as_few() -> None:
    table = RegionsTable()
    async with WidgetApp(table).run_test(size=(100, 20)) as pilot:
        table.show(read(many(20_000)))
        await pilot.press("enter", "G")
        assert "more" in line(table, 19)


async def test_growth_since_the_start_is_seen_at_80_columns_where_other_columns_would_be_empty() -> None:
    without = b"60000000-60800000 rw-p 00000000 00:00 0 [heap]\nSize: 8192 kB\nRss: 4096 kB\nSwap: 0 kB\n"
    table = RegionsTable()
    async with WidgetApp(table).run_test(size=(80, 20)) as pilot:
        table.show(read(without))
        await pilot.pause()
        assert "SINCE 1ST READ" in line(table, 0) and "PSS" not in line(table, 0)
        table.show(read(many(3)))
        await pilot.pause()
        assert "PSS" in line(table, 0)


# -- VIRT in three parts

SPLIT = Split(4 * GIB, 3 * GIB, GIB - 200 * MIB, 200 * MIB, 0, 0, 24 << 10)


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_virt_is_told_in_three_parts(width: int) -> None:
    words = "".join(text for text, _ in legend(SPLIT, width))
    assert "resident" in words and "reserved" in words and "no RAM" in words
    assert 0 < len(words) <= width
    assert len("".join(text for text, _ in bar(SPLIT, width))) == width - 1


@pytest.mark.parametrize("width", range(24, 120, 4))
def test_no_part_of_the_legend_of_virt_is_cut(width: int) -> None:
    full = Split(4 * GIB, GIB, GIB, GIB, 512 * MIB, 256 * MIB, 256 * MIB)
    words = "".join(text for text, _ in legend(full, width))
    assert len(words) <= width
    assert all(part.split()[-1][-1] in "%GMKB" for part in words.split("  ") if part.strip())


# -- words


def test_the_caption_tells_age_and_cost() -> None:
    assert caption(real("go")) == "read 2 s ago in 3.0 ms"
    dear = real("go")._replace(missing=Missing.TOO_DEAR, stall_s=0.072)
    assert caption(dear) == "read 2 s ago in 3.0 ms, R reads again, about 72 ms"
    many_mappings = dear._replace(mappings=60_000, stall_s=0.24)
    assert caption(many_mappings) == "read 2 s ago in 3.0 ms, R reads again, about 240 ms for 60,000 mappings"
    assert caption(real("go")._replace(calm=True)) == "read 2 s ago in 3.0 ms, nothing has changed since"
    assert caption(real("go")._replace(resting_s=30.0)) == "read 2 s ago in 3.0 ms, next in 30 s"
    assert caption(view(missing=Missing.UNREAD)) == "reading …"


def test_an_old_reading_says_so_and_zero_pages_that_are_counted_are_named() -> None:
    assert caption(real("go")._replace(is_old=True)).startswith("old: read 2 s ago")
    go = real("go")
    assert go.reading is not None
    pieces = InPieces(0.5, 0.0001, 2, zero_pages_known=False)
    assert caption(go._replace(reading=go.reading._replace(in_pieces=pieces))).endswith(
        ", not all mappings, RSS includes zero pages"
    )


async def test_an_old_reading_is_dimmed() -> None:
    panel = RegionsPanel()
    async with WidgetApp(panel).run_test(size=(120, 20)) as pilot:
        for is_old in (False, True, False):
            panel.show_frame(frame([make_row()], detail=make_detail()._replace(regions=view(is_old=is_old))))
            await pilot.pause()
            assert (panel.opacity < 1.0) is is_old


@pytest.mark.parametrize("name", ["regions", "sharing"])
async def test_a_panel_that_has_nothing_to_show_takes_the_lines_of_its_reason_only(name: str) -> None:
    panels = Panels()
    async with WidgetApp(panels).run_test(size=(120, 20)) as pilot:
        panels.chosen = name
        for shown, least, most in (
            (view(missing=Missing.KERNEL), 2, 2),
            (real("static"), 15, 20),
            (view(missing=Missing.UNREAD), 15, 20),
            (view(missing=Missing.FORBIDDEN), 3, 4),
        ):
            panels.show(frame([make_row()], detail=make_detail()._replace(regions=shown)))
            for _ in range(20):  # the panel is made in the background when it is first chosen
                await pilot.pause()
                panels.show(frame([make_row()], detail=make_detail()._replace(regions=shown)))
                if least <= panels.size.height <= most:
                    break
            assert least <= panels.size.height <= most


def test_the_topics_that_put_a_reading_beside_a_number_of_now_are_known() -> None:
    bodies = {one.name: one.body for one in topics()}
    assert {
        name
        for name, body in bodies.items()
        if any(
            any(f"{{{now}}}" in line for now in ("rss", "anon", "virt"))
            and any(f"{{{fact}}}" in line for fact in REGION_FACTS)
            for line in body.splitlines()
        )
    } == BESIDE_NOW


def test_a_number_of_an_old_reading_is_beside_the_sizes_of_then() -> None:
    reading = real("redis").reading
    assert reading is not None
    then = reading.rollup.rss_bytes, reading.rollup.number("Anonymous"), reading.split.virt_bytes
    row = make_row(rss_bytes=then[0], anon_bytes=then[1], virt_bytes=then[2])
    assert sizes_then(row, reading, 30.0) == {}
    moved = sizes_then(row._replace(rss_bytes=777 * MIB, anon_bytes=555 * MIB, virt_bytes=3 * GIB), reading, 30.0)
    assert {name: text.partition("(")[2] for name, text in moved.items()} == {
        "rss": "30 s ago; now 777 MiB)",
        "anon": "30 s ago; now 555 MiB)",
        "virt": "30 s ago; now 3.00 GiB)",
    }
    assert moved["rss"].startswith(long_size(then[0]))


def test_of_a_process_of_which_a_part_was_read_no_kill_is_predicted() -> None:
    shown = real("redis")
    assert shown.reading is not None
    for reading, says in ((shown.reading, True), (shown.reading._replace(cut=True), False)):
        own = shown._replace(reading=reading)
        only = Relative(4242, "redis", reading.rollup.rss_bytes, None, None, Missing.NOTHING, None)
        sentences = sharing_sentences(make_detail(), SharingView((only,), Sharing(()), None, reading.freed, own))
        assert any("would" in sentence for sentence, _ in sentences) is says


@pytest.mark.parametrize(("hidden", "sure"), [(0, True), (3, False), (None, False)])
def test_relatives_may_be_among_the_processes_that_cannot_be_read(hidden: int | None, sure: bool) -> None:
    shown = real("redis")
    assert shown.reading is not None
    only = Relative(4242, "redis", shown.reading.rollup.rss_bytes, None, None, Missing.NOTHING, None)
    view = SharingView((only,), Sharing(()), None, shown.reading.freed, shown)
    said = " ".join(sentence for sentence, _ in sharing_sentences(make_detail(), view, hidden=hidden))
    assert ("among the processes that can be read" in said) is not sure


@pytest.mark.parametrize(("merged_bytes", "says"), [(60 * MIB, "60.0 MiB of pages that KSM has merged"), (0, "")])
def test_pages_that_ksm_has_merged_are_shared_too(merged_bytes: int, says: str) -> None:
    shown = real("redis")
    assert shown.reading is not None
    fields = (("KSM", merged_bytes), *shown.reading.rollup.fields)
    own = shown._replace(reading=shown.reading._replace(rollup=shown.reading.rollup._replace(fields=fields)))
    only = Relative(4242, "redis", None, None, None, Missing.NOTHING, None)
    view = SharingView((only,), Sharing(()), None, shown.reading.freed, own)
    said = " ".join(sentence for sentence, _ in sharing_sentences(make_detail(), view))
    assert ("KSM" in said) is bool(says)
    assert says in said


def test_where_a_part_of_the_mappings_was_read_its_sums_are_no_res_of_then() -> None:
    shown = real("redis")
    assert shown.reading is not None
    row = make_row(rss_bytes=777 * MIB)
    pieces = InPieces(0.5, 0.0001, 2)
    for part in (shown.reading._replace(cut=True), shown.reading._replace(in_pieces=pieces)):
        assert sizes_then(row, part, 30.0)["rss"] == "777 MiB (now; the mappings are a part, read 30 s ago)"
        words = caption(shown._replace(reading=part), row.rss_bytes)
        assert "not all mappings" in words and "since" not in words


def test_the_caption_says_how_far_res_has_moved_since_the_reading() -> None:
    shown = real("redis")
    assert shown.reading is not None and shown.reading.total.rss_bytes is not None
    then = shown.reading.total.rss_bytes
    assert "since" not in caption(shown, round(1.01 * then))
    assert f", RES +{long_size(50 * MIB)} since" in caption(shown, then + 50 * MIB)
    assert f", RES -{long_size(50 * MIB)} since" in caption(shown, then - 50 * MIB)


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (Missing.NOTHING, "Not read yet."),
        (Missing.TOO_DEAR, "about 48 ms. R reads it now"),
        (Missing.DENIED, "it belongs to another user (app). Run memtop as root or with CAP_SYS_PTRACE"),
        (Missing.FORBIDDEN, "--no-smaps"),
        (Missing.KERNEL, "kernel thread"),
        (Missing.ZOMBIE, "zombie"),
        (Missing.HANGING, "stuck"),
        (Missing.RAN_OUT, "memtop has no thread"),
        (Missing.ENDING, "is ending"),
        (Missing.EMPTY, "was ending, or starting another program"),
    ],
)
def test_why_there_are_no_mappings(missing: Missing, words: str) -> None:
    assert words in why_no_reading(view(missing=missing, stall_s=0.048), make_row(), own_uid=0)


def test_a_protected_process_of_ones_own_is_not_blamed_on_another_user() -> None:
    assert "non-dumpable" in why_no_reading(view(missing=Missing.DENIED), make_row(), own_uid=1000)


def test_what_everybody_may_know_is_said_where_smaps_may_not_be_read() -> None:
    detail = make_detail()._replace(regions=view(missing=Missing.DENIED))
    assert "VIRT 1.24 GiB, RES 212 MiB (anonymous 190 MiB" in what_is_known(detail)
    words = " ".join(one.text for one in missing_lines(detail, 200))
    assert "RES 212 MiB" in words
    gone = detail._replace(regions=view(missing=Missing.GONE), row=make_row(note=Note.GONE))
    assert "Without reading it" not in " ".join(one.text for one in missing_lines(gone, 200))


def marked(before: RegionsView, now: RegionsView, rss_delta_bytes: int = 0) -> Detail:
    assert before.reading is not None and now.reading is not None
    mark = MarkView(
        at_s=1.0, age_s=120.0, rss_delta_bytes=rss_delta_bytes, virt_delta_bytes=0, growth=now.since_mark, late_s=0.0
    )
    return make_detail()._replace(regions=now, mark=mark)


def test_the_mark_tells_where_it_grew() -> None:
    before = read(many(1))
    assert before.reading is not None
    size = 20 * MIB
    heap = b"%x-%x rw-p 00000000 00:00 0 [heap]\nSize: 20480 kB\nRss: 20480 kB\nPss: 20480 kB\n" % (HEAP, HEAP + size)
    stack = b"%x-%x ---p 00000000 00:00 0\nSize: 4 kB\nRss: 0 kB\nPss: 0 kB\n" % (HEAP * 2, HEAP * 2 + 4096)
    now = read(heap + stack, mark=before.reading)
    sentence = mark_sentence(marked(before, now, size))
    assert sentence == "Of the +20.0 MiB since the mark, 2 min ago, 20.0 MiB are in heap (brk) (1 new)."
    later = mark_sentence(marked(before, now, size + 5 * MIB))
    assert (
        later == "Of the +20.0 MiB since the mark, 2 min ago, 20.0 MiB are in heap (brk) (1 new); now it is +25.0 MiB."
    )


def test_what_changed_since_the_mark_stands_above_all_findings() -> None:
    swapping = Finding("swap_in", Severity.WARNING, "major_faults", {"majflt_per_s": 900.0})
    before = read(many(1))
    detail = marked(before, before, 20 * MIB)._replace(outlook=Assessment(findings=(swapping,)))
    lines, topics, _ = finding_lines(detail, 120)
    assert "since the mark" in lines[0].text and lines[0].look == "strong"
    assert (topics[0], topics[1]) == ("regions", "major_faults")
    unmarked = finding_lines(detail._replace(mark=None), 120)
    assert unmarked.lines == lines[1:]


def test_before_a_reading_after_the_mark_nothing_is_said_of_kinds() -> None:
    before = read(many(1))._replace(since_mark=NO_GROWTH)
    assert mark_sentence(marked(before, before, 20 * MIB)) == "RES +20.0 MiB, VIRT 0 B since the mark, 2 min ago."


def test_a_mark_under_which_nothing_moved_and_one_that_was_dropped() -> None:
    before = read(many(1))
    same = read(many(1), mark=before.reading)
    assert mark_sentence(marked(before, same)) == "Nothing has changed since the mark, 2 min ago."
    unread = marked(before, same)._replace(regions=None)
    assert mark_sentence(unread) == "RES and VIRT have not changed since the mark, 2 min ago.", "all else was not read"
    ended = marked(before, same)
    assert ended.mark is not None
    unknown = ended._replace(mark=ended.mark._replace(rss_delta_bytes=None, virt_delta_bytes=None))
    assert mark_sentence(unknown) == "", "not even that nothing has changed"
    assert "exec" in mark_sentence(make_detail()._replace(mark_dropped=True))
    assert mark_sentence(make_detail()) == ""


def test_a_mapping_is_told_with_its_flags_in_words() -> None:
    reading = real("shared").reading
    assert reading is not None
    place = next(at for at, kind in enumerate(reading.regions.kinds) if kind is RegionKind.MEMFD)
    sentence = mapping_sentence(reading.regions, reading.regions.smaps.starts[place])
    assert "memfd:frame buffer" in sentence and "Flags: readable, writable" in sentence


# -- sharing


def family() -> SharingView:
    """Redis and its BGSAVE child, as they were photographed."""
    relatives = []
    for pid, program in ((4242, "redis"), (4243, "redis_bgsave")):
        known = member(pid, parse_rollup((DATA / program / "smaps_rollup").read_bytes()))
        relatives.append(Relative(pid, program, known.rss_bytes, known, 0.0, Missing.NOTHING, None))
    own = real("redis")
    assert own.reading is not None
    known_members = Sharing(tuple(one.member for one in relatives if one.member is not None))
    return SharingView(tuple(relatives), known_members, None, own.reading.freed, own)


@pytest.mark.parametrize("width", [60, 78, 118])
def test_a_family_is_shown_with_what_it_costs_together(width: int) -> None:
    sharing = family()
    shown = frame([make_row()], detail=_at_reading(sharing)._replace(sharing=sharing, regions=sharing.own))
    lines = [one.text for one in sharing_lines(shown, width)]
    text = " ".join(lines)
    assert all(len(one) <= width for one in lines)
    assert "Ending 4242 would free" in text and "processes use" in text and "Copy on write still saves" in text
    assert "together" in text and ("░" in text) is (width >= 78)


def test_on_a_screen_of_80_columns_the_bars_of_a_family_have_their_key() -> None:
    sharing = family()
    shown = frame([make_row()], detail=make_detail()._replace(sharing=sharing, regions=sharing.own))
    assert any(one.text.endswith("█USS ▒PSS ░RSS") for one in sharing_lines(shown, 78))


@pytest.mark.parametrize(("apart_s", "said"), [(0.0, False), (4.0, False), (20.0, True)])
def test_readings_of_a_family_that_are_seconds_apart_are_said_to_be(apart_s: float, said: bool) -> None:
    """An old reading of the parent stood beside a new one of the child, and nothing told so."""
    sharing = family()
    first, second = sharing.relatives
    sharing = sharing._replace(relatives=(first, second._replace(read_s=apart_s)))
    told = " ".join(sentence for sentence, _ in sharing_sentences(make_detail(), sharing))
    assert ("The reading of 4242 is 20 s older than that of 4243" in told) is said


@pytest.mark.parametrize(
    ("least_bytes", "amount"),
    [
        (1_700_000, "1.62 MiB"),
        (1_690_000, "about 1.62 MiB"),
        (1_400_000, "1.34 MiB to 1.62 MiB"),
        (0, "0 B to 1.62 MiB"),
    ],
)
def test_a_range_whose_ends_are_nearly_the_same_is_one_number(least_bytes: int, amount: str) -> None:
    sharing = family()._replace(freed=Freed(least_bytes, 1_700_000))
    told = sharing_sentences(_at_reading(sharing), sharing)[0][0]
    assert told.startswith(f"Ending 4242 would free {amount} of its 75.0 MiB RES")


def test_relatives_that_are_still_to_be_read_are_not_called_unreadable() -> None:
    sharing = family()
    first, second = sharing.relatives
    known = Sharing(tuple(one.member for one in (first,) if one.member is not None))
    waits = sharing._replace(
        relatives=(first, second._replace(member=None, missing=Missing.UNREAD)),
        known=known,
        bounds=Bounds(300 * MIB, 700 * MIB),
    )
    told = " ".join(sentence for sentence, _ in sharing_sentences(_at_reading(waits), waits))
    assert "The 2 processes of the family use 300 MiB to 700 MiB together: 1 not read yet." in told
    assert "could not be read" not in told
    denied = waits._replace(relatives=(first, second._replace(member=None, missing=Missing.DENIED)))
    told = " ".join(sentence for sentence, _ in sharing_sentences(_at_reading(denied), denied))
    assert "1 could not be read" in told and "not read yet" not in told


def without_pss(sharing: SharingView) -> SharingView:
    """As it is read from pagemap."""
    relatives = tuple(
        one._replace(member=one.member._replace(pss_bytes=None, pss_anon_bytes=None, shared_anon_bytes=None))
        for one in sharing.relatives
        if one.member is not None
    )
    known = Sharing(tuple(one.member for one in relatives if one.member is not None))
    return sharing._replace(relatives=relatives, known=known, bounds=Bounds(70 * MIB, 150 * MIB))


def test_where_pagemap_was_read_the_family_keeps_its_line_and_no_column_is_only_dashes() -> None:
    sharing = without_pss(family())
    shown = frame([make_row()], detail=_at_reading(sharing)._replace(sharing=sharing, regions=sharing.own))
    lines = [one.text for one in sharing_lines(shown, 118)]
    text = " ".join(lines)
    assert "The 2 processes of the family use 70.0 MiB to 150 MiB together" in text
    assert "R reads smaps once" in text
    second = sharing.relatives[1]
    part = sharing._replace(relatives=(family().relatives[0], second))
    part = part._replace(known=Sharing(tuple(one.member for one in part.relatives if one.member is not None)))
    told = " ".join(sentence for sentence, _ in sharing_sentences(_at_reading(part), part))
    assert "PSS, SHARED and COPYING of 1 of 2 are not known" in told and "R reads smaps once" in told
    heading = next(line for line in lines if "NAME" in line)
    assert "USS" in heading and "PSS" not in heading and "COPYING" not in heading
    assert "–" not in " ".join(lines[lines.index(heading) :])


def test_the_kill_dialog_says_what_ending_the_process_and_its_family_frees() -> None:
    sharing = family()
    detail = _at_reading(sharing)._replace(sharing=sharing, regions=sharing.own)
    one, whole = kill_sentences(detail)
    assert one.startswith("Ending 4242 would free") and "of its 75.0 MiB RES" in one
    assert whole.startswith("Ending all 2 processes of its fork family would free")
    by_pages = without_pss(sharing)
    rss_bytes = by_pages.known.rss_sum_bytes or 0
    assert rss_bytes > 80 * MIB, "what two of them map is freed once"
    assert kill_sentences(detail._replace(sharing=by_pages))[1].endswith("would free 70.0 MiB to 76.9 MiB.")


def test_the_kill_dialog_waits_for_a_reading_and_names_what_forbids_it() -> None:
    sharing = family()
    first, second = sharing.relatives
    unread = sharing._replace(
        relatives=(first._replace(member=None, missing=Missing.UNREAD), second),
        own=view(missing=Missing.UNREAD),
        freed=None,
        known=Sharing(sharing.known.members[1:]),
    )
    detail = make_detail()
    assert kill_sentences(detail._replace(sharing=None)) == [READING_FREED]
    one, whole = kill_sentences(detail._replace(sharing=unread))
    assert one == READING_FREED and "(1 of 2 read)" in whole
    forbidden = unread._replace(own=view(missing=Missing.FORBIDDEN))
    assert "--no-smaps" in kill_sentences(detail._replace(sharing=forbidden))[0]


def _at_reading(sharing: SharingView, moved_bytes: int = 0) -> Detail:
    """A detail whose RES is what it was at the reading, or so much more."""
    assert sharing.own.reading is not None
    rss_bytes = (sharing.own.reading.total.rss_bytes or 0) + moved_bytes
    detail = make_detail()
    return detail._replace(row=detail.row._replace(rss_bytes=rss_bytes))


def test_res_is_that_of_now_until_it_has_moved() -> None:
    sharing = family()
    for moved_mib, res in ((1, " MiB of its 76.0 MiB RES"), (-1, " MiB of its 74.0 MiB RES"), (9, " MiB; ")):
        told = kill_sentences(_at_reading(sharing, moved_mib << 20)._replace(sharing=sharing))[0]
        assert res in told and ("RES" in told) is (moved_mib != 9), "one reading of RES"
        assert told.startswith("2 s ago, ending") is (moved_mib == 9)


@pytest.mark.parametrize(
    ("moved_mib", "begins"), [(1, "Ending 4242 would free"), (9, "2 s ago, ending 4242 would have")]
)
def test_an_old_reading_is_not_put_beside_a_res_that_has_moved_since(moved_mib: int, begins: str) -> None:
    sharing = family()
    told = sharing_sentences(_at_reading(sharing, moved_mib << 20), sharing)[0][0]
    assert told.startswith(begins) and "of its 75.0 MiB RES" in told
    assert ("RES has changed to" in told) is (moved_mib > 1)


def test_a_family_that_may_not_be_read_is_shown_with_the_reason() -> None:
    sharing = family()
    denied = sharing._replace(
        relatives=tuple(one._replace(member=None, missing=Missing.DENIED) for one in sharing.relatives),
        known=Sharing(()),
        freed=None,
        own=view(missing=Missing.DENIED),
    )
    shown = frame([make_row()], detail=make_detail()._replace(sharing=denied, regions=denied.own))
    text = " ".join(one.text for one in sharing_lines(shown, 118))
    assert "no permission to read it" in text and "CAP_SYS_PTRACE" in text


def test_the_contract_is_what_the_words_promise() -> None:
    text = topic("regions").body
    assert "less than 5 ms, about 200 MiB" in text and "up to 800 MiB, or 5,000 mappings" in text
    assert (
        ReadBudget().stall_s(Load(190 * MIB), Machine())
        < SMAPS_MAX_S
        < ReadBudget().stall_s(Load(210 * MIB), Machine())
    )

    def allowed(load: Load) -> bool:
        return ReadBudget().may_read(0.0, load, Machine()).allowed

    assert allowed(Load(790 * MIB)) and not allowed(Load(830 * MIB))
    assert allowed(Load(mappings=4900, texts=4900)) and not allowed(Load(mappings=5100, texts=5100))
