"""/proc/spl/kstat/zfs/arcstats of OpenZFS: the cache of ZFS, which /proc/meminfo does not show."""

from typing import Final

SIZE: Final = b"size"


def parse_arc_size(data: bytes) -> int | None:
    """Bytes that the ARC holds now; None if the file does not say it.

    Each line after the two of the heading has a name, a type and a value.
    """
    for line in data.split(b"\n"):
        fields = line.split()
        if len(fields) == 3 and fields[0] == SIZE and fields[2].isdigit() and len(fields[2]) <= 18:
            return int(fields[2])
    return None
