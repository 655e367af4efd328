"""The demo's workloads, watched from outside while they run at full speed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import pytest

from memtop.demo.headroom import Read, require_room
from memtop.demo.pacing import Pacing
from memtop.demo.progress import Step, step_from_line, step_to_line
from memtop.demo.scenarios import scenarios
from memtop.demo.workload import Workload
from memtop.errors import Unavailable, UsageError
from memtop.procfs.lines import kib_to_bytes
from memtop.procfs.stat import parse_stat
from memtop.procfs.statm import OWN_PAGE_BYTES, parse_statm

MIB = 1 << 20
BLOCK = 500 * MIB
LITTLE = 2 * MIB
FULL_SPEED = 10_000
DEADLINE_S = 30.0

Value = TypeVar("Value")


def pages(size_bytes: float) -> float:
    return size_bytes / OWN_PAGE_BYTES


def about(size: float, tolerance: float = 0.02) -> object:
    return pytest.approx(size, rel=tolerance)


class Reading(NamedTuple):
    """What one process holds, as anybody can read it."""

    virt: int
    res: int
    minflt: int

    @classmethod
    def of(cls, pid: int) -> Reading:
        statm = parse_statm(Path(f"/proc/{pid}/statm").read_bytes())
        return cls(statm.virt_bytes, statm.rss_bytes, parse_stat(Path(f"/proc/{pid}/stat").read_bytes()).minflt)

    def since(self, before: Reading) -> Reading:
        return Reading(self.virt - before.virt, self.res - before.res, self.minflt - before.minflt)


def private_dirty(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines()
    line = next(line for line in lines if line.startswith(b"Private_Dirty:"))
    return kib_to_bytes(line.partition(b":")[2]) or 0


def until(look: Callable[[], Value | None], seconds: float = DEADLINE_S) -> Value:
    deadline = time.monotonic() + seconds
    while (value := look()) is None:
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)
    return value


MOST_STEPS: Final = 20
"""More than any scenario has."""


class Player:
    """Goes through a held workload step by step."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.pid = workload.pid
        self.number = 0

    def next(self) -> Step:
        """The next step, its work done."""
        if self.number:
            self.workload.proceed()
        step = until(self._done)
        self.number = step.number
        return step

    def to(self, title: str) -> Step:
        """The next step with this in its title, its work done."""
        titles = []
        while title not in (step := self.next()).title:
            titles.append(step.title)
            assert len(titles) < MOST_STEPS, f"no step is named {title!r}: {titles}"
        return step

    def reading(self) -> Reading:
        return Reading.of(self.pid)

    def _done(self) -> Step | None:
        step = self.workload.commentary()
        return step if step and step.measured and step.number != self.number else None


@contextmanager
def playing(name: str) -> Iterator[Player]:
    with Workload.start(name, speed=FULL_SPEED, hold=True) as workload:
        yield Player(workload)


def test_reserve_shows_that_only_writing_brings_memory() -> None:
    with playing("reserve") as player:
        player.next()
        small = player.reading()
        assert small.res < 20 * MIB

        player.to("Ask for 500 MiB")
        mapped = player.reading()
        assert mapped.since(small).virt == BLOCK
        assert mapped.since(small).res < LITTLE

        player.to("Read every page")
        read = player.reading()
        assert read.since(mapped).minflt == about(pages(BLOCK))
        assert read.since(mapped).res < LITTLE
        assert read.virt == mapped.virt

        player.to("Write every page")
        written = player.reading()
        assert written.since(read).minflt == about(pages(BLOCK))
        assert written.since(read).res == about(BLOCK)
        assert written.virt == mapped.virt

        player.to("Give the pages back")
        discarded = player.reading()
        assert discarded.since(small).res < LITTLE
        assert discarded.virt == mapped.virt

        player.to("Give the address space back")
        assert player.reading().since(small).virt < LITTLE


def test_the_commentary_carries_the_true_numbers() -> None:
    with playing("reserve") as player:
        step = player.to("Read every page")
        assert "128,000 pages" in step.commentary or OWN_PAGE_BYTES != 4096
        assert "RES" in step.watch
        faults = int(step.measured.split(", ")[-1].split()[0].replace(",", ""))
        assert faults == about(pages(BLOCK))


