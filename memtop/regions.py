"""``memtop regions PID``: where a process's address space is, largest first, once.

One reading of smaps, which stalls the target's own mmap calls for about 12 ms for each GiB that is resident.
"""

from __future__ import annotations

import errno
import json as json_format
import os
import re
import sys
from dataclasses import dataclass
from typing import Final, TextIO

from memtop import units
from memtop.analysis.kinds import Kind
from memtop.analysis.regions import Confidence, KindSum, Region, Regions, Sizes, Split, classify
from memtop.errors import AccessDenied, ProcessGone, Unavailable, UsageError
from memtop.procfs.smaps import parse_smaps
from memtop.procfs.stat import PidStat, parse_stat
from memtop.procfs.statm import parse_statm
from memtop.procfs.status import parse_status
from memtop.text import clean

EXIT_OK: Final = 0
EXIT_GONE: Final = 3
EXIT_DENIED: Final = 4

SORTS: Final = {
    "size": "size_bytes",
    "rss": "rss_bytes",
    "pss": "pss_bytes",
    "dirty": "private_dirty_bytes",
    "swap": "swap_bytes",
}
"""What ``-s`` takes -> field of :class:`~memtop.analysis.regions.Sizes`."""

_CHUNK_BYTES: Final = 1 << 20
_LIMIT_BYTES: Final = 1 << 30
"""More than smaps of a million mappings has."""
_ATTEMPTS: Final = 3
_MOUNT_ESCAPE = re.compile(rb"\\([0-7]{3})")


