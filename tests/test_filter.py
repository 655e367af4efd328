"""The filter language."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.columns import BY_NAME
from memtop.errors import UsageError
from memtop.filter import both, of_user, parse_query
from memtop.procfs.membership import CgroupNames, CgroupOwner
from memtop.sampling.request import Need
from tests.rows import MIB, proc_row


def passes(text: str, **changes: Any) -> bool:
    where = parse_query(text).where
    return where is None or where(proc_row(42, **changes))


@pytest.mark.parametrize(
    "text", ["", "   ", "proc", "PROC-42", "serve", "42", "proc serve", "name=proc", "command=--serve"]
)
def test_these_find_the_process(text: str) -> None:
    assert passes(text)


@pytest.mark.parametrize(("text", "found"), [("name=orders", True), ("name!=ORDERS.py", False), ("name=-u", False)])
def test_a_name_is_that_of_the_script_too(text: str, *, found: bool) -> None:
    assert passes(text, command_raw=b"/opt/bin/python3\0-u\0/srv/orders.py\0", name="python3") is found


@pytest.mark.parametrize("text", ["4", "proc nothing", "name=serve", "foo=bar", "user=ap", "s=R", "!^serve"])
def test_these_do_not(text: str) -> None:
    assert not passes(text, command="proc --serve", name="proc")


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("rss>211m", True),
        ("RES>212m", False),
        ("rss>=212m", True),
        ("res<0.21g", True),
        ("virt>1g", True),
        ("rss=212m", True),
        ("rss==212M", True),
        ("rss!=212m", False),
        ("cpu>1", True),
        ("cpu>1 rss>500m", False),
        ("pid=42", True),
        ("pid<10", False),
        ("oom>600", True),
        ("%mem<1", True),
        ("delta>=0", True),
        ("user=APP", True),
        ("user!=app", False),
        ("s=s", True),
        ("state=S", True),
        ("!pro[cx]-42", True),
        ("!SERVE$", True),
    ],
)
def test_comparisons(text: str, holds: bool) -> None:
    assert passes(text) is holds


@pytest.mark.parametrize("sign", [">", "<", ">=", "<=", "=", "!="])
def test_what_is_unknown_satisfies_no_comparison(sign: str) -> None:
    assert not passes(f"rss{sign}0", rss_bytes=None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rss>lots", "a size"),
        ("rss>", "a size"),
        ("cpu>x", "a number"),
        ("cpu>nan", "a number"),
        ("cpu<inf", "a number"),
        ("user>app", "is text"),
        ("!(", "regular expression"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_line(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        parse_query(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("rss>lots", "rss> needs a size"),
        ("res>lots", "res> needs a size"),
        ("RSS>=lots", "RSS>= needs a size"),
        ("cpu%<x", "cpu%< needs a number"),
        ("cmd>x", "cmd is text; use cmd= or cmd!="),
    ],
)
def test_a_complaint_calls_a_column_as_the_user_did(typed: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        parse_query(typed)


@pytest.mark.parametrize("name", ["rss", "res", "RES", "mem"])
def test_every_name_of_a_column_filters(name: str) -> None:
    assert passes(f"{name}>1m", rss_bytes=2 << 20) and not passes(f"{name}>1m", rss_bytes=1 << 20)


def test_a_filter_names_the_readings_it_wants_of_everybody() -> None:
    assert parse_query("swap>1m oom>700").needs == Need.STATUS | Need.OOM
    assert parse_query("rss>1m nginx").needs == Need.NONE
    assert parse_query("!x").needs == Need.NONE


def test_no_filter_lets_everybody_pass() -> None:
    assert parse_query(" ").where is None


@given(
    st.text(max_size=20)
    | st.sampled_from(sorted(BY_NAME)).flatmap(lambda name: st.text(max_size=6).map((name + ">").__add__))
)
def test_whatever_is_typed_is_a_filter_or_a_usage_error(text: str) -> None:
    try:
        passes(text)
    except UsageError:
        return


def test_a_user_is_known_by_name_or_number() -> None:
    row = proc_row(42, user="app", uid=1000)
    assert of_user("app")(row) and of_user("1000")(row)
    assert not of_user("ap")(row)


def test_both_must_hold() -> None:
    where = both(parse_query(f"rss>{MIB}").where, of_user("app"))
    assert where(proc_row(42))
    assert not where(proc_row(42, user="root"))
    assert both(None, of_user("app"))(proc_row(42))


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("unit=nginx", True),
        ("unit=nginx.service", True),
        ("unit!=nginx", False),
        ("cgroup=/system.slice", True),
        ("container=abc", False),
        ("pod!=x", True),
    ],
)
def test_processes_are_found_by_their_cgroup(text: str, holds: bool) -> None:
    names = CgroupNames("/system.slice/nginx.service", CgroupOwner(unit="nginx.service"))
    assert passes(text, names=names) is holds
    assert parse_query(text).needs == Need.MEMBERSHIP