def test_leak_grows_and_grows_until_it_is_started_anew() -> None:
    with playing("leak") as player:
        levels = []
        while player.next().title != "Restarted":
            levels.append(player.reading().res)
            assert len(levels) < MOST_STEPS
        assert levels == sorted(levels)
        assert levels[-1] - levels[0] == about(200 * MIB)
        assert player.reading().res < 20 * MIB


def leaking() -> list[int]:
    """What it has in RAM while it leaks, as often as this process had the time to look."""
    with Workload.start("leak", speed=100) as workload:
        levels = []
        while not ((step := workload.commentary()) and step.number > 1):
            levels.append(Reading.of(workload.pid).res)
            time.sleep(0.01)
    return [level for level in levels if level > 20 * MIB]


def test_leak_never_falls_while_it_leaks() -> None:
    levels = until(lambda: found if len(found := leaking()) > 5 else None)
    assert levels == sorted(levels)


def test_spike_comes_back_to_where_it_was() -> None:
    with playing("spike") as player:
        player.next()
        quiet = player.reading()
        player.to("large request")
        assert player.reading().since(quiet).res == about(300 * MIB)
        player.to("over")
        assert abs(player.reading().since(quiet).res) < LITTLE


def test_a_burst_between_two_looks_leaves_only_faults() -> None:
    with playing("spike") as player:
        player.to("over")
        before = player.reading()
        player.to("too short to see")
        change = player.reading().since(before)
        assert abs(change.res) < LITTLE
        assert change.minflt == about(pages(100 * MIB))


def test_the_floor_of_sawtooth_does_not_move() -> None:
    with playing("sawtooth") as player:
        player.next()
        floors = [player.reading().res]
        for _ in range(5):
            player.to("Garbage piles up")
            assert player.reading().res - floors[-1] == about(200 * MIB)
            player.to("Collection")
            floors.append(player.reading().res)
        assert max(floors) - min(floors) < LITTLE


def test_a_fork_shares_until_one_of_the_two_writes() -> None:
    with playing("fork") as player:
        player.to("One process")
        child = player.to("forks").child_pid
        assert child is not None
        assert parse_stat(Path(f"/proc/{child}/stat").read_bytes()).ppid == player.pid
        assert Reading.of(child).res > 200 * MIB
        assert private_dirty(child) < 8 * MIB

        shared = Reading.of(child)
        player.to("child reads")
        assert Reading.of(child).since(shared).minflt < 500
        assert private_dirty(child) < 8 * MIB

        before, own, parents = Reading.of(child), private_dirty(child), player.reading()
        player.to("child writes")
        change = Reading.of(child).since(before)
        assert private_dirty(child) - own == about(100 * MIB)
        assert abs(change.res) < LITTLE
        assert change.minflt == about(pages(100 * MIB))

        player.to("parent writes")
        assert player.reading().since(parents).minflt == about(pages(100 * MIB))
        assert abs(player.reading().since(parents).res) < LITTLE

        assert player.to("child ends").child_pid is None
        assert not Path(f"/proc/{child}").exists()


@pytest.mark.parametrize("name", [scenario.name for scenario in scenarios()])
def test_every_round_ends_where_it_began_and_begins_again(name: str) -> None:
    with playing(name) as player:
        total = player.next().total
        for _ in range(total - 1):
            last = player.next()
        assert last.number == total
        end = player.reading()
        assert end.res < 20 * MIB
        assert player.next().number == 1
        for _ in range(total - 1):
            player.next()
        assert abs(player.reading().since(end).res) < LITTLE
        assert player.reading().virt - end.virt < LITTLE


