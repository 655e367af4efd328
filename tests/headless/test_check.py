"""What ``memtop --check`` answers, and that it claims nothing that it has not seen."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from memtop.analysis.findings import RULES, Finding, Weight
from memtop.analysis.limits.exit_cause import Clue, Oom
from memtop.analysis.severity import Severity
from memtop.analysis.trend.classify import Growth, Shape
from memtop.analysis.trend.hysteresis import Confirmation
from memtop.analysis.trend.pause import Pause
from memtop.engine.engine import Engine
from memtop.errors import AccessDenied, MemtopError, ProcessGone, Unavailable
from memtop.headless import check
from memtop.headless.check import Answer, answer_to, says
from memtop.model.assessment import Assessment, ExitReport
from memtop.model.frame import Frame
from memtop.process_key import ProcessKey
from memtop.runtimes.identity import encode_identity
from memtop.runtimes.protocol import Identity
from memtop.sources.protocol import Exit, Instant
from tests.fakes import KERNEL_FLAGS, MIB_PAGES, FakeProcess, FakeSource
from tests.sampling.test_cgroups import APP, MIB, MOUNT_V2, v2

MOUNT_V1_FREEZER = b"31 1 0:27 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n"
LIMITS = b"".join(
    b"Max %b  unlimited  unlimited  bytes\n" % name
    for name in (b"data size", b"address space", b"stack size", b"locked memory", b"processes")
)


ENOUGH_S = 65
"""A minute of samples, after which a level process is known to be level."""


class Shaped(FakeSource):
    """One process that has ``shape`` MiB of its own at each second, until the recording is over."""

    def __init__(self, shape: Callable[[int], float], seconds: int) -> None:
        self.process = FakeProcess(42)
        super().__init__(self.process)
        self.shape = shape
        self.left = seconds
        self.second = 0
        self.ends: tuple[int, int | None] | None = None
        """At which second, and with what status."""

    def begin(self) -> Instant | None:  # type: ignore[override]
        if not self.left:
            return None
        self.left -= 1
        self.process.rss_pages = self.process.shr_pages + int(self.shape(self.second) * MIB_PAGES)
        self.second += 1
        if self.ends is not None and self.second == self.ends[0]:
            self.ended = [Exit(42, self.wall_s, self.ends[1])]
            del self.processes[42]
        return super().begin()


def checked(shape: Callable[[int], float], seconds: int = 100) -> tuple[Answer, str]:
    out = io.StringIO()
    answer = check.run(Engine(Shaped(shape, seconds)), 42, 1e6, 0.0, out)
    return answer, out.getvalue()


@pytest.mark.parametrize(
    ("shape", "answer", "words"),
    [
        (lambda second: 50, Answer.FINE, "Nothing wrong: memory has been level"),
        (lambda second: 50 + second % 9, Answer.FINE, ""),
        (lambda second: 50 + 0.5 * second, Answer.BAD, "Growing: "),
        (lambda second: 50 + 60 * (second > 80), Answer.UNKNOWN, "in one step"),
        (lambda second: 50 + 60 * (second > 25), Answer.FINE, "in one step"),
        (lambda second: 50 + 25 * (second // 30), Answer.UNKNOWN, "rose in steps"),
        (lambda second: 50 + 100 * (1 - math.exp(-second / 25)), Answer.UNKNOWN, "the rise is ending"),
    ],
    ids=["level", "sawtooth", "leak", "late step", "early step", "stairs", "warm-up"],
)
def test_the_answer_follows_from_what_was_seen(shape: Callable[[int], float], answer: Answer, words: str) -> None:
    found, text = checked(shape)
    assert found is answer, text
    assert words in text
    assert ("Unknown: " in text) == (answer is Answer.UNKNOWN)


def test_a_table_that_filled_and_has_been_level_for_a_minute_is_fine_and_said_to_have_risen() -> None:
    found, text = checked(lambda second: 50 + 5 * min(second, 70), 145)
    assert found is Answer.FINE, text
    assert "has been level for the last" in text and "No limit is near" in text


def test_no_chart_is_computed() -> None:
    charts: list[int] = []

    class Watched(Engine):
        def step(self, *args: Any, **more: Any) -> Frame | None:
            frame = super().step(*args, **more)
            charts.extend([] if frame is None or frame.detail is None else [len(frame.detail.series.rss_bytes)])
            return frame

    check.run(Watched(Shaped(lambda second: 50, 5)), 42, 1e6, 0.0, io.StringIO())
    assert charts == [0] * 4


def test_a_look_that_is_too_short_says_that_it_does_not_know() -> None:
    answer, text = checked(lambda second: 50, seconds=20)
    assert answer is Answer.UNKNOWN
    assert text.startswith("app (42): No limit is near. A verdict on growth takes")


@pytest.mark.parametrize(
    ("cgroup", "mount", "file", "frozen"),
    [
        (b"5:freezer:/app\n", MOUNT_V1_FREEZER, "sys/fs/cgroup/freezer/app/freezer.state", b"FROZEN\n"),
        (b"0::/app\n", MOUNT_V2, "sys/fs/cgroup/app/cgroup.events", b"populated 1\nfrozen 1\n"),
    ],
    ids=["version 1", "version 2"],
)
def test_a_process_whose_cgroup_is_frozen_is_not_called_level(
    cgroup: bytes, mount: bytes, file: str, frozen: bytes
) -> None:
    """As by docker pause: nothing else tells it from a process that waits."""
    found = []
    for state in (frozen, b"THAWED\n"):
        source = Shaped(lambda second: 50, 100)
        source.files |= {"proc/42/cgroup": cgroup, "proc/self/mountinfo": mount, file: state}
        out = io.StringIO()
        check.run(Engine(source), 42, 1e6, 0.0, out)
        found.append(out.getvalue())
    assert "stopped by the freezer of its cgroup" in found[0] and "has to be thawed" in found[0]
    assert "stopped" not in found[1]


def test_a_stopped_process_is_not_called_level() -> None:
    source = Shaped(lambda second: 50, 100)
    source.process.state = "T"
    out = io.StringIO()
    assert check.run(Engine(source), 42, 1e6, 0.0, out) is Answer.UNKNOWN
    assert "stopped by a signal" in out.getvalue() and "Unknown: it has to run" in out.getvalue()
    assert "Nothing wrong" not in out.getvalue()


def test_it_stops_at_once_when_growth_is_confirmed() -> None:
    source = Shaped(lambda second: 50 + 0.5 * second, 1000)
    assert check.run(Engine(source), 42, 1e6, 0.0, io.StringIO()) is Answer.BAD
    assert source.second < 90


def test_nobody_with_that_pid_is_no_answer() -> None:
    with pytest.raises(ProcessGone):
        check.run(Engine(FakeSource(FakeProcess(43))), 42, 1.0, 0.0, io.StringIO())


def test_one_that_may_not_be_read_is_no_process_that_is_not_there() -> None:
    source = FakeSource(FakeProcess(42))
    source.files["proc/42/stat"] = AccessDenied("proc/42/stat: Operation not permitted")
    with pytest.raises(AccessDenied, match="42"):
        check.run(Engine(source), 42, 1.0, 0.0, io.StringIO())


@pytest.mark.parametrize(
    ("at_s", "status", "answer", "words"),
    [
        (10, 9, Answer.BAD, "signal 9"),
        (10, 11, Answer.BAD, "signal 11"),
        (10, 15, Answer.BAD, "signal 15"),
        (10, 256, Answer.BAD, "Exited with code 1"),
        (95, 9, Answer.BAD, "signal 9"),
        (10, 0, Answer.UNKNOWN, "Exited with code 0"),
        (95, 0, Answer.FINE, "Exited with code 0"),
        (95, None, Answer.UNKNOWN, "cause unknown"),
    ],
)
def test_an_end_is_fine_only_where_it_is_known_to_be_clean_and_enough_was_seen(
    at_s: int, status: int | None, answer: Answer, words: str
) -> None:
    source = Shaped(lambda second: 50, 1000)
    source.ends = (at_s, status)
    out = io.StringIO()
    assert check.run(Engine(source), 42, 1e6, 0.0, out) is answer
    assert words in out.getvalue()
    assert ("Unknown: " in out.getvalue()) == (answer is Answer.UNKNOWN)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"proc/self/mountinfo": b""}, "no file system of memory cgroups shows its cgroup"),
        ({"proc/42/cgroup": b"0::/../../app\n"}, "is outside this cgroup namespace"),
        ({"proc/42/cgroup": AccessDenied("hidden")}, "no permission to read its cgroup"),
        ({"sys/fs/cgroup/cgroup.type": b"domain\n"}, "the limit of this container cannot be read"),
        ({"proc/meminfo": b"MemTotal: 1024000 kB\nMemAv"}, "this machine's memory cannot be read"),
        ({"proc/meminfo": Unavailable("none")}, "this machine's memory cannot be read"),
        ({"proc/42/limits": AccessDenied("hidden")}, "its resource limits cannot be read"),
        ({"proc/42/limits": b"Max data si"}, "its resource limits cannot be read"),
        ({"proc/sys/vm/overcommit_memory": Unavailable("none")}, "vm.overcommit_memory cannot be read"),
    ],
)
def test_a_level_process_is_not_called_fine_where_a_limit_could_not_be_read(
    files: dict[str, bytes | MemtopError], words: str
) -> None:
    source = Shaped(lambda second: 50, ENOUGH_S)
    source.files |= files
    out = io.StringIO()
    assert check.run(Engine(source), 42, 1e6, 0.0, out) is Answer.UNKNOWN
    assert words in out.getvalue()
    assert "level for" in out.getvalue()
    assert "no limit is near" not in out.getvalue().lower()
    assert "watch longer" not in out.getvalue(), "that would not help"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, ""),
        ({"proc/42/task/42/maps": AccessDenied("hidden")}, "Not checked: no permission to count its mappings."),
        ({"proc/sys/vm/max_map_count": Unavailable("none")}, "Not checked: vm.max_map_count cannot be read."),
        ({"proc/loadavg": Unavailable("none")}, "Not checked: the number of threads cannot be read."),
        ({"proc/42/cgroup": b"8:pids:/app\n0::/\n"}, "Not checked: the limits of its pids cgroup cannot be read."),
        ({"proc/42/limits": LIMITS.replace(b"processes  unlimited", b"processes  4000")}, ""),
    ],
)
def test_what_was_not_looked_at_is_named(files: dict[str, bytes | MemtopError], words: str) -> None:
    source = Shaped(lambda second: 50, ENOUGH_S)
    source.files |= files
    out = io.StringIO()
    assert check.run(Engine(source), 42, 1e6, 0.0, out) is Answer.FINE
    assert "no limit is near" in out.getvalue()
    assert words in out.getvalue()
    assert ("Not checked" in out.getvalue()) == bool(words)


def test_a_limit_that_files_on_tmpfs_fill_is_not_left_without_naming_them() -> None:
    """The end of the process that would be killed there frees none of them."""
    source = Shaped(lambda second: 10, 100)
    source.files |= {name: data for name, data in v2().files.items() if not name.startswith("proc/4")}
    source.files |= {
        "proc/42/cgroup": b"0::/kubepods.slice/pod1/app.scope\n",
        f"{APP}/cgroup.procs": b"42\n",
        f"{APP}/memory.max": b"%d\n" % (128 * MIB),
        f"{APP}/memory.current": b"%d\n" % (106 * MIB),
        f"{APP}/memory.stat": b"anon %d\nfile %d\nshmem %d\n" % (10 * MIB, 94 * MIB, 94 * MIB),
    }
    out = io.StringIO()
    assert check.run(Engine(source), 42, 1e6, 0.0, out) is Answer.BAD
    assert "82.8 %" in out.getvalue()
    assert "94.0 MiB of that is tmpfs or shared memory" in out.getvalue()


def test_a_look_that_is_too_short_tells_what_it_has_found_all_the_same() -> None:
    source = Shaped(lambda second: 10, 8)
    source.files |= {name: data for name, data in v2().files.items() if not name.startswith("proc/4")}
    source.files |= {
        "proc/42/cgroup": b"0::/kubepods.slice/pod1/app.scope\n",
        f"{APP}/cgroup.procs": b"42\n",
        f"{APP}/memory.max": b"%d\n" % (140 * MIB),
        f"{APP}/memory.high": b"max\n",
        f"{APP}/memory.current": b"%d\n" % (106 * MIB),
        f"{APP}/memory.stat": b"anon %d\nfile %d\nshmem %d\n" % (10 * MIB, 94 * MIB, 94 * MIB),
    }
    out = io.StringIO()
    assert check.run(Engine(source), 42, 1e6, 0.0, out) is Answer.UNKNOWN
    assert "94.0 MiB of that is tmpfs or shared memory" in out.getvalue()
    assert "Unknown: watch longer" in out.getvalue()


def test_the_threads_of_all_processes_of_its_user_count_towards_ulimit_u() -> None:
    source = Shaped(lambda second: 50, 100)
    source.processes[43] = FakeProcess(43, threads=49)
    source.processes[44] = FakeProcess(44, threads=900, uid=0)
    source.files["proc/42/limits"] = LIMITS.replace(b"processes  unlimited", b"processes  60")
    out = io.StringIO()
    assert check.run(Engine(source), 42, 1e6, 0.0, out) is Answer.BAD
    assert "50" in out.getvalue() and "RLIMIT_NPROC" in out.getvalue()


@pytest.mark.parametrize("identity", [Identity(), Identity("go", build="go1.19.8\\npath\\tx\\n")])
def test_an_address_of_metrics_is_read_and_said_where_it_has_none(identity: Identity) -> None:
    source, said, url = Shaped(lambda second: 50, 20), list[str](), "http://127.0.0.1:6060/debug/vars"
    source.files[f"proc/42/runtime/metrics#{url}"] = Unavailable("http://127.0.0.1:6060: connection refused")
    source.files["proc/42/runtime/identity"] = encode_identity(identity)
    check.run(Engine(source), 42, 1e6, 0.0, io.StringIO(), go_urls=((None, url),), say=said.append)
    assert any("connection refused" in one for one in said)


@pytest.mark.parametrize("smaps", [True, False])
def test_smaps_is_not_read_where_that_is_forbidden(smaps: bool) -> None:
    """A process that grows leads to it, because memory given back by MADV_FREE may look the same."""
    source = Shaped(lambda second: 50 + second, 100)
    check.run(Engine(source), 42, 1e6, 0.0, io.StringIO(), smaps=smaps)
    assert any("smaps" in path for path in source.asked_ever) is smaps


@pytest.mark.parametrize(
    ("files", "mappings", "words"),
    [
        ({}, 60_000, "60,000 of 65,530 mappings"),
        ({"proc/loadavg": b"0.00 0.00 0.00 1/29000 4242\n"}, 200, "kernel.threads-max: 29,000 of 30,000 threads"),
        (
            {
                "proc/42/cgroup": b"8:pids:/app\n0::/\n",
                "proc/self/mountinfo": b"30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n"
                b"31 1 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n",
                "sys/fs/cgroup/pids/app/cgroup.procs": b"42\n",
                "sys/fs/cgroup/pids/app/pids.max": b"100\n",
                "sys/fs/cgroup/pids/app/pids.current": b"95\n",
            },
            200,
            "pids of /app: 95 of 100 threads",
        ),
        (
            {"proc/42/limits": LIMITS.replace(b"stack size  unlimited", b"stack size  100000")}
            | {"proc/42/status": FakeProcess(42).status() + b"VmStk:\t90 kB\n"},
            200,
            "ulimit -s (RLIMIT_STACK): 90.0 KiB of 97.7 KiB (92.2 %); when full: SIGSEGV. A main stack does not shrink",
        ),
    ],
    ids=["mappings", "threads of the machine", "pids cgroup", "stack"],
)
def test_a_limit_on_what_is_no_size_is_looked_at_too(
    files: dict[str, bytes | MemtopError], mappings: int, words: str
) -> None:
    source = Shaped(lambda second: 50, ENOUGH_S)
    source.files |= files
    source.processes[42].mappings = mappings
    out = io.StringIO()
    assert check.run(Engine(source), 42, 1e6, 0.0, out) is Answer.BAD
    assert words in out.getvalue()


def test_a_zombie_is_not_said_to_be_far_from_its_limits() -> None:
    source = FakeSource(FakeProcess(42, state="Z"))
    out = io.StringIO()
    assert check.run(Engine(source), 42, 0.0, 0.0, out) is Answer.UNKNOWN
    assert "its limits have not been read" in out.getvalue()


# -- what was judged, as it may be


def judged(kind: Shape, *findings: str, heap_level: bool = False, level_s: float | None = None) -> Assessment:
    growth = Growth(kind, 90, 90.0, 1.0, 0.9, 1.1, z=3.0)
    found = tuple(Finding(name, Severity.NOTE, "limits", {"rate_bytes_per_min": 6e7}) for name in findings)
    return Assessment(found, growth, Confirmation(kind=kind), heap_level=heap_level, level_s=level_s)


@pytest.mark.parametrize("finding", [name for name, rule in RULES.items() if rule.weight & Weight.ALARMING])
def test_whatever_alarms_is_bad(finding: str) -> None:
    assert answer_to(judged(Shape.FLAT, finding)) is Answer.BAD


def test_a_jvm_whose_survivors_rise_is_not_called_fine_however_level_its_res_is() -> None:
    outlook = judged(Shape.FLAT, "heap_open")
    assert answer_to(outlook) is Answer.UNKNOWN
    assert "Memory that survives collections grows" in " ".join(says(outlook))


def test_two_that_are_not_sure_and_agree_are_enough() -> None:
    assert answer_to(judged(Shape.GROWTH, "maybe_growing", "heap_open")) is Answer.BAD


def test_floors_that_vary_are_no_second_suspicion() -> None:
    """A Shenandoah heap whose pages were used for the first time, of a program that kept nothing, was called bad."""
    assert answer_to(judged(Shape.GROWTH, "maybe_growing", "heap_varies")) is Answer.UNKNOWN
    assert answer_to(judged(Shape.GROWTH, "maybe_growing")) is Answer.UNKNOWN


@pytest.mark.parametrize("kind", [Shape.WARMUP, Shape.STAIRS, Shape.STEP, Shape.GROWTH])
def test_a_rise_leaves_the_question_open_unless_the_runtime_says_that_no_more_is_in_use(kind: Shape) -> None:
    assert answer_to(judged(kind)) is Answer.UNKNOWN
    assert answer_to(judged(kind, heap_level=True)) is Answer.FINE
    assert "certain" not in " ".join(says(judged(kind, heap_level=True))), "what is fine is not called uncertain"


def test_a_steady_rise_that_is_too_small_for_a_verdict_is_not_called_level() -> None:
    outlook = judged(Shape.FLAT)
    assert outlook.growth is not None and answer_to(outlook) is Answer.FINE
    rise = outlook.growth._replace(z=3.9, rise_bytes=60.0 * (1 << 20), smallest_bytes=82.0 * (1 << 20))
    found = replace(outlook, growth=rise)
    assert answer_to(found) is Answer.UNKNOWN
    words = " ".join(says(found))
    assert "risen steadily by 60.0 MiB in 90 s" in words and "level" not in words and "Nothing wrong" not in words
    assert answer_to(replace(found, heap_level=True)) is Answer.FINE
    assert answer_to(replace(found, growth=rise._replace(z=2.9))) is Answer.FINE, "noise"
    assert answer_to(replace(found, growth=rise._replace(rise_bytes=float(1 << 20)))) is Answer.FINE


def test_a_step_is_over_when_a_minute_of_level_has_followed() -> None:
    assert answer_to(judged(Shape.STEP, level_s=59.0)) is Answer.UNKNOWN
    assert answer_to(judged(Shape.STEP, level_s=60.0)) is Answer.FINE


def test_a_rise_is_over_when_a_minute_of_level_has_followed_that_is_longer_than_its_rests() -> None:
    def rested(pause: Pause, kind: Shape = Shape.WARMUP) -> Answer:
        found = judged(kind)
        assert found.growth is not None
        return answer_to(replace(found, growth=found.growth._replace(pause=pause)))

    assert rested(Pause(59.0, 1.0)) is Answer.UNKNOWN
    assert rested(Pause(60.0, 1.0)) is Answer.FINE
    assert rested(Pause(60.0, 30.0)) is Answer.UNKNOWN, "it may rest as long as before"
    assert rested(Pause(60.0, 1.0), Shape.STAIRS) is Answer.UNKNOWN, "another step may follow"


def test_a_warning_that_is_neither_growth_nor_a_limit_is_said_beside_the_answer() -> None:
    warning = Finding("zombies", Severity.WARNING, "special_processes", {"zombies_count": 7})
    outlook = judged(Shape.FLAT)
    outlook = replace(outlook, findings=(warning,))
    assert answer_to(outlook) is Answer.FINE
    first, last = says(outlook)
    assert "7" in first and "Nothing wrong" not in last and "no limit is near" in last


def test_nothing_seen_is_not_known() -> None:
    assert answer_to(None) is answer_to(Assessment()) is Answer.UNKNOWN
    assert says(None) == ["Unknown: the process could not be read."]


@pytest.mark.parametrize(
    ("oom", "answer"), [(Oom.CERTAIN, Answer.BAD), (Oom.PROBABLE, Answer.BAD), (Oom.NO, Answer.UNKNOWN)]
)
def test_an_end_is_bad_where_the_oom_killer_took_it(oom: Oom, answer: Answer) -> None:
    autopsy = ExitReport(ProcessKey(42, 1), "app", "app", 1.7e9, None, None, oom, (Clue.STATUS_UNKNOWN,))
    assert answer_to(Assessment(autopsy=autopsy)) is answer


def test_what_is_wrong_with_the_readings_is_said_once() -> None:
    source = Shaped(lambda second: 50, ENOUGH_S)
    source.files["proc/42/status"] = b"no line of it"
    said: list[str] = []
    check.run(Engine(source), 42, 1e6, 0.0, io.StringIO(), say=said.append)
    assert len(said) == 1
    assert said[0].startswith("proc/42/status: ")


def test_a_kernel_thread_has_no_memory_to_be_checked_and_that_is_said_at_once() -> None:
    out = io.StringIO()
    source = FakeSource(FakeProcess(2, flags=KERNEL_FLAGS, ppid=0))
    assert check.run(Engine(source), 2, 1e6, 1e6, out) is Answer.UNKNOWN
    assert "kernel thread" in out.getvalue()


@pytest.mark.parametrize(("files", "least_s"), [({}, 100), ({"proc/42/limits": AccessDenied("hidden")}, 120)])
def test_without_a_duration_it_watches_as_long_as_it_takes_up_to_a_bound(
    files: dict[str, bytes | MemtopError], least_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "LONGEST_S", 120.0)
    source = Shaped(lambda second: 50, 400)
    source.files |= files
    began_s = source.mono_s
    monkeypatch.setattr(check, "time", SimpleNamespace(monotonic=lambda: source.mono_s, sleep=lambda seconds: None))
    check.run(Engine(source), 42, None, 1.0, io.StringIO())
    assert least_s <= source.mono_s - began_s < least_s + 5
