"""The file with the output of a started program: bounded, and read from its end.

When the file exceeds its limit, the oldest bytes are given back to the file system. The file then begins with a hole,
see lseek(2), SEEK_DATA. Its counters are in memory that a process shares which was forked later, and writes into it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import shutil
import struct
import tempfile
from contextlib import suppress
from mmap import mmap
from pathlib import Path
from typing import Final, NamedTuple

from memtop.errors import UsageError
from memtop.sanitize import clean

DEFAULT_LIMIT_BYTES: Final = 1 << 30
MEMORY_LIMIT_BYTES: Final = 16 << 20
"""Most output kept if no directory is writable."""
TAIL_LINES: Final = 40
"""Most lines of the output shown at the end."""
TAIL_BYTES: Final = 16_384
_BLOCK_BYTES: Final = 1 << 16
_PUNCH_HOLE: Final = 0x4030_582B
"""FS_IOC_UNRESVSP64 of linux/falloc.h; struct space_resv: type, whence, start, length, system, pid, reserve."""
_SPACE_RESV: Final = "hhqqiI4i"
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_SIZE, _FREED, _LOST, _SHOWN = 0, 1, 2, 3
"""Positions of the counters."""


class Tail(NamedTuple):
    """The last lines of the output."""

    lines: tuple[str, ...]
    """Cleaned lines, without line ends."""
    complete: bool
    """Whether the lines are the whole output, and none of its bytes was escaped."""


class OutputLog:
    """One file of output, in ``folder`` or where temporary files are.

    Raises UsageError if a limit on file sizes would cut it, and if it can be kept nowhere.
    """

    def __init__(self, limit_bytes: int = DEFAULT_LIMIT_BYTES, folder: Path | None = None) -> None:
        if resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY:
            raise UsageError("the file size limit (ulimit -f) may end the command; use -b, or raise the limit")
        self._counters = memoryview(mmap(-1, 4 * 8)).cast("Q")
        self.path: Path | None = None
        """None if no directory is writable; then the output is kept in memory."""
        self._limit_bytes = limit_bytes
        try:
            self.fd, name = tempfile.mkstemp(prefix="memtop-", suffix=".log", dir=folder)
            self.path = Path(name)
        except OSError:
            self._limit_bytes = min(limit_bytes, MEMORY_LIMIT_BYTES)
            self.fd = _memory_file()
        fcntl.fcntl(self.fd, fcntl.F_SETFL, os.O_APPEND)  # where another process has emptied the file, no hole comes

    @property
    def size_bytes(self) -> int:
        """Total size of the output, including what was dropped."""
        return self._counters[_SIZE]

    @property
    def kept_bytes(self) -> int:
        """Size of the end of the output that is still in the file."""
        return self._file_bytes - self._freed_bytes

    @property
    def lost_bytes(self) -> int:
        """Size of what the file did not take: the disk was full, and nothing older could be given back for it."""
        return self._counters[_LOST]

    @property
    def was_cut(self) -> bool:
        """Whether another process has emptied the file, or cut it."""
        return self._file_bytes < self.size_bytes - self.lost_bytes

    @property
    def _file_bytes(self) -> int:
        return os.fstat(self.fd).st_size

    @property
    def _freed_bytes(self) -> int:
        return min(self._counters[_FREED], self._file_bytes)

    def write(self, data: bytes) -> None:
        """Add output, and give the oldest back if the file exceeds its limit, or if the disk is full.

        The end of the output is what says why a program has failed.
        """
        left = memoryview(data)
        while left:
            try:
                written = os.write(self.fd, left)
            except OSError as error:
                if error.errno in _FULL and self._free_before(self._file_bytes - self.kept_bytes // 2):
                    continue
                self._counters[_LOST] += len(left)
                written = len(left)
            self._counters[_SIZE] += written
            left = left[written:]
        self._bound()

    def move_to(self, number: int) -> None:
        """Hold the file by this descriptor, in a process that closes all others."""
        os.dup2(self.fd, number)
        self.fd = number

    def _bound(self) -> None:
        """Give the oldest bytes back if the file exceeds its limit. A file system without holes keeps all."""
        self._free_before(self._file_bytes - self._limit_bytes)

    def _free_before(self, size_bytes: int) -> bool:
        """Give whole blocks back to the file system, up to this position. Returns whether any were."""
        start = size_bytes // _BLOCK_BYTES * _BLOCK_BYTES
        if start <= self._freed_bytes:
            return False
        try:
            fcntl.ioctl(self.fd, _PUNCH_HOLE, struct.pack(_SPACE_RESV, 0, os.SEEK_SET, 0, start, 0, 0, 0, 0, 0, 0))
        except OSError:
            return False
        self._counters[_FREED] = start
        return True

    def tail(self) -> Tail:
        """The last lines, at most TAIL_LINES and TAIL_BYTES of them, whatever the size of the file."""
        start = max(0, self._file_bytes - TAIL_BYTES)
        data = os.pread(self.fd, TAIL_BYTES, start)
        lines = data.split(b"\n")
        if not lines[-1]:
            lines.pop()
        if start and len(lines) > 1:
            lines = lines[1:]  # its beginning is before the bytes that were read
        shown = lines[-TAIL_LINES:]
        cleaned = tuple(clean(line) for line in shown)
        untouched = [line.encode() for line in cleaned] == shown
        whole = start == 0 and len(shown) == len(lines) and not self.was_cut and not self.lost_bytes
        return Tail(cleaned, whole and untouched)

    def rescue(self) -> bool:
        """Copy the output into a new file if its own file was removed or replaced. Returns whether it was."""
        if self.path is None or self._is_at(self.path):
            return False
        self.path = None
        with suppress(OSError):
            copy, name = tempfile.mkstemp(prefix="memtop-", suffix=".log")
            with open(copy, "wb") as target, open(f"/proc/self/fd/{self.fd}", "rb") as source:
                source.seek(self._freed_bytes)
                shutil.copyfileobj(source, target, 1 << 20)
            self.path = Path(name)
        return True

    def note_shown(self, size_bytes: int) -> None:
        """Note that all of the output was shown when it had this size: the file is of use only if more comes."""
        self._counters[_SHOWN] = size_bytes

    def discard_if_shown(self) -> None:
        """Remove the file unless it has output that was not shown. An empty one is of no use."""
        if self._counters[_SHOWN] == self.size_bytes:
            self.discard()

    def discard(self) -> None:
        """Remove the file, unless another file has its name by now."""
        if self.path is not None and self._is_at(self.path):
            with suppress(OSError):
                self.path.unlink()
        self.path = None

    def close(self) -> None:
        """Close the file. The program can still write into it."""
        os.close(self.fd)

    def _is_at(self, path: Path) -> bool:
        try:
            return os.path.samestat(os.lstat(path), os.fstat(self.fd))
        except OSError:
            return False


def _memory_file() -> int:
    """Create a file in memory. Raises UsageError."""
    try:
        return os.memfd_create("memtop-log", os.MFD_CLOEXEC)
    except OSError as error:
        raise UsageError("no directory is writable for the command's output; set TMPDIR, or use -b") from error
