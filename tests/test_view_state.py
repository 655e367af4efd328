"""What a person chose becomes what is asked."""

from __future__ import annotations

import pytest

from memtop.columns import BY_NAME, DEFAULT_COLUMNS
from memtop.errors import UsageError
from memtop.model.request import ChartWindow
from memtop.sampling.request import Need
from memtop.settings import Settings
from memtop.view_state import View
from tests.rows import proc_row


def test_without_a_choice_everybody_is_asked_for_largest_first() -> None:
    ask = View.of(Settings()).request()
    assert (ask.rows.only, ask.rows.where, ask.rows.sort, ask.rows.descending) == (None, None, "rss_bytes", True)
    assert ask.everybody


def test_pids_alone_spare_the_look_at_all_of_proc_and_names_or_children_do_not() -> None:
    assert not View.of(Settings(pids=(1, 2))).request().everybody
    assert View.of(Settings(pids=(1,), children=True)).request().everybody
    ask = View.of(Settings(names=("api",))).request()
    assert ask.everybody
    assert ask.rows.only == frozenset()


def test_columns_say_what_is_read_of_the_visible_and_order_and_filter_what_is_read_of_all() -> None:
    ask = View.of(Settings(columns=(BY_NAME["res"], BY_NAME["oom"]), sort=BY_NAME["cpu"], filter="swap>1m")).request()
    assert (ask.readings.needs, ask.readings.needs_all) == (Need.OOM, Need.STAT | Need.STATUS)


def test_the_default_columns_do_not_ask_everything_of_everybody() -> None:
    assert View.of(Settings(columns=DEFAULT_COLUMNS)).request().readings.needs_all == Need.NONE


def test_user_and_filter_must_both_hold() -> None:
    where = View.of(Settings(user="app", filter="proc")).request().rows.where
    assert where is not None
    assert where(proc_row(42))
    assert not where(proc_row(42, user="root"))
    assert not where(proc_row(42, name="x", command="x"))


def test_an_invalid_filter_is_refused() -> None:
    with pytest.raises(UsageError):
        View.of(Settings(filter="rss>lots"))


def test_sorting_by_the_same_column_again_turns_round_and_by_another_takes_its_natural_order() -> None:
    view = View.of(Settings())
    assert not view.sorted_by(BY_NAME["res"]).rows.descending
    by_command = view.sorted_by(BY_NAME["command"])
    assert (by_command.sort, by_command.rows.descending) == (BY_NAME["command"], False)


def test_looking_back_freezes() -> None:
    assert not View.of(Settings()).request().window.stands_still
    assert ChartWindow(cursor_s=5.0).stands_still
    assert ChartWindow(frozen=True).stands_still


def test_the_needs_of_the_panel_on_screen_are_read_of_the_process_in_focus() -> None:
    readings = View.of(Settings()).request(Need.MAPPINGS | Need.FAMILY).readings
    assert readings.focus_needs == Need.MAPPINGS | Need.FAMILY
    assert not readings.row_needs & readings.focus_needs
