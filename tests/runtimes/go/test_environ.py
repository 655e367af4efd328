"""Three variables leave the environment, and no other."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtop.runtimes.go.environ import LONGEST, GoSettings, only_go_variables, parse_go_environ

ENVIRON = b"PATH=/bin\0GOGC=50\0AWS_SECRET_ACCESS_KEY=x\0GOMEMLIMIT=70MiB\0GODEBUG=madvdontneed=0\0TOKEN=GOGC=1\0"


def test_only_three_variables_leave() -> None:
    assert only_go_variables(ENVIRON) == b"GOGC=50\0GOMEMLIMIT=70MiB\0GODEBUG=madvdontneed=0"
    assert parse_go_environ(ENVIRON) == GoSettings("50", "70MiB", "madvdontneed=0")


def test_what_is_not_set_is_none_and_what_is_empty_is_empty() -> None:
    assert parse_go_environ(b"PATH=x\0") == GoSettings()
    assert parse_go_environ(b"GOGC=\0") == GoSettings(gogc="")
    assert parse_go_environ(b"") == GoSettings()


def test_the_first_of_two_counts_as_for_getenv() -> None:
    assert parse_go_environ(b"GOGC=50\0GOGC=99\0").gogc == "50"


def test_values_are_cut_and_cannot_draw() -> None:
    settings = parse_go_environ(b"GODEBUG=" + b"\x1b]0;" * 1000)
    assert settings.godebug is not None
    assert len(settings.godebug) == LONGEST
    assert settings.godebug.isprintable()


@pytest.mark.parametrize(
    ("value", "percent"),
    [
        (None, 100),
        ("", 100),
        ("off", math.inf),
        ("50", 50),
        ("0", 0),
        ("-1", math.inf),
        ("1e2", 100),
        ("99999999999", 100),
    ],
)
def test_gogc_means_what_go_makes_of_it(value: str | None, percent: float) -> None:
    assert GoSettings(gogc=value).gogc_percent == percent


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (None, math.inf),
        ("off", math.inf),
        ("1000", 1000),
        ("1000B", 1000),
        ("70MiB", 70 << 20),
        ("2GiB", 2 << 30),
        ("1TiB", 1 << 40),
        ("9223372036854775807", math.inf),
        ("9999999999TiB", math.inf),
        ("70MB", math.inf),
    ],
)
def test_gomemlimit_means_what_go_makes_of_it(value: str | None, size: float) -> None:
    assert GoSettings(gomemlimit=value).gomemlimit_bytes == size


def test_godebug_the_last_one_counts_and_the_environment_comes_after_what_is_built_in() -> None:
    assert GoSettings(godebug="a=1, madvdontneed=0,madvdontneed=1").debug("madvdontneed") == "1"
    assert GoSettings().debug("madvdontneed", "madvdontneed=0") == "0"
    assert GoSettings(godebug="madvdontneed=1").debug("madvdontneed", "madvdontneed=0") == "1"
    assert GoSettings(godebug="madvdontneed").debug("madvdontneed") is None


@given(st.binary(max_size=500))
def test_any_environment_gives_three_clean_values_and_filtering_twice_changes_nothing(environ: bytes) -> None:
    settings = parse_go_environ(environ)
    kept = only_go_variables(environ)
    assert only_go_variables(kept) == kept
    assert parse_go_environ(kept) == settings
    for value in (settings.gogc, settings.gomemlimit, settings.godebug):
        assert value is None or (value.isprintable() and len(value) <= LONGEST)
    assert settings.gogc_percent >= 0
    assert settings.gomemlimit_bytes >= 0
