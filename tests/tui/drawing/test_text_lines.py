"""Lines to read: what is kept of texts that are shown no more is bounded."""

from __future__ import annotations

import gc

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
