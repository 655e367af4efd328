"""The mouse alone: text is selected and copied where text stays, and nowhere else."""

from __future__ import annotations

from textual.geometry import Offset
from textual.widget import Widget
from textual.widgets import Label, Markdown

from memtop.tui.chart.fault_chart import FaultChart
from memtop.tui.chart.memory_chart import MemoryChart
from memtop.tui.dialogs.dialog import Menu
from memtop.tui.dialogs.topic_viewer import TopicViewer
from memtop.tui.drawing.text_lines import TextLines
from memtop.tui.side.side_panel import SidePanel
from memtop.tui.table.process_table import ProcessTable
from tests.tui.app.test_app import Board, board


async def drag(it: Board, widget: Widget, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Press the button at ``start``, release it at ``end``, both in the widget."""
    at = widget.region.offset
    await it.pilot.mouse_down(None, at + Offset(*start))
    await it.pilot.hover(None, at + Offset(*end))
    await it.pilot.mouse_up(None, at + Offset(*end))
    await it.pilot.pause()


async def test_text_of_the_explanation_is_selected_copied_and_opens_no_topic() -> None:
    async with board() as it:
        prose = it.app.query_one(SidePanel).query_one(TextLines)
        await it.until(lambda: "VIRT" in prose.text, "the explanation is there")
        first = prose.text.splitlines()[0]
        await drag(it, prose, (2, 0), (len(first) - 1, 0))
        await it.until(lambda: it.app.clipboard == first[2:], "the line is copied")
        assert it.at_rest()


async def test_text_of_the_help_is_selected_over_lines() -> None:
    async with board() as it:
        await it.press("question_mark")
        text = it.app.screen.query_one(TextLines)
        await it.until(lambda: bool(text.text), "the help is there")
        first, second = text.text.splitlines()[:2]
        await drag(it, text, (0, 0), (20, 1))
        await it.until(lambda: it.app.clipboard == f"{first}\n{second[:21]}", "both lines are copied")


async def test_text_of_a_topic_is_selected() -> None:
    async with board() as it:
        await it.press("e")
        await it.until(lambda: isinstance(it.app.screen, TopicViewer), "the topic is open")
        await it.until(lambda: it.app.screen.query_one(Markdown).query("MarkdownParagraph"), "its text is there")
        paragraph = it.app.screen.query_one(Markdown).query("MarkdownParagraph").first()
        await it.until(lambda: paragraph.region.height, "its text is laid out")
        await drag(it, paragraph, (0, 0), (9, 0))
        await it.until(lambda: len(it.app.clipboard) == 10, "ten characters are copied")


async def test_a_drag_over_rows_selects_no_text_and_a_click_still_chooses() -> None:
    async with board() as it:
        table = it.app.query_one(ProcessTable)
        await drag(it, table, (2, 2), (30, 3))
        assert it.app.clipboard == ""
        assert not it.app.screen.selections
        await it.pilot.click(ProcessTable, offset=(4, 2))
        await it.until(lambda: it.app.row is not None and it.app.row.pid == 20, "the second row is chosen")


async def test_a_removed_widget_under_the_pointer_ends_nothing() -> None:
    async with board() as it:
        notice = Label("gone in a moment")
        await it.app.screen.mount(notice, before=0)
        await it.until(lambda: notice.region.height, "it is laid out")
        at = notice.region.offset + Offset(3, 0)
        removed = notice.remove()
        await it.pilot.mouse_down(None, at)
        await it.pilot.hover(None, at + Offset(2, 0))
        await removed
        await it.pilot.mouse_up(None, at)
        assert it.app.is_running


async def test_a_click_on_a_key_of_the_help_runs_it_and_one_outside_of_a_dialog_closes_it() -> None:
    async with board() as it:
        await it.press("question_mark")
        text = it.app.screen.query_one(TextLines)
        await it.until(lambda: "Sort by PID" in text.text, "the help is there")
        at = next(number for number, line in enumerate(text.text.splitlines()) if "Choose the column to sort" in line)
        text.scroll_to(y=at, animate=False, immediate=True)
        await it.pilot.pause()
        await it.pilot.click(None, text.region.offset + Offset(4, at - text.scroll_offset.y))
        await it.until(lambda: isinstance(it.app.screen, Menu), "the menu of the sort is open")
        await it.pilot.click(None, (1, 1))
        await it.until(it.at_rest, "it is closed")


async def test_a_click_on_the_faults_goes_to_that_moment_as_on_the_chart_above() -> None:
    async with board(size=(120, 40)) as it:
        for _ in range(8):
            await it.tick()
        faults = it.app.query_one(FaultChart)
        await it.until(lambda: faults.picture is not None and faults.region.height, "the faults are drawn")
        await it.pilot.click(FaultChart, offset=(faults.size.width - 6, 0))
        await it.until(lambda: it.app.view.window.cursor_s is not None, "it is an earlier moment")
        there = it.app.view.window.cursor_s
        await it.press("end")
        await it.pilot.click(MemoryChart, offset=(it.app.chart.size.width - 6, 5))
        await it.until(lambda: it.app.view.window.cursor_s == there, "the same moment")


async def test_a_number_above_the_chart_is_explained() -> None:
    async with board() as it:
        chart = it.app.query_one(MemoryChart)
        await it.until(lambda: chart.picture is not None, "it is drawn")
        await it.pilot.click(None, offset=chart.content_region.offset + Offset(2, 0))
        await it.until(lambda: isinstance(it.app.screen, TopicViewer), "VIRT is explained")
