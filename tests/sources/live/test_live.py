"""The live machine, and trees that look like one."""

from __future__ import annotations

import errno
import os
import pwd
import signal
import subprocess
import sys
import textwrap
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from memtop.errors import AccessDenied, Blocked, MemtopError, ProcessGone, RanOut, Unavailable
from memtop.sources.live import HOT, UNMAPPED, LiveSource, blocking_reader, exits, user_name
from memtop.sources.live.blocking_reader import BlockingReader
from memtop.sources.live.bounded_read import failure


@pytest.fixture
def linux() -> Iterator[LiveSource]:
    source = LiveSource()
    yield source
    source.close()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A made-up /proc with two processes."""
    for pid in (7, 42):
        (tmp_path / f"proc/{pid}/task/{pid}").mkdir(parents=True)
        (tmp_path / f"proc/{pid}/statm").write_bytes(b"%d 2 1 0 0 0 0\n" % pid)
        (tmp_path / f"proc/{pid}/cmdline").write_bytes(b"app\0%d\0" % pid)
    (tmp_path / "proc/meminfo").write_bytes(b"MemTotal: 1 kB\n")
    return tmp_path


@pytest.fixture
def made_up(tree: Path) -> Iterator[LiveSource]:
    source = LiveSource(str(tree))
    yield source
    source.close()


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has started and does nothing more."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        os.write(process.stdin.fileno(), b"x")
        process.stdout.read(1)
        until(lambda: b" S " in Path(f"/proc/{process.pid}/stat").read_bytes())
        yield process
        process.kill()


def threads() -> set[str]:
    """Those of this process, whatever has started them; those of earlier tests may still be ending."""
    return set(os.listdir("/proc/self/task"))


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.002)


def answer(source: LiveSource | BlockingReader, path: str, size: int = 4096) -> bytes:
    """Ask until there is an answer."""
    found: list[bytes] = []

    def asked() -> bool:
        answer = source.ask(path, size)
        if answer is not None:
            found.append(answer.data)
        return bool(found)

    until(asked)
    return found[0]


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# -- instants, listings, reads


def test_time_is_the_wall_clock_and_the_clock_that_counts_suspend(linux: LiveSource) -> None:
    before = time.time(), time.clock_gettime(time.CLOCK_BOOTTIME)
    instant = linux.begin()
    assert before[0] <= instant.wall_s <= time.time()
    assert before[1] <= instant.mono_s <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_pids_are_those_of_the_machine_in_order(linux: LiveSource) -> None:
    linux.begin()
    pids = linux.pids()
    assert os.getpid() in pids
    assert pids == sorted(pids)


def test_pids_of_a_tree_leave_out_what_is_no_number(made_up: LiveSource) -> None:
    assert made_up.pids() == [7, 42]


def test_a_list_of_processes_that_differs_is_taken_as_it_is_now(made_up: LiveSource, tree: Path) -> None:
    assert made_up.pids() == made_up.pids() == [7, 42]
    (tree / "proc" / "9").mkdir()
    assert made_up.pids() == [7, 9, 42]
    (tree / "proc" / "9").rmdir()
    assert made_up.pids() == [7, 42]


def test_a_machine_without_proc_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no /proc"):
        LiveSource(str(tmp_path))


@pytest.mark.parametrize("path", sorted(HOT))
def test_a_kept_system_file_gives_what_a_new_descriptor_gives(linux: LiveSource, path: str) -> None:
    linux.read(path)
    fresh = Path("/", path).read_bytes()
    kept = linux.read(path)
    assert kept.split()[::2][:1] == fresh.split()[::2][:1]
    assert len(kept.splitlines()) == len(fresh.splitlines())


def test_kept_meminfo_changes_when_the_kernel_changes_it(linux: LiveSource) -> None:
    first = linux.read("proc/meminfo")
    until(lambda: linux.read("proc/meminfo") != first)


def test_a_pipe_below_the_root_of_a_process_does_not_hold_memtop_up(made_up: LiveSource, tree: Path) -> None:
    (tree / "proc/42/root/sys").mkdir(parents=True)
    os.mkfifo(tree / "proc/42/root/sys/memory.max")
    assert made_up.read("proc/42/root/sys/memory.max") == b""


def test_a_read_is_bounded(made_up: LiveSource, tree: Path) -> None:
    (tree / "proc/huge").write_bytes(b"x" * 200_000)
    assert len(made_up.read("proc/huge")) == 65_536
    assert made_up.read("proc/huge", 5) == b"xxxxx"
    assert len(made_up.read("proc/huge", 150_000)) == 150_000


def test_a_system_file_of_a_tree_is_read_anew_each_time(made_up: LiveSource, tree: Path) -> None:
    made_up.read("proc/meminfo")
    (tree / "proc/meminfo").unlink()
    with pytest.raises(Unavailable):
        made_up.read("proc/meminfo")


def test_threads_are_listed(linux: LiveSource) -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        tids = linux.tids(os.getpid())
        assert {os.getpid(), thread.native_id} <= set(tids)
        assert tids == sorted(tids)
    finally:
        done.set()
        thread.join()


def test_a_process_that_never_was_is_gone(linux: LiveSource) -> None:
    for read in (linux.read, linux.ask):
        with pytest.raises(ProcessGone):
            until(lambda read=read: read("proc/4194304/status", 100) is not None)  # type: ignore[misc]
    with pytest.raises(ProcessGone):
        linux.tids(4194304)


def test_a_file_that_this_kernel_lacks_is_not_a_process_that_has_gone(linux: LiveSource) -> None:
    with pytest.raises(Unavailable):
        linux.read(f"proc/{os.getpid()}/no_such_file")


@pytest.mark.parametrize(
    ("number", "of_gone", "of_living", "of_machine"),
    [
        (errno.ENOENT, ProcessGone, Unavailable, Unavailable),
        (errno.ESRCH, ProcessGone, Unavailable, Unavailable),
        (errno.EACCES, AccessDenied, AccessDenied, AccessDenied),
        (errno.EPERM, AccessDenied, AccessDenied, AccessDenied),
        (errno.EIO, Unavailable, Unavailable, Unavailable),
        (errno.EINVAL, Unavailable, Unavailable, Unavailable),
        (errno.EOPNOTSUPP, Unavailable, Unavailable, Unavailable),
        (errno.ENOMEM, RanOut, RanOut, RanOut),
        (errno.ENAMETOOLONG, Unavailable, Unavailable, Unavailable),
        (errno.EMFILE, RanOut, RanOut, RanOut),
    ],
)
def test_every_errno_means_one_thing(
    tree: Path, number: int, of_gone: type[MemtopError], of_living: type[MemtopError], of_machine: type[MemtopError]
) -> None:
    error = OSError(number, os.strerror(number))
    found = [failure(f"{tree}/", path, error) for path in ("proc/9/stat", "proc/7/stat", "proc/vmstat")]
    assert [type(each) for each in found] == [of_gone, of_living, of_machine]
    assert str(found[0]) == f"proc/9/stat: {os.strerror(number)}"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody who may not")
def test_a_file_that_is_not_permitted_is_denied() -> None:
    code = """
        import os
        from memtop.errors import AccessDenied
        from memtop.sources.live import LiveSource
        os.setgroups([]); os.setgid(65534); os.setuid(65534)
        source = LiveSource()
        try:
            source.read("proc/1/environ")
        except AccessDenied as error:
            print(error)
        print(source.sweep("statm", [1])[0] is not None)
    """
    assert python(code).splitlines() == ["proc/1/environ: Permission denied", "True"]


def python(code: str, *wrapper: str) -> str:
    """Run code in a process of its own; its output."""
    done = subprocess.run(
        [*wrapper, sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# -- sweeps


def test_a_sweep_gives_each_file_or_none(made_up: LiveSource) -> None:
    made_up.begin()
    assert made_up.sweep("statm", [7, 9, 42]) == [b"7 2 1 0 0 0 0\n", None, b"42 2 1 0 0 0 0\n"]


def test_a_sweep_of_a_tree_sees_its_files_change(made_up: LiveSource, tree: Path) -> None:
    made_up.begin()
    made_up.sweep("statm", [7])
    (tree / "proc/7/statm").write_bytes(b"8")
    made_up.begin()
    assert made_up.sweep("statm", [7]) == [b"8"]


def test_a_stat_longer_than_its_buffer_is_read_whole(made_up: LiveSource, tree: Path) -> None:
    (tree / "proc/7/stat").write_bytes(b"s" * 5000)
    for _ in range(3):
        made_up.begin()
        assert made_up.sweep("stat", [7]) == [b"s" * 5000]


def test_kept_descriptors_give_what_is_true_now(linux: LiveSource, sleeper: subprocess.Popen[bytes]) -> None:
    for _ in range(3):
        linux.begin()
        for name in ("statm", "stat", "status", "oom_score_adj"):
            assert linux.sweep(name, [sleeper.pid]) == [Path(f"/proc/{sleeper.pid}/{name}").read_bytes()]
        Path(f"/proc/{sleeper.pid}/oom_score_adj").write_bytes(b"%d" % (500 + descriptors()))


def test_statm_is_kept_for_all_and_stat_for_those_swept_twice_running(linux: LiveSource) -> None:
    pid, other = os.getpid(), os.getppid()
    counts = []
    for statm, stat in [([], []), ([pid], [pid]), ([pid], [pid]), ([pid], [other]), ([pid], [])]:
        linux.begin()
        linux.sweep("statm", statm)
        linux.sweep("stat", stat)
        counts.append(descriptors())
    base = counts[0]
    assert [count - base for count in counts] == [0, 1, 2, 2, 1]


def test_descriptors_of_the_unlisted_are_given_back(linux: LiveSource, sleeper: subprocess.Popen[bytes]) -> None:
    linux.begin()
    linux.pids()
    before = descriptors()
    linux.sweep("statm", [os.getpid(), sleeper.pid])
    assert descriptors() == before + 2
    sleeper.kill()
    sleeper.wait()
    linux.begin()
    assert sleeper.pid not in linux.pids()
    linux.sweep("statm", [os.getpid()])
    linux.begin()
    assert descriptors() == before + 1


def test_a_process_that_ends_is_none_and_stays_none_within_the_instant(
    linux: LiveSource, sleeper: subprocess.Popen[bytes]
) -> None:
    linux.begin()
    assert linux.sweep("statm", [sleeper.pid])[0] is not None
    sleeper.kill()
    sleeper.wait()
    linux.begin()
    assert linux.sweep("statm", [sleeper.pid]) == [None]
    assert linux.sweep("stat", [sleeper.pid]) == [None]
    with pytest.raises(ProcessGone):
        linux.read(f"proc/{sleeper.pid}/status")


REUSE = """
    import os, subprocess, sys
    from pathlib import Path
    from memtop.errors import ProcessGone
    from memtop.sources.live import LiveSource

    def start(pid=None):
        if pid is not None:
            Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))
        child = os.fork()
        if not child:
            import signal
            signal.pause()
        return child

    def end(pid):
        os.kill(pid, 9)
        os.waitpid(pid, 0)

    source = LiveSource()
    joined = same_start = 0
    for round in range(100):
        pid = start()
        source.begin()
        before = source.sweep("statm", [pid])[0], source.sweep("stat", [pid])[0]
        assert None not in before
        if round % 2:
            source.begin()
            source.sweep("statm", [pid]), source.sweep("stat", [pid])
        source.watch([pid])
        end(pid)
        assert start(pid) == pid
        source.begin()
        source.pids()
        order = ["statm", "stat"] if round % 3 else ["stat", "statm"]
        found = {name: source.sweep(name, [pid])[0] for name in order}
        joined += found["statm"] is not None
        joined += found["stat"] is not None and order[0] == "statm"
        joined += source.sweep("status", [pid])[0] is not None
        try:
            source.read(f"proc/{pid}/stat")
            joined += 1
        except ProcessGone:
            pass
        assert [end.pid for end in source.exits()] == [pid]
        source.begin()
        after = source.sweep("statm", [pid])[0], source.sweep("stat", [pid])[0]
        assert None not in after
        same_start += before[1].split()[21] == after[1].split()[21]
        source.watch([])
        end(pid)
    print(joined, same_start)
