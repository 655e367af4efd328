"""/proc/swaps, swapon(8), and /sys/block/zram*/mm_stat (Documentation/admin-guide/blockdev/zram.rst)."""

from typing import NamedTuple

from memtop.procfs.mountinfo import unescape


class SwapDevice(NamedTuple):
    """One swap area. Sizes in bytes."""

    path: bytes
    kind: str
    """``partition`` or ``file``."""
    size_bytes: int
    used_bytes: int
    priority: int


class ZramStat(NamedTuple):
    """The first fields of mm_stat of one zram device. Sizes in bytes."""

    original_bytes: int
    """Data that it holds, before compression."""
    compressed_bytes: int
    used_bytes: int
    """RAM that it uses, with the loss to fragmentation."""


def parse_swaps(data: bytes) -> tuple[SwapDevice, ...]:
    """Parse all areas, in the file's order. Malformed lines are skipped."""
    found = []
    for line in data.split(b"\n")[1:]:
        fields = line.split()
        if len(fields) != 5 or not (fields[2].isdigit() and fields[3].isdigit()):
            continue
        priority = fields[4].removeprefix(b"-")
        if priority.isdigit():
            kind, size, used = fields[1].decode("ascii", "replace"), int(fields[2]) * 1024, int(fields[3]) * 1024
            found.append(SwapDevice(unescape(fields[0]), kind, size, used, int(fields[4])))
    return tuple(found)


def parse_mm_stat(data: bytes) -> ZramStat | None:
    """Parse the line; None if it is malformed."""
    fields = data.split()
    if len(fields) < 3 or not all(field.isdigit() for field in fields[:3]):
        return None
    return ZramStat(*(int(field) for field in fields[:3]))
