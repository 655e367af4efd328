"""The autopsy says how a process ended, why, at which limit, and what to do next."""

from __future__ import annotations

import pytest

from memtop.analysis.limits.exit_cause import Clue, Oom
from memtop.explain.exit_text import autopsy_lines, autopsy_next, exit_lines
from memtop.explain.package_files import tables_of
from memtop.headless.formats import exit_object
from memtop.model.assessment import ExitReport, FullLimit
from memtop.process_key import ProcessKey


def test_an_autopsy_tells_how_why_whose_limit_and_who_follows() -> None:
    lines = autopsy_lines(
        ExitReport(
            ProcessKey(42, 1), "app", "app --serve", 1.7e9, None, 9, Oom.CERTAIN, (Clue.SIGKILL, Clue.CGROUP_COUNTED),
            limit_name="api.service", limit_bytes=100 << 20, rss_bytes=99 << 20, virt_bytes=120 << 20,
            peak_rss_bytes=99 << 20, slope_bytes_per_min=5e6, cgroup_before_bytes=100 << 20, cgroup_after_bytes=1 << 20,
            successor=ProcessKey(43, 2),
        )
    )  # fmt: skip
    text = "\n".join(lines)
    for part in (
        "9 (SIGKILL)",
        "certain",
        "OOM kill count of its cgroup went up",
        "api.service, 100 MiB",
        "RES 99.0 MiB",
        "PID 43",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("code", "number", "oom", "begins"),
    [
        (None, 9, Oom.CERTAIN, "Raise the limit"),
        (None, 9, Oom.NO, "Find out what sent SIGKILL"),
        (None, 11, Oom.NO, "Read its log"),
        (3, None, Oom.NO, "Read its log"),
        (0, None, Oom.NO, ""),
        (None, 15, Oom.NO, ""),
    ],
)
def test_what_to_do_after_an_end_depends_on_its_cause(
    code: int | None, number: int | None, oom: Oom, begins: str
) -> None:
    step = autopsy_next(ExitReport(ProcessKey(42, 1), "app", "app", 1.7e9, code, number, oom, ()))
    assert step.startswith(begins) and bool(step) is bool(begins)


def test_a_limit_of_the_process_itself_that_was_full_is_told_as_the_likely_cause_where_it_failed() -> None:
    full = FullLimit("-Xmx", 256 << 20, 254 << 20, "OutOfMemoryError", in_bytes=True)
    failed = ExitReport(ProcessKey(42, 1), "java", "java App", 1.7e9, 1, None, Oom.NO, (), full_limit=full)
    cause = "-Xmx was 99 % full (254 MiB of 256 MiB); when full: OutOfMemoryError."
    assert autopsy_lines(failed)[1] == f"Likely cause: {cause} Not OOM-killed."
    assert autopsy_next(failed).startswith("Find what fills that limit")
    assert "-Xmx 99 % full" in exit_lines(failed)[1]
    said = exit_object(failed)
    assert (said["full_limit"], said["full_limit_percent"]) == ("-Xmx", 99.219)
    unknown = failed._replace(exit_code=None, oom=Oom.UNKNOWN)
    assert autopsy_lines(unknown)[1].startswith(cause), "it may have ended without an error"
    threads = full._replace(name="pids of api", limit=2000, used=1999, effect="no thread starts", in_bytes=False)
    assert "(1999 of 2000); when full: no thread starts." in autopsy_lines(failed._replace(full_limit=threads))[1]


def test_after_growth_that_ended_at_the_limit_the_first_step_is_to_find_it() -> None:
    grown = ExitReport(ProcessKey(42, 1), "app", "app", 1.7e9, None, 9, Oom.CERTAIN, (), peak_rss_bytes=1 << 30)
    assert autopsy_next(grown._replace(slope_bytes_per_min=100.0 * (1 << 20))).startswith("It grew until")
    assert autopsy_next(grown._replace(slope_bytes_per_min=1.0 * (1 << 20))).startswith("Raise the limit")
    assert "Raise the limit" not in autopsy_next(grown._replace(limit_of_machine=True)), "RAM has no limit to raise"


def test_every_clue_and_doubt_has_words() -> None:
    texts = tables_of("exits.toml")
    assert set(texts["clue"]) == {clue.value for clue in Clue}
    assert set(texts["oom"]) == {oom.value for oom in Oom}
