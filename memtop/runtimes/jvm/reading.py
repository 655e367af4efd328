"""Readings of a JVM: the counters of its own hsperfdata file, below its own root directory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from memtop.errors import Unavailable
from memtop.runtimes.jvm.flags import kept_flags
from memtop.runtimes.jvm.heap import JvmHeap, hsperf_paths, jvm_heap
from memtop.runtimes.jvm.hsperf import ARGUMENTS, MOST_BYTES, parse_hsperf
from memtop.runtimes.protocol import Access
from memtop.runtimes.small_json import LONGEST, dumps, loads
from memtop.sanitize import clean

_STATUS_BYTES: Final = 1 << 20
_MOST_FOLDERS: Final = 64
_MOST_COUNTERS: Final = 500
_COUNTERS: Final = (
    r"sun\.gc\.(?:generation\.\d\.(?:capacity|maxCapacity|space\.\d\.(?:used|capacity|name))"
    r"|collector\.\d\.(?:invocations|time|lastExitTime|name)"
    r"|(?:metaspace|compressedclassspace)\.(?:used|capacity|maxCapacity)|policy\.name|lastCause)"
    r"|sun\.os\.hrt\.(?:frequency|ticks)|sun\.rt\.createVmBeginTime"
    r"|java\.(?:threads\.live|cls\.(?:loadedClasses|sharedLoadedClasses)|property\.java\.vm\.version)"
)


def read_counters(access: Access, pid: int) -> bytes:
    """Read the memory counters as small JSON. Raises Unavailable if there is no file, ParseError if it is malformed."""
    status = access.read(f"proc/{pid}/status", _STATUS_BYTES)
    uid = next((int(line.split()[1]) for line in status.split(b"\n") if line.startswith(b"Uid:")), None)
    paths = list(hsperf_paths(pid, status, access.user_name(uid)))
    number = paths[0].rpartition("/")[2] if paths else str(pid)
    root = f"proc/{pid}/root"
    folders = [name for name in access.names(f"{root}/tmp") if name.startswith("hsperfdata_")][:_MOST_FOLDERS]
    paths += [f"{root}/tmp/{folder}/{number}" for folder in sorted(folders)]
    for path in dict.fromkeys(paths):
        data = access.read_below(root, path.removeprefix(f"{root}/").split("/"), MOST_BYTES)
        if data is not None:
            return encode_counters(parse_hsperf(data))
    raise Unavailable("it has no counters (no hsperfdata file: -XX:-UsePerfData, or it uses another /tmp)")


def encode_counters(counters: Mapping[str, int | str]) -> bytes:
    """Encode the memory counters of a JVM, and those of its arguments that concern memory."""
    kept = {name: value for name, value in counters.items() if re.fullmatch(_COUNTERS, name)}
    arguments = counters.get(ARGUMENTS)
    if isinstance(arguments, str):
        kept[ARGUMENTS] = " ".join(kept_flags(arguments.split(" ")))
    return dumps(kept)


def decode_counters(data: bytes) -> JvmHeap:
    """Decode the heap from the result of :func:`encode_counters`. Raises ParseError."""
    counters: dict[str, int | str] = {}
    for name, value in [*loads(data).items()][:_MOST_COUNTERS]:
        if isinstance(value, str):
            counters[name] = clean(value)[:LONGEST]
        elif isinstance(value, int) and abs(value) < 1 << 64:
            counters[name] = value
    return jvm_heap(counters)