"""


def test_a_none_comes_between_two_processes_with_one_pid_in_100_forced_reuses() -> None:
    alone = ["unshare", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no right to make a pid namespace")
    joined, same_start = map(int, python(REUSE, *alone).split())
    assert joined == 0
    assert same_start > 0  # so that pid and start time alone would have been fooled


def test_when_descriptors_run_out_everything_is_still_read() -> None:
    code = """
        import os, resource, subprocess
        children = [subprocess.Popen(["sleep", "60"]) for _ in range(80)]
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
            from memtop.sources.live import LiveSource
            source = LiveSource()
            pids = [child.pid for child in children]
            counts = set()
            for _ in range(50):
                source.begin()
                source.watch(pids)
                assert None not in source.sweep("statm", pids)
                assert None not in source.sweep("stat", pids)
                source.read("proc/meminfo")
                counts.add(len(os.listdir("/proc/self/fd")))
            print(len(counts) <= 2, max(counts) < 60)
            hog = []
            try:
                while True:
                    hog.append(os.open("/", os.O_RDONLY))
            except OSError:
                pass
            print(all(source.sweep("statm", pids)), source.read("proc/uptime") != b"")
        finally:
            for child in children:
                child.kill()
            for child in children:
                child.wait()
    """
    assert python(code).split() == ["True", "True", "True", "True"]


def test_descriptors_of_those_who_come_and_go_are_given_back(linux: LiveSource) -> None:
    counts = set()
    for _ in range(5):
        child = subprocess.Popen(["sleep", "60"])
        for listed in ([child.pid], [child.pid], []):
            linux.begin()
            for name in ("statm", "stat"):
                linux.sweep(name, listed)
        linux.begin()
        linux.sweep("statm", [child.pid])
        child.kill()
        child.wait()
        assert linux.sweep("statm", [child.pid]) == [None]
        linux.begin()
        counts.add(descriptors())
    assert len(counts) == 1


def test_descriptors_of_files_that_are_not_kept_are_closed(made_up: LiveSource) -> None:
    counts = set()
    for _ in range(5):
        made_up.begin()
        assert made_up.sweep("statm", [42]) != [None]
        counts.add(descriptors())
    assert len(counts) == 1


def test_the_descriptor_limit_is_raised_as_far_as_it_may_go() -> None:
    code = """
        import resource
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        from memtop.sources.live import LiveSource
        LiveSource()
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        print(soft == (1 << 20 if hard == resource.RLIM_INFINITY else min(hard, 1 << 20)))
    """
    assert python(code).strip() == "True"


# -- readings that may block


def test_an_answer_comes_later_and_once(linux: LiveSource) -> None:
    path = f"proc/{os.getpid()}/cmdline"
    assert linux.ask(path, 4096) is None
    linux.settle(5.0)
    answer = linux.ask(path, 4096)
    assert answer is not None
    assert answer.data == Path("/", path).read_bytes()[:4096]
    assert 0 < answer.took_s < 60
    assert linux.ask(path, 4096) is None


def test_a_command_line_is_bounded(made_up: LiveSource, tree: Path) -> None:
    (tree / "proc/7/cmdline").write_bytes(b"x" * 100_000)
    assert answer(made_up, "proc/7/cmdline", 4096) == b"x" * 4096


def test_a_real_command_line_of_megabytes_costs_little(linux: LiveSource) -> None:
    arguments = ["x" * 100_000] * 15  # an argument has 128 KiB at most, all together as much as the stack allows
    with subprocess.Popen(["sh", "-c", "echo; read line", *arguments], stdin=-1, stdout=-1) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        path = f"proc/{process.pid}/cmdline"
        assert len(Path("/", path).read_bytes()) > 1_400_000
        tracemalloc.start()
        try:
            assert len(answer(linux, path, 4096)) == 4096
            assert tracemalloc.get_traced_memory()[1] < 200_000
        finally:
            tracemalloc.stop()
            process.communicate(b"\n")


def test_users_have_names_and_strangers_have_numbers(linux: LiveSource) -> None:
    assert answer(linux, f"user/{os.getuid()}") == pwd.getpwuid(os.getuid()).pw_name.encode()
    assert answer(linux, "user/3999999999") == b"3999999999"
    assert answer(linux, "user/99999999999999999999") == b"99999999999999999999"


@pytest.mark.parametrize(
    ("uid_map", "name"),
    [
        (b"0 0 4294967295\n", b"nobody"),
        (b"0 0 1\n", UNMAPPED),
        (b"0 100000 65536\n", b"nobody?"),  # it has a nobody of its own
        (b"", UNMAPPED),
    ],
)
def test_a_user_from_outside_of_the_user_namespace_is_not_called_nobody(uid_map: bytes, name: bytes) -> None:
    files = {"proc/sys/kernel/overflowuid": b"65534\n", "proc/self/uid_map": uid_map}
    assert user_name("65534", lambda path, size: files[path][:size]) == name
    assert user_name("0", lambda path, size: files[path][:size]) == b"root"


def test_an_answer_about_an_ended_process_is_not_given_to_the_next(made_up: LiveSource, tree: Path) -> None:
    made_up.pids()
    made_up.ask("proc/7/cmdline")
    made_up.settle(5.0)
    (tree / "proc/7").rename(tree / "proc/old")
    made_up.pids()
    (tree / "proc/old").rename(tree / "proc/7")
    (tree / "proc/7/cmdline").write_bytes(b"another")
    made_up.pids()
    assert made_up.ask("proc/7/cmdline") is None
    assert answer(made_up, "proc/7/cmdline") == b"another"


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def fifos(tree: Path) -> Iterator[Path]:
    """A tree in which ten command lines block, until the test is over."""
    paths = [tree / f"proc/{pid}/cmdline" for pid in range(100, 110)]
    for path in paths:
        path.parent.mkdir()
        os.mkfifo(path)
    yield tree
    for path in paths:
        os.close(os.open(path, os.O_RDWR))  # whoever waits for a writer has had one


class Stalling:
    """A read in which the named paths stall until they are let go."""

    def __init__(self, *paths: str) -> None:
        self.gates = {path: threading.Event() for path in paths}
        self.under_way: list[str] = []
        self.threads: set[int] = set()

    def __call__(self, path: str, size: int, _goes_on: Callable[[], bool]) -> bytes:
        self.threads.add(threading.get_ident())
        self.under_way.append(path)
        if path in self.gates:
            assert self.gates[path].wait(60)
        self.under_way.remove(path)
        return path.encode()

    def let_go(self) -> None:
        for gate in self.gates.values():
            gate.set()


def overdue(reader: BlockingReader, clock: Clock, path: str) -> None:
    """Let the deadline of a reading pass, and the grace after memtop has seen it."""
    clock.now_s += blocking_reader.DEADLINE_S + 0.1
    assert reader.ask(path, 10) is None
    clock.now_s += blocking_reader.GRACE_S + 0.1


BLOCKED = [f"proc/{pid}/cmdline" for pid in range(100, 110)]


@pytest.fixture
def stalling() -> Iterator[Stalling]:
    """Ten command lines stall until the test is over."""
    read = Stalling(*BLOCKED)
    yield read
    read.let_go()


def test_a_blocked_reading_is_reported_and_others_are_still_served(stalling: Stalling) -> None:
    clock = Clock()
    reader = BlockingReader(stalling, clock)
    for path in BLOCKED[:4]:
        assert reader.ask(path, 10) is None
    until(lambda: sorted(stalling.under_way) == BLOCKED[:2])
    overdue(reader, clock, BLOCKED[0])
    with pytest.raises(Blocked, match=BLOCKED[0]):
        reader.ask(BLOCKED[0], 10)
    with pytest.raises(Blocked):
        reader.ask("proc/101/maps", 10)
    until(lambda: len(stalling.under_way) == 4)
    overdue(reader, clock, BLOCKED[2])
    assert answer(reader, "proc/7/cmdline") == b"proc/7/cmdline"


def test_a_process_that_blocks_is_left_alone_for_a_while(stalling: Stalling) -> None:
    clock = Clock()
    reader = BlockingReader(stalling, clock)
    path = BLOCKED[0]
    reader.ask(path, 10)
    until(lambda: stalling.under_way == [path])
    overdue(reader, clock, path)
    with pytest.raises(Blocked):
        reader.ask(path, 10)
    stalling.let_go()
    until(lambda: not stalling.under_way)
    clock.now_s += blocking_reader.REST_S - 1.0
    with pytest.raises(Blocked):
        reader.ask(path, 10)
    clock.now_s += 2.0
    assert answer_when_free(reader, path) == path.encode()


def test_a_reading_that_ends_while_memtop_is_stopped_is_no_blocked_one(stalling: Stalling) -> None:
    clock = Clock()
    reader = BlockingReader(stalling, clock)
    reader.ask(BLOCKED[0], 10)
    until(lambda: stalling.under_way == BLOCKED[:1])
    clock.now_s += 100 * blocking_reader.DEADLINE_S  # by Ctrl+Z, or for want of a processor
    assert reader.ask(BLOCKED[0], 10) is None
    stalling.let_go()
    assert answer(reader, BLOCKED[0]) == BLOCKED[0].encode()


def test_a_reading_whose_thread_waits_for_a_processor_is_no_blocked_one(
    stalling: Stalling, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(blocking_reader, "spent_by_s", lambda thread_id: clock.now_s)
    monkeypatch.setattr(blocking_reader, "spent_s", lambda: clock.now_s)
    reader = BlockingReader(stalling, clock)
    reader.ask(BLOCKED[0], 10)
    until(lambda: stalling.under_way == BLOCKED[:1])
    overdue(reader, clock, BLOCKED[0])
    assert reader.ask(BLOCKED[0], 10) is None
    stalling.let_go()
    assert answer(reader, BLOCKED[0]) == BLOCKED[0].encode()


def test_there_are_never_more_than_eight_threads(stalling: Stalling) -> None:
    clock = Clock()
    reader = BlockingReader(stalling, clock)
    for count, path in enumerate(BLOCKED[: blocking_reader.THREADS], 1):
        assert reader.ask(path, 10) is None
        until(lambda count=count: len(stalling.under_way) == count)  # type: ignore[misc]
        overdue(reader, clock, path)
    with pytest.raises(Blocked, match="8 earlier reads"):
        reader.ask("proc/7/cmdline", 10)
    assert len(stalling.threads) == blocking_reader.THREADS
    stalling.gates[BLOCKED[0]].set()
    assert answer_when_free(reader, "proc/7/cmdline") == b"proc/7/cmdline"


def answer_when_free(reader: BlockingReader, path: str) -> bytes:
    found: list[bytes] = []

    def asked() -> bool:
        try:
            answer = reader.ask(path, 4096)
        except Blocked:
            return False
        found.extend([answer.data] if answer is not None else [])
        return bool(found)

    until(asked)
    return found[0]


def test_a_blocked_reading_does_not_keep_memtop_from_ending(fifos: Path) -> None:
    code = f"""
        from memtop.sources.live import LiveSource
        source = LiveSource({str(fifos)!r})
        source.ask("proc/100/cmdline")
        source.settle(0.05)
        source.close()
        print("ended")
    """
    started_s = time.monotonic()
    assert python(code).strip() == "ended"
    assert time.monotonic() - started_s < 10


def test_settling_ends_when_everything_is_answered(linux: LiveSource) -> None:
    paths = [f"proc/{pid}/cmdline" for pid in linux.pids()]
    for path in paths:
        linux.ask(path)
    linux.settle(30.0)
    assert linux.ask(f"proc/{os.getpid()}/cmdline") is not None


# -- ends


def ends(linux: LiveSource, instants: int = 3) -> list[tuple[int, int | None]]:
    found = []
    for _ in range(instants):
        instant = linux.begin()
        for end in linux.exits():
            assert end.wall_s == instant.wall_s
            found.append((end.pid, end.status))
    return found


def tells_status() -> bool:
    """Whether this kernel does."""
    pid = os.fork()
    if not pid:
        os._exit(3)
    watch = exits.ExitWatch(1)
    watch.watch([pid], lambda pid: True)
    os.waitpid(pid, 0)
    found = watch.exits(0.0)
    watch.close()
    return found[0].status is not None


@pytest.mark.parametrize("how", ["kill", "exit"])
def test_how_a_watched_process_ended_is_known(linux: LiveSource, how: str) -> None:
    if not tells_status():
        pytest.skip("this kernel does not tell (PIDFD_GET_INFO needs Linux 6.15)")
    process = subprocess.Popen(["cat"] if how == "kill" else ["sh", "-c", "read x; exit 7"], stdin=subprocess.PIPE)
    linux.watch([process.pid])
    assert ends(linux) == []
    if how == "kill":
        process.kill()
    process.communicate(b"")
    assert ends(linux) == [(process.pid, signal.SIGKILL if how == "kill" else 7 << 8)]


def test_a_zombie_is_given_one_more_instant_and_told_once(linux: LiveSource) -> None:
    pid = os.fork()
    if not pid:
        os._exit(0)
    try:
        linux.watch([pid])
        until(lambda: b" Z " in linux.read(f"proc/{pid}/stat"))
        found = []
        for _ in range(5):
            linux.begin()
            linux.watch([pid])
            found.append([(end.pid, end.status) for end in linux.exits()])
        assert found == [[(pid, 0)], [], [], [], []]
    finally:
        os.waitpid(pid, 0)


def test_without_a_descriptor_for_epoll_ends_are_found_by_poll(
    monkeypatch: pytest.MonkeyPatch, sleeper: subprocess.Popen[bytes]
) -> None:
    class Refused:
        def __init__(self) -> None:
            raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr("select.epoll", Refused)
    watch = exits.ExitWatch(1)
    watch.watch([sleeper.pid], lambda pid: True)
    assert watch.exits(1.0) == []
    sleeper.kill()
    sleeper.wait()
    found = [*watch.exits(2.0), *watch.exits(3.0)]  # a status that is unknown at first is asked for once more
    watch.close()
    assert [end.pid for end in found] == [sleeper.pid]


@pytest.fixture
def older_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose pidfds do not tell how a process ended."""

    def refuse(*arguments: object) -> int:
        raise OSError(errno.ENOTTY, "no such ioctl")

    monkeypatch.setattr(exits, "ioctl", refuse)