WATCHER = """
import sys, time
from memtop.demo.workload import Workload
workload = Workload.start("fork", speed=10_000, hold=True)
while not ((step := workload.commentary()) and step.child_pid):
    if step and step.measured:
        workload.proceed()
    time.sleep(0.01)
print(workload.pid, step.child_pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped by a signal"])
def test_nothing_is_left_behind_when_the_watcher_is_killed(stopped: bool) -> None:
    with ExitStack() as cleanup:
        watcher = cleanup.enter_context(
            subprocess.Popen([sys.executable, "-c", WATCHER], stdout=subprocess.PIPE, text=True)
        )
        cleanup.callback(watcher.kill)
        assert watcher.stdout is not None
        pids = [int(pid) for pid in watcher.stdout.readline().split()]
        assert len(pids) == 2
        pidfds = [os.pidfd_open(pid) for pid in pids]
        for pidfd in pidfds:
            cleanup.callback(os.close, pidfd)
            if stopped:
                signal.pidfd_send_signal(pidfd, signal.SIGSTOP)
        watcher.kill()
        for pidfd in pidfds:
            assert select.select([pidfd], [], [], DEADLINE_S)[0], "still there, though its watcher is not"


def test_the_child_ends_with_a_workload_that_is_killed() -> None:
    with playing("fork") as player:
        child = player.to("forks").child_pid
        assert child is not None
        pidfd = os.pidfd_open(child)
        os.kill(player.pid, signal.SIGKILL)
        try:
            assert select.select([pidfd], [], [], DEADLINE_S)[0]
        finally:
            os.close(pidfd)


def test_a_killed_child_is_said_and_ends_the_demo() -> None:
    with playing("fork") as player:
        child = player.to("forks").child_pid
        assert child is not None
        os.kill(child, signal.SIGKILL)
        player.workload.proceed()
        until(lambda: None if player.workload.running else True)
        step = player.workload.commentary()
        assert step is not None
        assert "the child has ended" in step.commentary


def test_stop_ends_a_running_and_a_stopped_workload_and_may_be_called_twice() -> None:
    for number in (signal.SIGCONT, signal.SIGSTOP):
        workload = Workload.start()
        until(workload.commentary)  # one that is stopped before would outlive a test run that is killed now
        os.kill(workload.pid, number)
        workload.stop()
        assert not workload.running
        workload.stop()
        workload.proceed()


def test_a_workload_is_the_first_that_the_oom_killer_takes() -> None:
    with playing("reserve") as player:
        player.next()
        assert Path(f"/proc/{player.pid}/oom_score_adj").read_text().strip() == "1000"


def test_an_unknown_scenario_is_answered_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no demo 'resreve': choose one of reserve, leak, spike, sawtooth, fork"):
        Workload.start("resreve")


def files(**contents: str) -> Read:
    """A machine made of these files; ``__`` in a name stands for ``/``."""
    tree = {name.replace("__", "/"): text.encode() for name, text in contents.items()}

    def read(path: str) -> bytes:
        if path not in tree:
            raise Unavailable(path)
        return tree[path]

    return read


MACHINE = "MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\n"
V2 = "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
V1 = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" + V2.replace("cgroup rw", "cgroup/unified rw")


def test_a_demo_that_does_not_fit_the_machine_is_refused_with_numbers() -> None:
    read = files(proc__meminfo="MemTotal: 2000000 kB\nMemAvailable: 307200 kB\n")
    with pytest.raises(UsageError) as refusal:
        Workload.start("reserve", read=read)
    assert str(refusal.value) == (
        "the demo 'reserve' uses 500 MiB and wants 625 MiB to be safe, "
        "but 300 MiB is all that this machine has available (MemAvailable)"
    )


@pytest.mark.parametrize(
    ("available_kib", "fits"), [(639_999, False), (640_000, True)], ids=["a little too small", "just enough"]
)
def test_the_spare_quarter_is_exact(available_kib: int, fits: bool) -> None:
    read = files(proc__meminfo=f"MemAvailable: {available_kib} kB\n")
    if fits:
        require_room("reserve", BLOCK, read)
    else:
        with pytest.raises(UsageError):
            require_room("reserve", BLOCK, read)


def test_the_limit_of_a_parent_cgroup_counts_and_its_droppable_cache_does_not() -> None:
    read = files(
        proc__meminfo=MACHINE,
        proc__self__cgroup="0::/pod/box\n",
        proc__self__mountinfo=V2,
        **{
            "sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
            "sys/fs/cgroup/pod/box/memory.max": "max\n",
            "sys/fs/cgroup/pod/box/memory.current": "1048576\n",
            "sys/fs/cgroup/pod/memory.max": str(700 * MIB),
            "sys/fs/cgroup/pod/memory.current": str(300 * MIB),
            "sys/fs/cgroup/pod/memory.stat": f"anon 1\ninactive_file {100 * MIB}\n",
        },
    )
    with pytest.raises(UsageError, match=r"but 500 MiB is all that the memory limit of this .* leaves \(pod\)"):
        require_room("reserve", BLOCK, read)
    require_room("sawtooth", 260 * MIB, read)


def test_a_version_1_memory_cgroup_is_found_beside_version_2() -> None:
    read = files(
        proc__meminfo=MACHINE,
        proc__self__cgroup="4:memory:/job\n0::/\n",
        proc__self__mountinfo=V1,
        **{
            "sys/fs/cgroup/memory/job/memory.limit_in_bytes": str(200 * MIB),
            "sys/fs/cgroup/memory/job/memory.usage_in_bytes": str(50 * MIB),
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "0",
        },
    )
    with pytest.raises(UsageError, match="but 150 MiB is all"):
        require_room("reserve", BLOCK, read)


def test_a_cgroup_namespace_is_asked_at_its_root() -> None:
    read = files(
        proc__meminfo=MACHINE,
        proc__self__cgroup="0::/../../elsewhere\n",
        proc__self__mountinfo=V2,
        **{
            "sys/fs/cgroup/cgroup.controllers": "memory\n",
            "sys/fs/cgroup/memory.max": str(100 * MIB),
            "sys/fs/cgroup/memory.current": "0",
        },
    )
    with pytest.raises(UsageError, match="but 100 MiB is all"):
        require_room("reserve", BLOCK, read)


def test_strict_overcommit_counts_promises() -> None:
    commit = f"CommitLimit: {600 * 1024} kB\nCommitted_AS: {500 * 1024} kB\n"
    require_room("reserve", BLOCK, files(proc__meminfo=MACHINE + commit, proc__sys__vm__overcommit_memory="0\n"))
    with pytest.raises(UsageError, match="but 100 MiB is all that this kernel still grants"):
        require_room("reserve", BLOCK, files(proc__meminfo=MACHINE + commit, proc__sys__vm__overcommit_memory="2\n"))


def test_ulimit_v_counts() -> None:
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))\n"
        "from memtop.demo.workload import Workload; Workload.start()"
    )
    refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "400 MiB is all that a process can map here (ulimit -v)" in refused.stderr


def test_the_machine_these_tests_run_on_has_room() -> None:
    require_room("reserve", BLOCK)


def test_a_memory_that_the_kernel_refuses_is_said() -> None:
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (300 << 20, 300 << 20))\n"
        "from memtop.demo.__main__ import main; sys.exit(main(['reserve', '--speed', '10000']))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        steps = [step_from_line(line) for line in process.stdout]
    assert process.returncode == 1
    assert steps[-1].title == "The demo has ended"
    assert "Cannot allocate memory" in steps[-1].commentary


def test_a_step_survives_the_pipe() -> None:
    step = Step(1, 2, "Title", "Says\nmuch – ja", "Watch", "RES +1M", 42)
    line = step_to_line(step)
    assert line.count(b"\n") == 1
    assert step_from_line(line) == step


def test_work_is_spread_over_its_time_and_complete() -> None:
    started = time.monotonic()
    slices = list(Pacing(speed=10).spread(1000, 2.0))
    assert time.monotonic() - started >= 0.2
    assert len(slices) == 4
    assert [page for part in slices for page in part] == list(range(1000))


def test_each_scenario_fits_a_screen_beside_its_chart() -> None:
    for scenario in scenarios():
        assert len(scenario.says) <= 60
        for act in scenario.acts:
            assert len(act.title) <= 40, act.title
            assert len(act.commentary) <= 260, act.title
            assert len(act.watch) <= 120, act.title
        assert scenario.needs_bytes <= BLOCK