class Proc:
    """The few files that are needed here. Raises ProcessGone, AccessDenied or Unavailable."""

    def read(self, path: str) -> bytes:
        """A whole file below /proc."""
        try:
            descriptor = os.open("/proc/" + path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                chunks, size = [], 0
                while size < _LIMIT_BYTES and (chunk := os.read(descriptor, _CHUNK_BYTES)):
                    chunks.append(chunk)
                    size += len(chunk)
                return b"".join(chunks)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise self._told(path, error) from error

    def link(self, path: str) -> bytes:
        """Where a symbolic link below /proc points to."""
        try:
            return os.readlink(os.fsencode("/proc/" + path))  # bytes, as they are
        except OSError as error:
            raise self._told(path, error) from error

    def owner(self, path: str) -> int:
        """The user id to which a file below /proc belongs."""
        try:
            return os.stat("/proc/" + path).st_uid  # a path by string, as everywhere here
        except OSError as error:
            raise self._told(path, error) from error

    def threads(self, pid: int) -> list[int]:
        """Thread ids, ascending."""
        try:
            return sorted(map(int, os.listdir(f"/proc/{pid}/task")))  # names, not paths
        except OSError as error:
            raise self._told(f"{pid}/task", error) from error

    @staticmethod
    def _told(path: str, error: OSError) -> ProcessGone | AccessDenied | Unavailable:
        if error.errno in (errno.ENOENT, errno.ESRCH):
            return ProcessGone(path)
        if error.errno in (errno.EACCES, errno.EPERM):
            return AccessDenied(path)
        return Unavailable(f"{path}: {error.strerror}")


@dataclass(frozen=True, slots=True)
class _Reading:
    """A process's regions, or the sentence that says why there are none; or both, where they are less sure."""

    stat: PidStat
    regions: Regions | None
    remark: str | None = None


def run(
    pid: int,
    *,
    sort: str = "size",
    limit: int | None = None,
    kinds: bool = False,
    json: bool = False,
    out: TextIO | None = None,
    err: TextIO | None = None,
    proc: Proc | None = None,
) -> int:
    """Print the mappings of a process, or its kinds of mappings, to ``out``; remarks go to ``err``.

    Gives 0, 3 where there is no such process, 4 where it may not be read. Raises UsageError for an unknown ``sort``.
    """
    out, err, proc = out or sys.stdout, err or sys.stderr, proc or Proc()
    if sort not in SORTS:
        raise UsageError(f"cannot sort by {sort}: it may be {', '.join(SORTS)}")
    try:
        reading = _read(proc, pid)
    except ProcessGone:
        print(f"memtop: no process {pid} (or it is hidden: /proc mounted with hidepid)", file=err)
        return EXIT_GONE
    except AccessDenied:
        print(_why_denied(proc, pid), file=err)
        return EXIT_DENIED
    if reading.remark:
        print(f"memtop: {_title(reading.stat)}: {reading.remark}", file=err)
    regions = reading.regions
    if json:
        json_format.dump(_json(pid, regions, sort, limit), out)
        out.write("\n")
    elif regions is not None:
        print(f"{_title(reading.stat)}: {_split(regions.split())}", file=out)
        lines = _kind_lines(regions, sort, limit) if kinds else _region_lines(regions, sort, limit)
        print("\n".join(lines), file=out)
    return EXIT_OK


def _title(stat: PidStat) -> str:
    return f"{clean(stat.comm)} ({stat.pid})"


def _read(proc: Proc, pid: int) -> _Reading:
    """One consistent reading: begun again where the process has run exec meanwhile."""
    stat = parse_stat(proc.read(f"{pid}/stat"))
    for _ in range(_ATTEMPTS):
        room = str(pid)
        if stat.kernel_thread:
            return _Reading(stat, None, "kernel thread: it has no memory of its own")
        if stat.state in "ZX":
            others = [thread for thread in proc.threads(pid) if thread != pid]
            if not others:
                return _Reading(
                    stat, None, "zombie: it has ended and holds no memory; its parent has not asked for its exit status"
                )
            room = f"{pid}/task/{others[0]}"
        smaps = parse_smaps(proc.read(f"{room}/smaps"))
        before, stat = stat, parse_stat(proc.read(f"{pid}/stat"))
        if _identity(before) == _identity(stat) and smaps:
            regions = classify(smaps, exe=_exe(proc, room), tmpfs=_tmpfs(proc, pid))
            return _Reading(stat, regions, _doubt(regions, stat.threads))
    return _Reading(stat, None, "it was starting another program, or ending; nothing could be read")


def _doubt(regions: Regions, threads: int) -> str | None:
    if regions.confidence(threads) is not Confidence.LOW:
        return None
    stacks = regions.kinds.count(Kind.THREAD_STACK) + 1
    return (
        f"stacks found: {stacks}, threads: {threads}. Kinds of memory without a name are less sure; "
        "after fork, the stacks of the parent's other threads stay behind"
    )


def _identity(stat: PidStat) -> tuple[int, int, int]:
    return stat.start_ticks, stat.start_code, stat.arg_start


def _exe(proc: Proc, room: str) -> bytes | None:
    try:
        return proc.link(f"{room}/exe")
    except (ProcessGone, AccessDenied, Unavailable):
        return None


def _tmpfs(proc: Proc, pid: int) -> tuple[bytes, ...]:
    """Mount points of file systems that live in RAM, from mountinfo, proc_pid_mountinfo(5)."""
    try:
        lines = proc.read(f"{pid}/mountinfo").split(b"\n")
    except (ProcessGone, AccessDenied, Unavailable):
        return ()
    mounts = []
    for line in lines:
        fields, _, rest = line.partition(b" - ")
        if rest.split(b" ", 1)[0] in (b"tmpfs", b"ramfs") and len(fields.split(b" ")) > 4:
            mounts.append(_MOUNT_ESCAPE.sub(lambda match: bytes([int(match[1], 8) & 255]), fields.split(b" ")[4]))
    return tuple(mounts)


def _why_denied(proc: Proc, pid: int) -> str:
    """What may not be read, why, how to get it, and what is known all the same."""
    try:
        uid = parse_status(proc.read(f"{pid}/status")).uid
        statm = parse_statm(proc.read(f"{pid}/statm"))
        protected = proc.owner(f"{pid}/smaps") != uid
    except (ProcessGone, AccessDenied, Unavailable):
        return f"memtop: process {pid} is hidden from you (/proc mounted with hidepid); its own user or root can see it"
    if uid != os.geteuid():
        why = f"it belongs to another user (uid {uid})"
    elif protected:
        why = "it is protected: set-user-id, with file capabilities, or it has made itself non-dumpable"
    else:
        why = "its user or group ids or its capabilities are not yours, or a security module forbids it"
    return (
        f"memtop: the mappings of process {pid} may not be read: {why}. Run memtop as root, or with CAP_SYS_PTRACE. "
        f"Everybody may know: VIRT {units.long_size(statm.virt_bytes)}, RES {units.long_size(statm.rss_bytes)}, "
        f"of it anonymous {units.long_size(statm.anon_bytes)}."
    )


def _split(split: Split) -> str:
    parts = [
        (split.reserved_bytes, "reserved without access", True),
        (split.untouched_bytes, "promised but never touched", True),
        (split.resident_bytes, "resident", True),
        (split.swapped_bytes, "on swap", False),
        (split.hugetlb_bytes, "in huge pages", False),
        (split.uncounted_bytes, "of devices and the kernel", False),
    ]
    told = [f"{units.long_size(size)} {what}" for size, what, always in parts if always or size]
    return f"VIRT {units.long_size(split.virt_bytes)} = " + " + ".join(told)


def _touched(sizes: Sizes) -> str:
    if sizes.rss_bytes is None or not sizes.size_bytes:
        return units.UNKNOWN
    return units.percent(100 * sizes.rss_bytes / sizes.size_bytes)


def _cells(sizes: Sizes) -> str:
    size, rss, *rest = (f"{units.size(value):>6}" for value in sizes)
    return " ".join((size, rss, f"{_touched(sizes):>5}", *rest))


_HEAD: Final = f"{'SIZE':>6} {'RSS':>6} {'%':>5} {'PSS':>6} {'DIRTY':>6} {'SWAP':>6}"


def _kinds(regions: Regions, sort: str, limit: int | None) -> list[KindSum]:
    column = Sizes._fields.index(SORTS[sort])
    return sorted(regions.by_kind(), key=lambda one: one.sizes[column] or 0, reverse=True)[:limit]


def _kind_lines(regions: Regions, sort: str, limit: int | None) -> list[str]:
    lines = [f"{_cells(one.sizes)} {one.count:>6} {one.kind.title}" for one in _kinds(regions, sort, limit)]
    return [f"{_HEAD} {'COUNT':>6} KIND", *lines]


def _region_lines(regions: Regions, sort: str, limit: int | None) -> list[str]:
    found = regions.largest(SORTS[sort], limit)
    wide = max((len(region.kind.title) for region in found), default=4)
    return [f"{_HEAD} {'KIND':<{wide}} {'ADDRESS':<12} PERMS PATH", *(_region_line(region, wide) for region in found)]


def _region_line(region: Region, wide: int) -> str:
    mapping = region.mapping
    line = f"{_cells(region.sizes)} {region.kind.title:<{wide}} {mapping.start:012x} {mapping.perms:<5} "
    return (line + clean(mapping.name)).rstrip()


def _json(pid: int, regions: Regions | None, sort: str, limit: int | None) -> dict[str, object]:
    """Addresses are text, as in /proc: the highest do not fit a number of JavaScript."""
    if regions is None:
        return {"pid": pid, "kinds": [], "regions": []}
    return {
        "pid": pid,
        "kinds": [
            {"kind": one.kind.key, "count": one.count, **one.sizes._asdict()} for one in _kinds(regions, sort, None)
        ],
        "regions": [
            {
                "start": f"{region.mapping.start:x}",
                "end": f"{region.mapping.end:x}",
                "perms": region.mapping.perms,
                "kind": region.kind.key,
                "path": clean(region.mapping.name),
                **region.sizes._asdict(),
            }
            for region in regions.largest(SORTS[sort], limit)
        ],
    }