def zombie(linux: LiveSource, code: int) -> int:
    """A watched child of ours that has ended with this code and that nobody has waited for."""
    pid = os.fork()
    if not pid:
        os._exit(code)
    linux.watch([pid])
    until(lambda: b" Z " in linux.read(f"proc/{pid}/stat"))
    return pid


@pytest.mark.usefixtures("older_kernel")
def test_an_older_kernel_tells_the_end_without_a_status(linux: LiveSource, sleeper: subprocess.Popen[bytes]) -> None:
    linux.watch([sleeper.pid])
    sleeper.kill()
    sleeper.wait()
    assert ends(linux, 1) == [], "its parent may be about to collect it"
    assert ends(linux, 1) == [(sleeper.pid, None)]


@pytest.mark.usefixtures("older_kernel")
@pytest.mark.parametrize("code", [0, 3])
def test_on_an_older_kernel_a_child_that_nobody_has_waited_for_tells_its_status(linux: LiveSource, code: int) -> None:
    pid = zombie(linux, code)
    try:
        assert ends(linux, 1) == [(pid, code << 8)]
    finally:
        assert os.waitpid(pid, 0) == (pid, code << 8), "it was left for its parent"


@pytest.mark.usefixtures("older_kernel")
def test_on_an_older_kernel_a_signal_is_told_as_one(linux: LiveSource, sleeper: subprocess.Popen[bytes]) -> None:
    linux.watch([sleeper.pid])
    sleeper.kill()
    until(lambda: b" Z " in linux.read(f"proc/{sleeper.pid}/stat"))
    assert ends(linux, 1) == [(sleeper.pid, signal.SIGKILL)]


