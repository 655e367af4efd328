"""Reads the names of processes: command lines, users, and those in the paths of cgroups.

The first two may be slow: they are requested from the Source and taken when they arrive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from memtop.errors import Blocked, MemtopError
from memtop.process_key import ProcessKey
from memtop.procfs.membership import CgroupNames, names_of, parse_memberships
from memtop.sampling.process_record import ProcessRecord
from memtop.sampling.sample import ProcessSample
from memtop.sanitize import clean
from memtop.sources.protocol import Source

COMMAND_LIMIT: Final = 4096
"""Most bytes of a command line: a hostile one can be hundreds of megabytes long."""


class NameReader:
    """Tracks whose names are awaited."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._users: dict[int, str] = {}
        self._waiting: set[int] = set()
        self._stale: set[int] = set()
        """PIDs that became another program while their command line was being read: the answer may be the old one."""

    @property
    def waits(self) -> bool:
        """Whether an answer is awaited."""
        return bool(self._waiting)

    def want_command(self, record: ProcessRecord) -> None:
        """Request the command line, which is unknown or may have changed."""
        pid = record.key.pid
        if record.command_wanted and pid in self._waiting:
            self._stale.add(pid)
        record.command_wanted = True
        self._waiting.add(pid)

    def take_uid(self, record: ProcessRecord, uid: int) -> None:
        """Take a new user ID. The number stands for the name until that is known."""
        record.uid = uid
        record.user = self._users.get(uid, str(uid))
        record.user_wanted = uid not in self._users
        if record.user_wanted:
            self._waiting.add(record.key.pid)

    def forget(self, pid: int) -> None:
        """Drop a process that has ended."""
        self._waiting.discard(pid)
        self._stale.discard(pid)

    def collect(self, records: Mapping[int, ProcessRecord]) -> Iterator[int]:
        """Take the answers that have come. Yields the PIDs whose names have changed."""
        if not self._waiting:
            self._waiting = set()  # one that was large stays large
        for pid in list(self._waiting):
            record, changed = records[pid], False
            if record.command_wanted:
                done, raw = self._answer(f"{record.folder}/cmdline", COMMAND_LIMIT)
                if done:
                    if raw and not raw.strip(b"\0 "):
                        raw = b""  # overwritten with nothing, which is no name to show
                    raw = raw or record.command_raw or raw  # empty while it ends: what it ran is known
                    record.command_wanted = pid in self._stale
                    self._stale.discard(pid)
                    changed = raw != record.command_raw
                    record.command_raw = raw
            if record.user_wanted and record.uid is not None:
                if record.uid not in self._users:
                    done, raw = self._answer(f"user/{record.uid}", 256)
                    if done:
                        self._users[record.uid] = clean(raw) if raw else str(record.uid)
                if record.uid in self._users:
                    record.user_wanted = False
                    record.user, changed = self._users[record.uid], True
            if not record.command_wanted and not record.user_wanted:
                self._waiting.discard(pid)
            if changed:
                yield pid

    def _answer(self, path: str, size: int) -> tuple[bool, bytes | None]:
        """(whether an answer is final, its bytes or None if they are unavailable)."""
        try:
            answer = self._source.ask(path, size)
        except Blocked:
            return False, None
        except MemtopError:
            return True, None
        return answer is not None, None if answer is None else answer.data


def read_cgroup_names(source: Source, processes: Iterable[ProcessSample]) -> dict[ProcessKey, CgroupNames]:
    """Names from /proc/PID/cgroup of each process that has memory, for a sample without limits.

    Unreadable ones are left out.
    """
    found: dict[ProcessKey, CgroupNames] = {}
    known: dict[bytes, CgroupNames] = {}
    for one in processes:
        if one.statm is None or one.leader_gone:
            continue
        try:
            raw = source.read(f"proc/{one.key.pid}/cgroup")
        except MemtopError:
            continue
        if raw not in known:
            known[raw] = names_of(parse_memberships(raw))
        found[one.key] = known[raw]
    return found
