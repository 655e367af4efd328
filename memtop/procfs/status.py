"""/proc/PID/status, proc_pid_status(5): the parts of RES, the peak, swap, page tables.

Kernel threads, zombies and dying processes have no Vm lines; their fields are None.
"""

from functools import lru_cache
from typing import Final, NamedTuple

from memtop.errors import ParseError
from memtop.procfs.lines import int_or_none, key_values, kib_to_bytes

_CAP_IPC_LOCK: Final = 14
_MARK: Final = b":\t"
_UNIT: Final = b" kB\n"
_OTHERS: Final = [(key, b"\n%b:" % key) for key in (b"Uid", b"Threads", b"Kthread", b"Tgid", b"CapEff")]
"""Lines beside the sizes, each with how it begins."""


class PidStatus(NamedTuple):
    """The fields of proc_pid_status(5) that memtop uses. Sizes in bytes; None if the line is absent."""

    uid: int | None
    """Effective user id."""
    virt_peak_bytes: int | None
    """VmPeak: the largest address space since exec."""
    virt_bytes: int | None
    """VmSize."""
    locked_bytes: int | None
    """VmLck: the size of locked mappings, resident or not."""
    pinned_bytes: int | None
    """VmPin."""
    peak_rss_bytes: int | None
    """VmHWM: the highest RES since exec."""
    rss_bytes: int | None
    """VmRSS."""
    anon_bytes: int | None
    """RssAnon, since Linux 4.5."""
    file_bytes: int | None
    """RssFile, since Linux 4.5."""
    shmem_bytes: int | None
    """RssShmem, since Linux 4.5."""
    data_bytes: int | None
    """VmData: size of private writable mappings, which RLIMIT_DATA limits."""
    stack_bytes: int | None
    """VmStk: the stack of the main thread only."""
    exe_bytes: int | None
    """VmExe: code of the program itself."""
    lib_bytes: int | None
    """VmLib: code of libraries."""
    page_tables_bytes: int | None
    """VmPTE: page tables, which the OOM killer counts and RES does not."""
    swap_bytes: int | None
    """VmSwap: anonymous pages on swap."""
    hugetlb_bytes: int | None
    """HugetlbPages, which RES does not count."""
    threads: int | None
    kernel_thread: bool | None
    """The Kthread line, since Linux 6.12."""
    thread_group: int | None = None
    """Tgid: the ID of the process, even if the file belongs to a thread."""
    capabilities: int | None = None
    """CapEff, the effective capabilities as a bit mask."""

    @property
    def may_lock(self) -> bool | None:
        """Whether it has CAP_IPC_LOCK, so that RLIMIT_MEMLOCK does not limit it. None if unknown."""
        return None if self.capabilities is None else bool(self.capabilities >> _CAP_IPC_LOCK & 1)


def parse_status(data: bytes) -> PidStatus:
    """Parse one status file. Unknown lines are skipped. Raises ParseError if no line is recognized."""
    lines = _used_lines(data) or key_values(data)
    if b"Pid" not in lines and b"Name" not in lines:
        raise ParseError("status", "neither a Name nor a Pid line")

    def size(key: bytes) -> int | None:
        return _size_bytes(lines.get(key))

    uids = lines.get(b"Uid", b"").split()
    kthread = int_or_none(lines.get(b"Kthread"))
    return PidStatus(
        uid=int_or_none(uids[1]) if len(uids) > 1 else None,
        virt_peak_bytes=size(b"VmPeak"),
        virt_bytes=size(b"VmSize"),
        locked_bytes=size(b"VmLck"),
        pinned_bytes=size(b"VmPin"),
        peak_rss_bytes=size(b"VmHWM"),
        rss_bytes=size(b"VmRSS"),
        anon_bytes=size(b"RssAnon"),
        file_bytes=size(b"RssFile"),
        shmem_bytes=size(b"RssShmem"),
        data_bytes=size(b"VmData"),
        stack_bytes=size(b"VmStk"),
        exe_bytes=size(b"VmExe"),
        lib_bytes=size(b"VmLib"),
        page_tables_bytes=size(b"VmPTE"),
        swap_bytes=size(b"VmSwap"),
        hugetlb_bytes=size(b"HugetlbPages"),
        threads=int_or_none(lines.get(b"Threads")),
        kernel_thread=None if kthread is None else bool(kthread),
        thread_group=int_or_none(lines.get(b"Tgid")),
        capabilities=_hexadecimal(lines.get(b"CapEff", b"")),
    )


def _used_lines(data: bytes) -> dict[bytes, bytes]:
    """The lines of a process with memory that are used; none if they are not as expected.

    The sizes are one block of three words a line. To divide all other lines, too, costs twice as much.
    """
    first, last = data.find(b"\nVmPeak:"), data.rfind(_UNIT)
    if not 0 < first < last or not (data.startswith(b"Name:") and data.endswith(b"\n")):
        return {}
    block = data[first + 1 : last + len(_UNIT)]
    words = block.replace(_MARK, b" ").split()
    lines = dict(zip(words[::3], words[1::3], strict=False))
    counts = {*map(block.count, (b"\n", _UNIT, b":", _MARK)), words[2::3].count(b"kB"), len(words) / 3}
    if counts != {len(lines)}:
        return {}
    lines[b"Name"] = b""
    for key, begins in _OTHERS:
        at = data.find(begins)
        if at >= 0:
            lines[key] = data[at + len(begins) : data.find(b"\n", at + 1)]
    return lines


@lru_cache(maxsize=256)
def _size_bytes(value: bytes | None) -> int | None:
    """kib_to_bytes, with one object for equal sizes: those of one process, of one program, and the usual stacks."""
    return kib_to_bytes(value)


@lru_cache(maxsize=16)
def _hexadecimal(text: bytes) -> int | None:
    try:
        return int(text.strip(), 16)
    except ValueError:
        return None