@pytest.mark.usefixtures("older_kernel")
@pytest.mark.parametrize("code", [0, 3])
def test_on_an_older_kernel_the_zombie_of_somebody_else_tells_its_status(
    linux: LiveSource, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "waitid", raising_no_child)  # what waitid(2) says of the child of somebody else
    pid = zombie(linux, code)
    try:
        assert ends(linux, 1) == [(pid, code << 8)]
    finally:
        os.waitpid(pid, 0)


@pytest.mark.usefixtures("older_kernel")
@pytest.mark.parametrize("code", [0, 3])
def test_the_zero_that_is_shown_to_those_who_may_not_know_is_no_exit_code(linux: LiveSource, code: int) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may become somebody else")
    pid = zombie(linux, code)
    out, into = os.pipe()
    if not (other := os.fork()):
        try:
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            watch = exits.ExitWatch(1)
            watch.watch([pid], lambda pid: True)
            os.write(into, repr([(end.pid, end.status) for _ in range(3) for end in watch.exits(0.0)]).encode())
        finally:
            os._exit(0)
    os.close(into)
    try:
        assert os.read(out, 100).decode() == repr([(pid, None)])
    finally:
        os.waitpid(other, 0)
        os.waitpid(pid, 0)
        os.close(out)


@pytest.mark.usefixtures("older_kernel")
def test_a_status_that_this_program_has_collected_itself_is_told_once(
    linux: LiveSource, sleeper: subprocess.Popen[bytes]
) -> None:
    linux.watch([sleeper.pid])
    sleeper.kill()
    sleeper.wait()
    exits.collected[sleeper.pid] = 7 << 8
    assert ends(linux, 3) == [(sleeper.pid, 7 << 8)]
    assert exits.collected == {}


