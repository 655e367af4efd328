"""A small server's processes, real ones: each holds and moves memory in a way worth looking at.

They run in a pid namespace of their own, so that the recording holds them and nothing else of the machine.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

MIB: Final = 1 << 20
PAGE_BYTES: Final = mmap.PAGESIZE
ROOM_BYTES: Final = 200
"""Room for a command line: what /proc shows is a process's own memory, which it may write."""
_PR_SET_NAME: Final = 15
_PR_SET_PDEATHSIG: Final = 1
_ANONYMOUS: Final = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS


def _touch(area: mmap.mmap, mib: float, start_mib: float = 0.0) -> None:
    """Write into every page of a part."""
    for at in range(int(start_mib * MIB), int((start_mib + mib) * MIB), PAGE_BYTES):
        area[at] = 1


def _api_server() -> None:
    """What puzzles people: much address space, little of it used. Its RES breathes with the requests."""
    area = mmap.mmap(-1, 1170 * MIB, _ANONYMOUS)
    area.madvise(mmap.MADV_NOHUGEPAGE)
    _touch(area, 36)
    while True:
        for mib in (1, 2, 3, 4, 3, 2, 1, 0):
            area.madvise(mmap.MADV_DONTNEED, 36 * MIB, 8 * MIB)
            _touch(area, mib * 1.5, 36)
            time.sleep(1.7)


def _queue_worker() -> None:
    """A leak: it keeps what it should forget, and is ended for it."""
    kept = []
    for _ in range(68):
        kept.append(bytearray(os.urandom(64)) * int(1.9 * MIB / 64))
        time.sleep(1.0)


def _orders_api() -> None:
    """A leak of 1.5 MiB a second, in a cgroup that it fills."""
    kept = []
    while True:
        kept.append(bytearray(os.urandom(64)) * int(1.5 * MIB / 64))
        time.sleep(1.0)


def _cache() -> None:
    """Full, and quiet."""
    kept = bytearray(b"x") * (188 * MIB)
    while kept:
        time.sleep(60)


def _report_job() -> None:
    """Takes and gives back."""
    while True:
        for size_mib in (6, 14, 30, 62, 62, 8):
            kept = bytearray(b"x") * (size_mib * MIB)
            time.sleep(2.3)
            del kept


def _db(shared: mmap.mmap) -> Callable[[], None]:
    def work() -> None:
        """Reads more and more of a shared buffer: its RES grows, and costs nothing new."""
        for mib in range(0, 90, 2):
            _touch(shared, 2, mib)
            time.sleep(1.3)
        while True:
            time.sleep(60)

    return work


def _web() -> None:
    """Small and steady."""
    area = mmap.mmap(-1, 96 * MIB, _ANONYMOUS)
    _touch(area, 11)
    while True:
        time.sleep(60)


class Role(NamedTuple):
    """One process of the server."""

    name: str
    command: str
    uid: int
    work: Callable[[], None]
    limit_mib: int | None = None
    """Limit of a memory cgroup of its own; None without one."""


def incident_roles() -> tuple[Role, ...]:
    """One of several services leaks until its cgroup is full."""
    return (
        Role("orders-api", "orders-api --listen 127.0.0.1:8080", 33, _orders_api, limit_mib=280),
        Role("cache", "cache --max-memory 192m", 65534, _cache),
        Role("report-job", "report-job --every 15s --out /var/reports", 2, _report_job),
        *(Role("web", f"web: worker {number}", 33, _web) for number in (1, 2, 3)),
    )


def roles() -> tuple[Role, ...]:
    """All of the small server."""
    shared = mmap.mmap(-1, 128 * MIB)
    return (
        Role("api-server", "api-server --listen 127.0.0.1:8080 --workers 4", 33, _api_server),
        Role("queue-worker", "queue-worker --queue mail --prefetch 200", 33, _queue_worker),
        Role("cache", "cache --max-memory 192m", 65534, _cache),
        Role("db", "db: checkpointer", 34, _db(shared)),
        Role("db", "db: writer", 34, _db(shared)),
        Role("report-job", "report-job --every 15s --out /var/reports", 2, _report_job),
        *(Role("web", f"web: worker {number}", 33, _web) for number in (1, 2, 3)),
    )


def _become(role: Role) -> None:
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NAME, role.name.encode(), 0, 0, 0)
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, role.command.encode(), len(role.command))
    if role.limit_mib is not None:
        _enter_cgroup(f"{role.name}.service", role.limit_mib)
    os.setuid(role.uid)
    role.work()


def _enter_cgroup(name: str, limit_mib: int) -> None:
    """Move this process into a memory cgroup of version 1, below the one it is in. Nothing where there is none."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    own = next((line.split(":", 2)[2] for line in lines if "memory" in line.split(":")[1].split(",")), None)
    if own is None:
        return
    folder = Path("/sys/fs/cgroup/memory" + own) / name
    folder.mkdir(exist_ok=True)
    (folder / "memory.limit_in_bytes").write_text(str(limit_mib * MIB))
    (folder / "cgroup.procs").write_text("0")


def main() -> None:
    """Start them and print their pids; they end with this process, which ends with its standard input."""
    first_pid = 4210
    children = []
    for number, role in enumerate(incident_roles() if sys.argv[1] == "incident" else roles()):
        Path("/proc/sys/kernel/ns_last_pid").write_text(str(first_pid + 37 * number))
        child = os.fork()
        if not child:
            _become(role)
            os._exit(0)
        children.append(child)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # those that end leave no zombie
    print(*children, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
