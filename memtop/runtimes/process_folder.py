"""The directory below /proc in which the files of a process answer."""

from __future__ import annotations

from typing import Final

from memtop.runtimes.protocol import Access

_MOST_THREADS: Final = 64


def process_folder(access: Access, pid: int) -> str:
    """``proc/PID``; where its main thread has ended, which has no program and no files anymore, that of a thread."""
    folder = f"proc/{pid}"
    if _has_program(access, folder):
        return folder
    try:
        threads = access.names(f"{folder}/task")[:_MOST_THREADS]
    except OSError:
        return folder
    others = (f"{folder}/task/{tid}" for tid in threads if tid != str(pid))
    return next((one for one in others if _has_program(access, one)), folder)


def _has_program(access: Access, folder: str) -> bool:
    try:
        access.link(f"{folder}/exe")
    except FileNotFoundError:
        return False
    except OSError:
        return True  # it is there and may not be read
    return True