def test_only_those_watched_now_are_told(linux: LiveSource, sleeper: subprocess.Popen[bytes]) -> None:
    linux.watch([sleeper.pid])
    linux.watch([])
    sleeper.kill()
    sleeper.wait()
    assert ends(linux) == []


def test_pids_of_a_made_up_tree_are_never_those_of_the_machine(tree: Path, sleeper: subprocess.Popen[bytes]) -> None:
    (tree / f"proc/{sleeper.pid}").mkdir()
    source = LiveSource(str(tree))
    assert not source.own_pids
    source.watch([sleeper.pid])
    sleeper.kill()
    sleeper.wait()
    assert ends(source) == []
    source.close()


def test_closing_gives_every_descriptor_and_thread_back(sleeper: subprocess.Popen[bytes]) -> None:
    before, threads_before = descriptors(), threads()
    source = LiveSource()
    source.begin()
    source.sweep("statm", source.pids())
    source.read("proc/meminfo")
    source.watch([sleeper.pid])
    source.ask(f"proc/{sleeper.pid}/cmdline")
    source.settle(5.0)
    source.close()
    until(lambda: threads() <= threads_before)
    assert descriptors() == before


def raising_no_child(*args: object) -> object:
    raise ChildProcessError


def raising_not_found(*args: object) -> object:
    raise FileNotFoundError


def test_the_members_of_a_cgroup_are_those_of_now() -> None:
    folder = Path(f"/sys/fs/cgroup/memory/memtop-test-members-{os.getpid()}")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("no cgroup of version 1 can be made")
    sleepers = [subprocess.Popen(["sleep", "60"]) for _ in range(2)]
    source = LiveSource()
    try:
        for one in sleepers:
            (folder / "cgroup.procs").write_text(str(one.pid))
        for _ in range(4):
            source.begin()
            source.read(f"{folder}/memory.usage_in_bytes"[1:])
            members = source.read(f"{folder}/cgroup.procs"[1:]).split()
        assert sorted(map(int, members)) == sorted(one.pid for one in sleepers)
        sleepers[0].kill()
        sleepers[0].wait()
        source.begin()
        assert source.read(f"{folder}/cgroup.procs"[1:]).split() == [b"%d" % sleepers[1].pid]
    finally:
        source.close()
        for one in sleepers:
            one.kill()
            one.wait()
        folder.rmdir()
