"""Whether two processes have one address space (vfork, CLONE_VM): kcmp(2), which needs the right to trace both."""

from __future__ import annotations

import errno
import os
from functools import cache
from typing import TYPE_CHECKING, Final

from memtop.errors import Unavailable
from memtop.sources.live.bounded_read import failure
from memtop.sources.protocol import SAME_MEMORY

if TYPE_CHECKING:
    from ctypes import CDLL

_KCMP_VM: Final = 1
_NUMBERS: Final = {"x86_64": 312, "aarch64": 272, "riscv64": 272, "loongarch64": 272, "ppc64le": 354, "s390x": 343}
"""The number of the system call, by machine."""


@cache
def _library() -> CDLL:
    """The C library, which has the system calls that Python does not."""
    from ctypes import CDLL  # noqa: PLC0415 (2 ms; see compare)

    return CDLL(None, use_errno=True)


def compare(path: str) -> bytes:
    """``1`` if both have one address space, else ``0``. Raises AccessDenied, ProcessGone or Unavailable."""
    from ctypes import get_errno  # noqa: PLC0415 (0.5 MB, which a machine without such a pair does without)

    number = _NUMBERS.get(os.uname().machine)
    one, _, other = path.removeprefix("proc/").partition(SAME_MEMORY)
    if number is None or not one.isdecimal() or not other.isdecimal():
        raise Unavailable(f"{path}: {os.strerror(errno.ENOSYS)}")
    found = _library().syscall(number, int(one), int(other), _KCMP_VM, 0, 0)
    if found < 0:
        raise failure("/", path, OSError(get_errno(), ""))
    return b"1\n" if found == 0 else b"0\n"
