"""Reports what became of the files of a process's code that are mapped as deleted. It runs on a thread that may block.

Paths are looked up below /proc/PID/root, because the process may live in another mount namespace or root directory.
"""

from __future__ import annotations

import os
from typing import Final

from memtop.procfs.deleted_report import DeletedState, format_deleted_report
from memtop.procfs.mountinfo import unescape
from memtop.sources.live.bounded_read import read_file

_MARK: Final = b" (deleted)"
_MAPS_BYTES: Final = 16 << 20
_MOST: Final = 64
"""Files that are looked up."""


def deleted_files_report(prefix: str, path: str) -> bytes:
    """The text that :mod:`memtop.procfs.deleted_report` describes. ``path`` is ``proc/PID/deleted_files``.

    Files that may not be looked up are left out. Raises OSError if the mappings cannot be read.
    """
    folder = os.path.dirname(path)
    found: dict[bytes, DeletedState] = {}
    for line in read_file(prefix, f"{folder}/maps", _MAPS_BYTES).split(b"\n"):
        fields = line.split(maxsplit=5)
        if len(fields) < 6 or b"x" not in fields[1] or not fields[5].startswith(b"/") or not line.endswith(_MARK):
            continue
        shown = fields[5].removesuffix(_MARK)
        if shown in found or len(found) >= _MOST or not fields[4].isdigit():
            continue
        state = _state(os.fsencode(f"{prefix}{folder}"), fields[0], int(fields[4]), unescape(fields[5]))
        if state is not None:
            found[shown] = state
    return format_deleted_report(found)


def _state(folder: bytes, addresses: bytes, inode: int, marked: bytes) -> DeletedState | None:
    """What became of a file; None if that may not be looked up.

    ``inode`` is the number that maps shows. It serves where this user may not look at the mapped file itself.
    """
    try:
        held: os.stat_result | None = os.stat(folder + b"/map_files/" + addresses)
    except OSError:
        held = None

    def is_held(found: os.stat_result) -> bool:
        return os.path.samestat(found, held) if held is not None else found.st_ino == inode

    try:
        literal = _found(folder, marked)
        if literal is not None and is_held(literal):
            return DeletedState.SAME  # its name ends with these words
        now = _found(folder, marked.removesuffix(_MARK))
    except OSError:
        return None
    if now is not None:
        return DeletedState.SAME if is_held(now) else DeletedState.REPLACED
    return DeletedState.UNLINKED if held is not None and held.st_nlink > 0 else DeletedState.DELETED


def _found(folder: bytes, path: bytes) -> os.stat_result | None:
    """What lies at a path, as the process sees it; None for nothing. Raises OSError if that may not be looked up.

    The kernel shows a path as the reader of maps sees it: after chroot(2) it begins with the new root.
    """
    root = os.readlink(folder + b"/root")
    inner = path.removeprefix(root) if root != b"/" and path.startswith(root + b"/") else path
    for place in dict.fromkeys((path, inner)):
        try:
            return os.lstat(folder + b"/root" + place)
        except (FileNotFoundError, NotADirectoryError):
            continue
    return None
