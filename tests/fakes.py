"""A small world that a test writes down and changes between two instants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memtop.engine.engine import Engine
from memtop.errors import MemtopError, ProcessGone, Unavailable
from memtop.model.assessment import Assessment
from memtop.model.frame import Frame
from memtop.model.request import Request
from memtop.process_key import ProcessKey
from memtop.procfs.held_report import HeldPart, HeldReport, format_held_report
from memtop.procfs.statm import OWN_PAGE_BYTES
from memtop.sources.protocol import READ_LIMIT, Answer, Exit, Instant, pid_of

MIB_PAGES = (1 << 20) // OWN_PAGE_BYTES
KERNEL_FLAGS = 0x0020_8040


@dataclass
class FakeProcess:
    """What /proc says of one process; change any of it and the next instant shows it."""

    pid: int
    comm: bytes = b"app"
    state: str = "S"
    ppid: int = 1
    flags: int = 0x400000
    minflt: int = 100
    majflt: int = 1
    cpu_ticks: int = 10
    threads: int = 1
    start_ticks: int = 500
    start_code: int = 0x5555_0000
    start_stack: int = 0x7FFF_F000_0000
    virt_pages: int = 100 * MIB_PAGES
    rss_pages: int = 20 * MIB_PAGES
    shr_pages: int = 5 * MIB_PAGES
    shmem_kib: int = 0
    hugetlb_kib: int = 0
    page_tables_kib: int = 0
    peak_virt_kib: int = 100 * 1024
    uid: int = 1000
    cmdline: bytes = b"app\0--serve\0"
    oom_score: int = 670
    mappings: int = 200
    held: tuple[HeldPart, ...] = ()
    written_bytes: int = 0

    @property
    def key(self) -> ProcessKey:
        return ProcessKey(self.pid, self.start_ticks)

    @property
    def has_memory(self) -> bool:
        return self.state != "Z" and self.flags != KERNEL_FLAGS

    def stat(self) -> bytes:
        return b"%d (%b) %b %d 0 0 0 -1 %d %d 0 %d 0 %d 0 0 0 20 0 %d 0 %d 0 0 0 %d 0 %d %b\n" % (
            self.pid,
            self.comm,
            self.state.encode(),
            self.ppid,
            self.flags,
            self.minflt,
            self.majflt,
            self.cpu_ticks,
            self.threads,
            self.start_ticks,
            self.start_code,
            self.start_stack,
            b" ".join([b"0"] * 24),
        )

    def statm(self) -> bytes:
        if not self.has_memory:
            return b"0 0 0 0 0 0 0\n"
        return b"%d %d %d 1 0 9 0\n" % (self.virt_pages, self.rss_pages, self.shr_pages)

    def status(self) -> bytes:
        head = b"Name:\tapp\nPid:\t%d\nUid:\t%d\t%d\t%d\t%d\nThreads:\t%d\n" % (self.pid, *[self.uid] * 4, self.threads)
        if not self.has_memory:
            return head
        kib = OWN_PAGE_BYTES // 1024
        return head + (
            b"VmPeak:\t%d kB\nVmSize:\t%d kB\nVmHWM:\t%d kB\nVmRSS:\t%d kB\n"
            b"RssShmem:\t%d kB\nRssFile:\t%d kB\nVmSwap:\t0 kB\n"
            % (
                self.peak_virt_kib,
                self.virt_pages * kib,
                self.rss_pages * kib,
                self.rss_pages * kib,
                self.shmem_kib,
                self.shr_pages * kib - self.shmem_kib,
            )
            + (b"HugetlbPages:\t%d kB\n" % self.hugetlb_kib if self.hugetlb_kib else b"")
            + (b"VmPTE:\t%d kB\n" % self.page_tables_kib if self.page_tables_kib else b"")
        )


class FakeSource:
    """A Source over FakeProcess objects. ``files`` overrides any path, with bytes or with the error to be raised."""

    def __init__(self, *processes: FakeProcess, step_s: float = 1.0) -> None:
        self.processes = {process.pid: process for process in processes}
        self.files: dict[str, bytes | MemtopError] = {
            "proc/meminfo": b"MemTotal: 1024000 kB\nMemAvailable: 512000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
            "proc/vmstat": b"pgfault 1000\npgmajfault 10\noom_kill 3\n",
            "proc/pressure/memory": b"some avg10=1.50 avg60=0.00 avg300=0.00 total=5\n",
            "proc/self/mountinfo": b"30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
            "sys/fs/cgroup/cgroup.controllers": b"cpu memory pids\n",
            "proc/sys/vm/overcommit_memory": b"0\n",
            "proc/sys/vm/max_map_count": b"65530\n",
            "proc/sys/vm/swappiness": b"60\n",
            "proc/sys/kernel/threads-max": b"30000\n",
            "proc/sys/kernel/pid_max": b"32768\n",
            "proc/loadavg": b"0.00 0.00 0.00 1/345 4242\n",
            "user/1000": b"ann",
            "user/0": b"root",
        }
        self.own_pid: int | None = None
        """The PID of memtop among them."""
        self.threads: dict[int, list[int]] = {}
        self.step_s = step_s
        self.wall_s, self.mono_s = 1.7e9, 1000.0
        self.read_paths: list[str] = []
        """Of this instant, as the next."""
        self.swept: dict[str, int] = {}
        self.asked: list[str] = []
        """What is under way."""
        self.took_s = 0.001
        """What each answer takes."""
        self.hanging: set[int] = set()
        """Processes of which no answer comes."""
        self.asked_ever: list[str] = []
        """Every reading that was begun."""
        self.abandoned: list[str] = []
        self.begun_s: dict[str, float] = {}
        """When each reading was begun last."""
        self.delays_s: dict[str, float] = {}
        """How long the answer of a path lets wait."""
        self.watched: list[int] = []
        self.ended: list[Exit] = []
        self.closed = False
        self._none_between: set[int] = set()

    def add(self, process: FakeProcess) -> FakeProcess:
        """A new process; if its pid is taken, the old one has ended in the same tick."""
        if process.pid in self.processes:
            self._none_between.add(process.pid)
        self.processes[process.pid] = process
        return process

    def begin(self) -> Instant:
        self.wall_s += self.step_s
        self.mono_s += self.step_s
        self.read_paths, self.swept = [], {}
        return Instant(self.wall_s, self.mono_s)

    def pids(self) -> list[int]:
        return sorted(self.processes)

    def read(self, path: str, size: int = READ_LIMIT) -> bytes:
        self.read_paths.append(path)
        return self._content(path)[:size]

    def sweep(self, name: str, pids: Sequence[int]) -> list[bytes | None]:
        self.swept[name] = self.swept.get(name, 0) + len(pids)
        return [self._swept(pid, name) for pid in pids]

    def ask(self, path: str, size: int = READ_LIMIT) -> Answer | None:
        """Answers at the second call, as a thread would."""
        if path not in self.asked:
            self.asked.append(path)
            self.asked_ever.append(path)
            self.begun_s[path] = self.mono_s
            return None
        if pid_of(path) in self.hanging or self.mono_s < self.begun_s[path] + self.delays_s.get(path, 0.0):
            return None
        self.asked.remove(path)
        return Answer(self._content(path)[:size], self.took_s)

    def abandon(self, path: str) -> None:
        self.abandoned.append(path)
        if path in self.asked:
            self.asked.remove(path)

    def settle(self, seconds: float) -> None:
        """Nothing is ever under way."""

    def tids(self, pid: int) -> list[int]:
        return self.threads.get(pid, [pid])

    def watch(self, pids: Sequence[int]) -> None:
        self.watched = list(pids)

    def exits(self) -> list[Exit]:
        ended, self.ended = self.ended, []
        return ended

    def close(self) -> None:
        self.closed = True

    def _swept(self, pid: int, name: str) -> bytes | None:
        if pid in self._none_between:
            if name == "statm":
                self._none_between.discard(pid)
            return None
        try:
            return self._content(f"proc/{pid}/{name}")
        except MemtopError:
            return None

    def _content(self, path: str) -> bytes:
        pid = pid_of(path)
        found = self.files.get(path)
        if isinstance(found, MemtopError):
            raise found
        if found is not None:
            return found
        process = self.processes.get(pid) if pid is not None else None
        if process is None:
            raise ProcessGone(f"{path}: No such process")
        if path.endswith("/maps") and "/task/" in path:
            return b"mapping\n" * process.mappings
        if path.endswith("/held"):
            return format_held_report(HeldReport(self.mono_s, process.held, written_bytes=process.written_bytes))
        return self._of_process(process, path.rsplit("/", 1)[1])

    def _of_process(self, process: FakeProcess, name: str) -> bytes:
        if name == "stat":
            return process.stat()
        if name == "statm":
            return process.statm()
        if name == "status":
            return process.status()
        if name == "cmdline":
            return process.cmdline
        if name == "cgroup":
            return b"0::/\n"
        if name == "limits":
            names = (b"data size", b"address space", b"stack size", b"locked memory", b"processes")
            return b"".join(b"Max %b  unlimited  unlimited  bytes\n" % name for name in names)
        if name == "identity":
            return b"{}"
        if name not in ("oom_score", "oom_score_adj"):
            raise Unavailable(f"{name}: none")
        return {"oom_score": b"%d\n" % process.oom_score, "oom_score_adj": b"0\n"}[name]


def frame_after(engine: Engine, ask: Request, steps: int) -> Frame:
    """What is shown after so many samples."""
    for _ in range(steps):
        frame = engine.step(ask)
    assert frame is not None
    return frame


def outlook(frame: Frame | None) -> Assessment:
    """The assessment of the process in focus, where there is one."""
    assert frame is not None and frame.detail is not None and frame.detail.outlook is not None
    return frame.detail.outlook
