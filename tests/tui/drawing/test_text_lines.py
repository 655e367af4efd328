"""Lines to read: what is kept of texts that are shown no more is bounded."""

from __future__ import annotations

import gc

from textual.geometry import Offset
from textual.selection import Selection
from textual.strip import Strip

from memtop.tui.drawing.text_lines import Line, TextLines
from tests.tui.frames import WidgetApp, line


async def test_strips_of_texts_that_are_shown_no_more_are_dropped() -> None:
    widget = TextLines()
    async with WidgetApp(widget).run_test(size=(40, 5)):
        for number in range(100):
            widget.show([Line(f"sentence {number}")])
            assert line(widget, 0).startswith(f"sentence {number}")
        gc.collect()
        kept = [one for one in gc.get_objects() if type(one) is Strip and one.text.startswith("sentence ")]
        assert len(kept) < 20


async def test_each_piece_of_a_line_says_where_in_the_text_it_is() -> None:
    widget = TextLines()
    async with WidgetApp(widget).run_test(size=(40, 5)) as pilot:
        widget.show([Line("Growing: no", "strong", upto=8), Line("calm")])
        await pilot.pause()
        places = [
            [style.meta["offset"] for _, style, _ in widget.render_line(y) if style is not None] for y in range(2)
        ]
        assert places == [[(0, 0), (8, 0)], [(0, 1)]]


async def test_only_what_is_selected_has_the_style_of_a_selection() -> None:
    widget = TextLines()
    app = WidgetApp(widget)
    async with app.run_test(size=(40, 5)) as pilot:
        widget.show([Line("sentence")])
        await pilot.pause()
        plain = widget.render_line(0)
        app.screen.selections = {widget: Selection.from_offsets(Offset(0, 0), Offset(4, 0))}
        await pilot.pause()
        assert next(text for text, *_ in widget.line(0)) == "sent"
        app.screen.selections = {}
        await pilot.pause()
        assert widget.line(0) == plain


async def test_text_that_fits_has_no_scroll_bar_for_the_lines_that_it_had_before() -> None:
    async with WidgetApp(TextLines()).run_test(size=(40, 5)) as pilot:
        prose = pilot.app.query_one(TextLines)
        for count, scrolls in ((7, True), (5, True), (4, False), (5, False), (6, True)):
            prose.show([Line(f"{count} {number}") for number in range(count)])
            await pilot.pause()
            assert prose.show_vertical_scrollbar is scrolls, count
