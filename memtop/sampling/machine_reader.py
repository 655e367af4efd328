"""Reads the files of the Machine panel, each in its turn, while the panel is on screen."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from memtop.errors import NOT_RECORDED, AccessDenied, Blocked, MemtopError, NotRecorded
from memtop.procfs.arcstats import parse_arc_size
from memtop.procfs.meminfo import parse_meminfo
from memtop.procfs.mounts_report import parse_mounts_report
from memtop.procfs.slabinfo import parse_slabinfo
from memtop.procfs.swaps import parse_mm_stat, parse_swaps
from memtop.procfs.sysv_shm import parse_sysv_shm
from memtop.sampling.machine_reading import SUBSTANTIAL, MachineReading, is_unexplained
from memtop.sampling.memfd_reader import MemfdReader
from memtop.sampling.sample import ProcessSample
from memtop.sources.protocol import MOUNTS, Source

EVERY_S: Final = 2.0
SLAB_EVERY_S: Final = 5.0
"""The kernel holds a lock over each cache while it prints slabinfo."""
MOST_ZRAM: Final = 8
MOST_NODES: Final = 16
SETTLE_S: Final = 2.0
_SIZE: Final = 4 << 20
_NODE_LINE: Final = re.compile(rb"^Node \d+ +", re.MULTILINE)


_SEGMENTS: Final = "proc/sysvipc/shm"
_FILES: Final[tuple[tuple[str, str, Callable[[bytes], Any], float], ...]] = (
    ("slab", "proc/slabinfo", parse_slabinfo, SLAB_EVERY_S),
    ("mounts", MOUNTS, parse_mounts_report, EVERY_S),
    ("segments", _SEGMENTS, parse_sysv_shm, EVERY_S),
    ("swaps", "proc/swaps", parse_swaps, EVERY_S),
)
"""(field of MachineReading, path, parser, time between two readings)."""


class MachineReader:
    """Asks for each file, so that none of them can hold up the sample."""

    def __init__(self, source: Source, *, replaying: bool = False) -> None:
        self._source = source
        self._memfds = MemfdReader(source, replaying=replaying)
        self._reading = MachineReading()
        self._due_s: dict[str, float] = {}

    def read(
        self, now_s: float, processes: Mapping[int, ProcessSample], shmem_bytes: int | None, *, once: bool = False
    ) -> MachineReading:
        """What has come, after asking for what is due. With ``once`` everything is waited for.

        Memfds are looked for while nothing else explains ``shmem_bytes``, the shared memory of the machine.
        """
        found = self._step(now_s)
        if once:
            self._source.settle(SETTLE_S)
            found = self._step(now_s)
        if not self._wants_memfds(found, processes, shmem_bytes or 0):
            return found
        memfds = self._memfds.read(processes, now_s, once=once)
        if once:
            self._source.settle(SETTLE_S)
            memfds = self._memfds.read(processes, now_s, once=once)
        unread = {**found.unread, "some open memfds": memfds.unread} if memfds.unread else found.unread
        return found._replace(memfds=memfds, unread=unread)

    def _wants_memfds(self, reading: MachineReading, processes: Mapping[int, ProcessSample], shmem_bytes: int) -> bool:
        """Whether neither mounts nor segments hold most of the shared memory, nor processes that map much of it."""
        if reading.mounts is None or _SEGMENTS not in self._due_s:
            return False  # unknown, or not answered yet
        known_bytes = sum(mount.used_bytes for mount in reading.mounts.tmpfs)
        known_bytes += sum(segment.rss_bytes or 0 for segment in reading.segments or ())
        if not is_unexplained(shmem_bytes, known_bytes):
            return False
        mapped = [one.status.shmem_bytes or 0 for one in processes.values() if one.status is not None]
        known_bytes += sum(size for size in mapped if size >= SUBSTANTIAL * shmem_bytes)
        return is_unexplained(shmem_bytes, known_bytes)

    def _step(self, now_s: float) -> MachineReading:
        values: dict[str, Any] = {}
        unread = dict(self._reading.unread)
        for field, path, parse, every_s in _FILES:
            if now_s < self._due_s.get(path, now_s):
                continue
            try:
                answer = self._source.ask(path, _SIZE)
                if answer is None:
                    continue
                values[field] = parse(answer.data)
                unread.pop(_shown(path), None)
            except MemtopError as error:
                values[field], unread[_shown(path)] = None, _reason(error)
            self._due_s[path] = now_s + every_s
        if now_s >= self._due_s.get("", now_s):
            self._due_s[""] = now_s + EVERY_S
            values["zram"], values["nodes"] = self._zram(), self._nodes()
            arc = self._small("proc/spl/kstat/zfs/arcstats")
            values["arc_bytes"] = None if arc is None else parse_arc_size(arc)
        self._reading = self._reading._replace(**values, unread=unread)
        return self._reading

    def _zram(self) -> tuple[Any, ...]:
        found = (self._small(f"sys/block/zram{number}/mm_stat") for number in range(MOST_ZRAM))
        parsed = (parse_mm_stat(data) for data in found if data is not None)
        return tuple(stat for stat in parsed if stat is not None)

    def _nodes(self) -> tuple[Any, ...] | None:
        found = []
        for number in range(MOST_NODES):
            data = self._small(f"sys/devices/system/node/node{number}/meminfo")
            if data is not None:
                found.append((number, parse_meminfo(_NODE_LINE.sub(b"", data))))
        return tuple(found) if len(found) > 1 else None

    def _small(self, path: str) -> bytes | None:
        try:
            return self._source.read(path)
        except MemtopError:
            return None


def _shown(path: str) -> str:
    """The name of a file for people; what is asked for under a name that is no file is said in words."""
    return "the mounts of tmpfs" if path == MOUNTS else path


def _reason(error: MemtopError) -> str:
    if isinstance(error, AccessDenied):
        return "not permitted"
    if isinstance(error, NotRecorded):
        return NOT_RECORDED
    return "no answer" if isinstance(error, Blocked) else "not there"
