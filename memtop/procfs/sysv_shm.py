"""/proc/sysvipc/shm, sysvipc(7): System V shared memory, which stays when no process is attached."""

from typing import NamedTuple

from memtop.procfs.lines import int_or_none


class Segment(NamedTuple):
    """One segment. Sizes in bytes."""

    id: int
    size_bytes: int
    rss_bytes: int | None
    """RAM behind it; None before Linux 2.6.35."""
    swap_bytes: int | None
    attached: int
    """Number of attachments."""
    uid: int
    creator: int | None = None
    """PID of the process that made it, which may have ended."""


def parse_sysv_shm(data: bytes) -> tuple[Segment, ...]:
    """Parse all segments. Columns are found by their headings; malformed lines are skipped."""
    head, *lines = data.split(b"\n")
    titles = head.split()
    found = []
    for line in lines:
        fields = line.split()
        if len(fields) != len(titles):
            continue
        row = {title: int_or_none(field) for title, field in zip(titles, fields, strict=True)}
        shmid, size, attached = row.get(b"shmid"), row.get(b"size"), row.get(b"nattch")
        if shmid is None or size is None or attached is None:
            continue
        rss, swap = row.get(b"rss"), row.get(b"swap")
        found.append(Segment(shmid, size, rss, swap, attached, row.get(b"uid") or 0, row.get(b"cpid")))
    return tuple(found)
