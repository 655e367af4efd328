"""Reads the files of one memory cgroup, version 1 or 2: memory.max, memory.current, memory.stat, memory.events."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from memtop.analysis.limits.cgroup_limits import limit_bytes, memory_stat, usage_bytes, with_kernel_v1
from memtop.errors import AccessDenied, Blocked, MemtopError, NotRecorded, is_missing, reason_of
from memtop.procfs.cgroup import UNLIMITED, parse_count, parse_limit, parse_memory_events, parse_oom_control
from memtop.procfs.pressure import parse_pressure
from memtop.sampling.cgroup_reading import CgroupReading
from memtop.sources.protocol import INODE, Source

RARELY_TICKS: Final = 30
"""Files that rarely change (mounts, sysctls, resource limits, absent limits) are read again after this many ticks."""
MOST_UNUSED: Final = 1024
"""Cgroups without members whose inodes are kept."""
FULL_SHARE: Final = 0.95
"""A cgroup that uses so much of its limit, page cache included, is full."""
NO_NUMBER: Final = "it does not hold a number"


class CgroupFiles:
    """Reads the files through a Source.

    It remembers for a while which cgroups have no limit, and which files do not exist.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._tick = -1
        self._absent: set[str] = set()
        """Files that could not be read, and are not read again for a while."""
        self._unreadable: dict[str, dict[str, str]] = {}
        """Directory -> its files that exist and could not be read when last tried, each with the reason."""
        self._open_ended: dict[str, tuple[int, CgroupReading]] = {}
        """Ancestors without a limit -> tick at which that was read, and the reading."""
        self._members: tuple[bytes, tuple[int, ...]] = b"", ()
        """The members that were read last, as the kernel and as numbers: mostly they are the same again."""
        self._v1_roots: dict[str, bool] = {}
        """Directories of version 1 -> whether they are the root of the hierarchy."""
        self._not_recorded = False
        """Whether a recording lacked one of the requested files since this was last cleared."""
        self._inodes: dict[str, bytes] = {}
        self._identified: set[str] = set()
        """Directories whose inode was read at this instant."""
        self.remade: dict[str, bool] = {}
        """Of them, those that are not the directory of before: it was removed, and another has its name. The value is
        whether that one had another name before (version 1), so that what it has counted is not new."""

    def begin(self, tick: int) -> None:
        """Begin a new instant."""
        self._tick = tick
        self._identified.clear()
        self.remade.clear()
        if tick % RARELY_TICKS == 0:
            self._absent.clear()

    def keep_only(self, paths: Collection[str]) -> None:
        """Forget other directories: what could not be read in them, and that they have no limit."""
        for path in self._unreadable.keys() - set(paths):
            del self._unreadable[path]
        for path in self._v1_roots.keys() - set(paths):
            del self._v1_roots[path]
        for path in self._open_ended.keys() - set(paths):
            del self._open_ended[path]
        if len(self._inodes) > 2 * len(paths) + MOST_UNUSED:
            self._inodes = {path: inode for path, inode in self._inodes.items() if path in paths}

    def identify(self, path: str) -> bool:
        """Whether this is not the directory of before. Then what is kept of that one is forgotten."""
        if path not in self._identified:
            self._identified.add(path)
            try:
                inode = self._source.read(path + INODE, 32)
            except MemtopError:  # it is removed, or a recording has it at another instant
                return False
            if self._inodes.setdefault(path, inode) != inode:
                self.remade[path] = inode in self._inodes.values()
                self._inodes[path] = inode
                self.look_again(path)
                self._unreadable.pop(path, None)
                self._open_ended.pop(path, None)
        return path in self.remade

    def read_if_recorded(self, path: str, v2: bool, *, leaf: bool, full: bool) -> CgroupReading | None:
        """As :meth:`read`; None where a recording has neither use nor limit at this instant: earlier ones hold."""
        self._not_recorded = False
        found = self.read(path, v2, leaf=leaf, full=full)
        is_known = found.limit_bytes is not None or found.usage_bytes is not None
        return found if is_known or not self._not_recorded else None

    def read(self, path: str, v2: bool, *, leaf: bool, full: bool) -> CgroupReading:
        """Read everything if ``full``, otherwise use and limits.

        A cgroup without a limit is not read for a while, unless it is the ``leaf`` that a process is in.
        """
        self.identify(path)
        known = self._open_ended.get(path)
        if not leaf and known is not None and self._tick - known[0] < RARELY_TICKS:
            return known[1]
        limit = limit_bytes(self._read, path, v2=v2)
        if limit is None and self._not_recorded and known is not None:
            return known[1]  # when it was read again is in the recording
        high = self._limit(path, "memory.high") if v2 else None
        if v2 and limit is None and self._is_root(path):
            limit = UNLIMITED
        swap = self._limit(path, "memory.swap.max") if v2 and not leaf else None
        if all(one in (None, UNLIMITED) for one in (limit, high, swap)) and not (leaf and full):
            found = CgroupReading(path, v2, limit, high_bytes=high, swap_limit_bytes=swap)
            found = self._with_unread(found._replace(group_kill=self._group_kill(path)) if v2 else found)
            if limit is not None and not found.unread:
                self._open_ended[path] = self._tick, found
            return found
        usage = self._usage(path, v2)
        stat = memory_stat(self._read, path)
        if not full:
            reading = CgroupReading(path, v2, limit, usage, stat, high)
            if v2:
                reading = self._with_swap_v2(reading)._replace(group_kill=self._group_kill(path))
            return self._with_unread(reading if v2 else self._with_control_v1(self._with_swap_v1(reading)))
        if stat is not None and not v2:
            stat = with_kernel_v1(stat, self._read, path)
        members = self._members_of(path)
        rest = self._rest_v2 if v2 else self._rest_v1
        return self._with_unread(rest(CgroupReading(path, v2, limit, usage, stat, high, members=members)))

    def _members_of(self, path: str) -> tuple[int, ...] | None:
        raw = self.file(path, "cgroup.procs")
        if raw is None:
            return None
        if raw != self._members[0]:
            self._members = raw, tuple(sorted([int(word) for word in raw.split() if word.isdigit()]))
        return self._members[1]

    def _with_unread(self, reading: CgroupReading) -> CgroupReading:
        """The reading with the files that exist and could not be read."""
        unread = self._unreadable.get(reading.path)
        return reading if not unread else reading._replace(unread=tuple(sorted(unread.items())))

    def read_use(
        self, path: str, v2: bool, old: CgroupReading | None, *, limits: bool, rest: bool, stat: bool = False
    ) -> CgroupReading | None:
        """Read its use, and memory.stat if the use differs from that of ``old``. None if a recording has no use of it.

        ``limits``, ``rest`` (swap, events, pressure) and ``stat`` (memory.stat though the use is the same) are read on
        request. What is not read is None; limits are as in ``old``.
        """
        self._not_recorded = False
        usage = self._usage(path, v2)
        if usage is None and self._not_recorded:
            return None
        limit, high = (None, None) if old is None else (old.limit_bytes, old.high_bytes)
        if limits or old is None:
            limit = limit_bytes(self._read, path, v2=v2)
            high = self._limit(path, "memory.high") if v2 else None
            if v2 and limit is None and self._is_root(path):
                limit = UNLIMITED
        is_same = old is not None and usage == old.usage_bytes
        read = old.stat if old is not None and is_same and not stat else memory_stat(self._read, path)
        if read is not None and not v2 and old is not None and old.stat is not None:
            read = read._replace(
                kernel_bytes=old.stat.kernel_bytes, slab_reclaimable_bytes=old.stat.slab_reclaimable_bytes
            )
        if old is not None and is_same and read == old.stat:
            if not rest:
                return self._with_unread(old._replace(limit_bytes=limit, high_bytes=high, unread=())) if limits else old
            read = old.stat  # the same object says that nothing has changed
        reading = CgroupReading(path, v2, limit, usage, read, high)
        if not rest:
            # Without what is on swap the first reading would be less than the next, which looks like growth.
            with_swap = self._with_swap_v2 if v2 else self._with_swap_v1
            return self._with_unread(with_swap(reading) if old is None else reading)
        if read is not None and not v2:
            reading = reading._replace(stat=with_kernel_v1(read, self._read, path))
        return self._with_unread((self._rest_v2 if v2 else self._rest_v1)(reading))

    def _usage(self, path: str, v2: bool) -> int | None:
        """What a cgroup uses, kernel memory included."""
        usage = usage_bytes(self._read, path, v2=v2)
        if usage is None or v2 or not self._is_root_v1(path):
            return usage
        kernel = self._count(path, "memory.kmem.usage_in_bytes")
        return None if kernel is None else usage + kernel

    def _with_swap_v1(self, one: CgroupReading) -> CgroupReading:
        both = self._limit(one.path, "memory.memsw.limit_in_bytes")
        swap_limit = None
        if both is not None and one.limit_bytes is not None:
            swap_limit = UNLIMITED if both >= UNLIMITED else max(0, both - one.limit_bytes)
        used = self._count(one.path, "memory.memsw.usage_in_bytes") if both is not None else None
        usage = one.usage_bytes
        if self._is_root_v1(one.path):  # neither figure has its kernel memory
            usage = usage_bytes(self._read, one.path, v2=False)
        return one._replace(
            swap_limit_bytes=swap_limit,
            swap_bytes=max(0, used - usage) if used is not None and usage is not None else None,
        )

    def _with_swap_v2(self, one: CgroupReading) -> CgroupReading:
        return one._replace(
            swap_limit_bytes=self._limit(one.path, "memory.swap.max"),
            swap_bytes=self._count(one.path, "memory.swap.current"),
        )

    def _rest_v1(self, one: CgroupReading) -> CgroupReading:
        return self._with_control_v1(self._with_swap_v1(one))._replace(
            max_events=self._count(one.path, "memory.failcnt"), swappiness=self._count(one.path, "memory.swappiness")
        )

    def _with_control_v1(self, one: CgroupReading) -> CgroupReading:
        raw = self.file(one.path, "memory.oom_control", 256)
        control = parse_oom_control(raw) if raw is not None else None
        return one._replace(
            oom_kill=control.oom_kill if control else None,
            kill_disabled=control.kill_disabled if control else None,
            under_oom=control.under_oom if control else None,
        )

    def _rest_v2(self, one: CgroupReading) -> CgroupReading:
        raw = self.file(one.path, "memory.events", 1024)
        events = parse_memory_events(raw) if raw is not None else None
        raw = self.file(one.path, "memory.events.local", 1024)
        local = parse_memory_events(raw) if raw is not None else events
        raw = self.file(one.path, "memory.pressure", 1024)
        return self._with_swap_v2(one)._replace(
            min_bytes=self._limit(one.path, "memory.min"),
            zswap_limit_bytes=self._limit(one.path, "memory.zswap.max"),
            zswap_bytes=self._count(one.path, "memory.zswap.current"),
            zswap_writeback=None
            if (writeback := self._count(one.path, "memory.zswap.writeback")) is None
            else bool(writeback),
            oom=events.oom if events else None,
            oom_kill=local.oom_kill if local else None,
            max_events=events.max if events else None,
            high_events=events.high if events else None,
            group_kill=self._group_kill(one.path),
            pressure=parse_pressure(raw) if raw is not None else None,
        )

    def _group_kill(self, path: str) -> bool | None:
        """Whether all of a cgroup are killed at once; None if that cannot be read. Before Linux 4.19 they are not."""
        group = self._count(path, "memory.oom.group")
        if group is not None:
            return bool(group)
        is_there = "memory.oom.group" in self._unreadable.get(path, ())
        return False if f"{path}/memory.oom.group" in self._absent and not is_there else None

    def kills(self, path: str, v2: bool) -> int | None:
        """OOM kills of exactly this cgroup; None if it has no readable count."""
        self.identify(path)
        if not v2:
            raw = self.file(path, "memory.oom_control", 256)
            return parse_oom_control(raw).oom_kill if raw is not None else None
        raw = self.file(path, "memory.events.local", 1024) or self.file(path, "memory.events", 1024)
        return parse_memory_events(raw).oom_kill if raw is not None else None

    def file(self, folder: str, name: str, size: int = 16_384) -> bytes | None:
        """Read a file. None if it does not exist; then it is not read again for a while."""
        return self._read(f"{folder}/{name}", size)

    def look_again(self, folder: str) -> None:
        """Read again also the files of a directory that did not exist."""
        self._absent = {path for path in self._absent if path.rpartition("/")[0] != folder}

    def _read(self, path: str, size: int) -> bytes | None:
        if path in self._absent:
            return None
        try:
            data = self._source.read(path, size)
        except NotRecorded:
            self._not_recorded = True
            return None
        except MemtopError as error:
            self._absent.add(path)
            self._note(path, "" if is_missing(error) else reason_of(error))
            return None
        if self._unreadable:
            self._note(path, "")
        return data

    def _note(self, path: str, reason: str) -> None:
        """Keep why a file could not be read; empty where it could, or where it does not exist."""
        folder, _, name = path.rpartition("/")
        if reason:
            self._unreadable.setdefault(folder, {})[name] = reason
        elif (others := self._unreadable.get(folder)) is not None:
            others.pop(name, None)
            if not others:
                del self._unreadable[folder]

    def _is_root(self, path: str) -> bool:
        """Whether this is the root of version 2, which has controllers but neither a type nor limits."""
        return self.there(path, "cgroup.controllers") and not self.there(path, "cgroup.type")

    def _is_root_v1(self, path: str) -> bool:
        """Whether this is the root of version 1, whose use the kernel gives without kernel memory (mem_cgroup_usage in
        mm/memcontrol-v1.c), so that a cgroup below it may seem larger."""
        known = self._v1_roots.get(path)
        if known is None:
            try:
                self._source.read(f"{path}/cgroup.sane_behavior", 64)  # a file of the root only
                known = True
            except NotRecorded:
                return False
            except MemtopError:
                known = False
            self._v1_roots[path] = known
        return known

    def there(self, folder: str, name: str) -> bool:
        """Whether a directory has this file, as far as known. A file that may not be read counts as existing."""
        try:
            self._source.read(f"{folder}/{name}", 64)
        except (AccessDenied, NotRecorded, Blocked):
            return True
        except MemtopError:
            return False
        return True

    def _count(self, folder: str, name: str) -> int | None:
        raw = self.file(folder, name, 64)
        return None if raw is None else self._number(f"{folder}/{name}", parse_count(raw))

    def _limit(self, folder: str, name: str) -> int | None:
        raw = self.file(folder, name, 64)
        return None if raw is None else self._number(f"{folder}/{name}", parse_limit(raw))

    def _number(self, path: str, value: int | None) -> int | None:
        if value is None:
            self._note(path, NO_NUMBER)
        return value


def is_full(reading: CgroupReading) -> bool:
    """Whether the use has reached the limit or memory.high."""
    usage, limits = reading.usage_bytes, (reading.limit_bytes, reading.high_bytes)
    return usage is not None and any(
        one is not None and one < UNLIMITED and usage >= FULL_SHARE * one for one in limits
    )
