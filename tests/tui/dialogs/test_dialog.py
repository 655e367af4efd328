"""What may be typed into the questions of the screen."""

from __future__ import annotations

import pytest
from textual.widgets import OptionList

from memtop.errors import UsageError
from memtop.model.row import ProcessRow
from memtop.tui.dialogs.dialog import whole_number
from memtop.tui.dialogs.keys_line import KeysLine
from tests.tui.app.test_app import board


@pytest.mark.parametrize(("text", "number"), [("-20", -20), ("0", 0), ("19", 19), ("007", 7)])
def test_a_whole_number_is_understood(text: str, number: int) -> None:
    assert whole_number(text, -20, 19) == number


@pytest.mark.parametrize("text", ["", "-", "--5", "5-", "9" * 4400, "20", "-21", "1.5", "\u0665", "\u00b2", "1\n"])
def test_anything_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(UsageError, match="from -20 to 19"):
        whole_number(text, -20, 19)


async def test_letters_move_the_cursor_to_the_line_that_begins_with_them() -> None:
    async with board() as it:
        await it.press("s")
        lines = it.app.screen.query_one(OptionList)

        def chosen() -> str:
            assert lines.highlighted is not None
            return str(lines.get_option_at_index(lines.highlighted).prompt).split()[0]

        await it.press("m", "a")
        assert chosen() == "MAJFLT/s"
        await it.press("q")
        assert chosen() == "MAJFLT/s", "no line begins so"
        await it.press("v")
        assert chosen() == "VIRT"
        await it.press("v")
        assert chosen() == "V", "the next one"
        await it.press("enter")
        await it.until(it.at_rest, "it is chosen")
        assert it.app.view.sort.key == "verdict"


async def test_the_keys_of_a_dialog_can_be_clicked() -> None:
    async with board() as it:

        async def click(key: str) -> None:
            keys = it.app.screen.query_one(KeysLine)
            assert await it.pilot.click(keys, offset=(keys.render_line(0).text.index(key), 0))

        for opens in ("s", "c", "question_mark", "D", "d"):
            await it.press(opens)
            await it.until(lambda: len(it.app.screen_stack) == 2, f"{opens} opens a dialog")
            await click("Esc")
            await it.until(it.at_rest, f"the dialog of {opens} is closed")
        await it.press("s", "v")
        await click("Enter")
        await it.until(it.at_rest, "it is chosen")
        assert it.app.view.sort.key == "verdict"
        await it.press("d", "5")
        await click("apply")
        await it.until(it.at_rest, "it is taken")
        assert it.app.view.readings.delay_s == 5


async def test_a_key_filters_by_what_the_selected_process_has_in_common_with_others() -> None:
    async with board() as it:
        row = it.app.table.selected_row
        assert isinstance(row, ProcessRow)
        await it.press("f", "u")
        await it.until(it.at_rest, "it is chosen")
        assert it.app.view.query.text == f"user={row.user}"
        await it.press("f", "enter")
        await it.until(it.at_rest, "it is chosen")
        assert it.app.view.query.text == row.program_names[-1]
        assert it.app.view.query.where is not None and it.app.view.query.where(row)
