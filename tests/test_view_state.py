"""What a person chose becomes what is asked."""

from __future__ import annotations

import pytest

from memtop.columns import BY_NAME, DEFAULT_COLUMNS
from memtop.errors import UsageError
from memtop.sampling.request import Need
from memtop.settings import Settings
from memtop.view_state import View
from tests.rows import proc_row


def test_without_a_choice_everybody_is_asked_for_largest_first() -> None:
    ask = View.of(Settings()).ask()
    assert (ask.only, ask.where, ask.sort, ask.descending) == (None, None, "rss_bytes", True)
    assert ask.everybody


def test_pids_alone_spare_the_look_at_all_of_proc_and_names_or_children_do_not() -> None:
    assert not View.of(Settings(pids=(1, 2))).ask().everybody
    assert View.of(Settings(pids=(1,), children=True)).ask().everybody
    ask = View.of(Settings(names=("api",))).ask()
    assert ask.everybody
    assert ask.only == frozenset()


def test_columns_say_what_is_read_of_the_visible_and_order_and_filter_what_is_read_of_all() -> None:
    ask = View.of(Settings(columns=(BY_NAME["res"], BY_NAME["oom"]), sort=BY_NAME["cpu"], filter="swap>1m")).ask()
    assert (ask.needs, ask.needs_all) == (Need.OOM, Need.STAT | Need.STATUS)


def test_the_default_columns_do_not_ask_everything_of_everybody() -> None:
    assert View.of(Settings(columns=DEFAULT_COLUMNS)).ask().needs_all == Need.NONE


def test_user_and_filter_must_both_hold() -> None:
    where = View.of(Settings(user="app", filter="proc")).ask().where
    assert where is not None
    assert where(proc_row(42))
    assert not where(proc_row(42, user="root"))
    assert not where(proc_row(42, name="x", command="x"))


def test_an_invalid_filter_is_refused() -> None:
    with pytest.raises(UsageError):
        View.of(Settings(filter="rss>lots"))


def test_sorting_by_the_same_column_again_turns_round_and_by_another_takes_its_natural_order() -> None:
    view = View.of(Settings())
    assert not view.sorted_by(BY_NAME["res"]).descending
    by_command = view.sorted_by(BY_NAME["command"])
    assert (by_command.sort, by_command.descending) == (BY_NAME["command"], False)


def test_looking_back_freezes() -> None:
    view = View.of(Settings())
    assert not view.ask().frozen
    assert view._replace(cursor_s=5.0).ask().frozen
    assert view._replace(frozen=True).ask().frozen
