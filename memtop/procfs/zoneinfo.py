"""/proc/zoneinfo, proc_zoneinfo(5): the lists of free pages that each CPU keeps."""

import re
from typing import Final

_COUNT: Final = re.compile(rb"^\s+count:\s+(\d{1,18})\s*$", re.MULTILINE)


def parse_per_cpu_pages(data: bytes) -> int | None:
    """Pages on the free lists of all CPUs, which MemFree leaves out. None if no list is shown.

    Since Linux 6.7 the lists grow automatically, up to an eighth of the RAM.
    """
    counts = _COUNT.findall(data)
    return sum(map(int, counts)) if counts else None
