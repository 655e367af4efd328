"""Heap figures of a JVM, its maximum too, from the counters of its hsperfdata file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from memtop.errors import ParseError
from memtop.runtimes.jvm.flags import JvmFlags, parse_jvm_flags

_SPACE = re.compile(r"sun\.gc\.generation\.(\d)\.space\.(\d)\.used\Z")
_COLLECTOR = re.compile(r"sun\.gc\.collector\.(\d)\.invocations\Z")
_NS_PID = re.compile(rb"^NSpid:(?:[ \t]+\d+)*?[ \t]+(\d{1,10})[ \t]*$", re.M)
_LARGEST: Final = 1 << 57
_COLLECTOR_NAMES: Final = (("G1 ", "UseG1GC"), ("ZGC ", "UseZGC"), ("Z ", "UseZGC"), ("Shenandoah ", "UseShenandoahGC"))
"""Beginnings of sun.gc.collector.N.name, and the flag that chooses the collector."""
_POLICY_NAMES: Final = (
    ("GarbageFirst", "UseG1GC"),
    ("ParScav", "UseParallelGC"),
    ("ParNew", "UseConcMarkSweepGC"),
    ("Copy", "UseSerialGC"),
)
"""The same for sun.gc.policy.name, which ZGC, Shenandoah and Epsilon leave out."""
_PERMANENT: Final = "2"
"""Number of the permanent generation of JDK 6 and 7: classes, not heap."""
_SHARED_HEAP: Final = ("UseG1GC", "UseZGC", "UseShenandoahGC", "UseEpsilonGC")
"""Policies whose generations share one heap: the maximum of each generation is the whole heap."""
_START_TOLERANCE_S: Final = 5.0


class JvmHeap(NamedTuple):
    """One reading of the counters. Sizes in bytes; None if this JVM or collector does not report it.

    G1 writes its sizes at each collection only.
    """

    eden_used_bytes: int | None
    """New objects, most of them garbage."""
    survivor_used_bytes: int | None
    old_used_bytes: int | None
    heap_used_bytes: int
    heap_capacity_bytes: int
    """Committed: mapped and usable, touched or not."""
    heap_max_bytes: int | None
    old_max_bytes: int | None
    metaspace_used_bytes: int | None
    metaspace_capacity_bytes: int | None
    """Committed. It has RAM behind it, and MaxMetaspaceSize limits it, not what is used of it."""
    young_gcs: int
    """Collections of the young generation; 0 for collectors without one."""
    major_gcs: int
    """Full collections, and pauses of concurrent cycles: those that examine old objects."""
    full_gcs: int
    since_major_s: float | None
    """Time since the end of the latest of them; None before the first, and if it is not reported."""
    gc_time_s: float | None
    """Time stopped for collections since the start, in seconds."""
    last_cause: str | None
    policy: str | None
    collector: str | None
    """The flag that chooses this collector, such as ``UseZGC``; None if neither counters nor flags name it."""
    version: str | None
    threads: int | None
    loaded_classes: int | None
    started_s: float | None
    """Start of the JVM, seconds since the epoch."""
    flags: JvmFlags
    eden_capacity_bytes: int | None = None
    """Committed for new objects; None in recordings of earlier versions too."""
    class_space_capacity_bytes: int | None = None
    """The part of the metaspace that is committed in the class space; None without one."""
    class_space_max_bytes: int | None = None
    permanent_max_bytes: int | None = None
    """The maximum of the permanent generation, which JDK 6 and 7 have in place of a metaspace."""

    @property
    def classes_bytes(self) -> int | None:
        """RAM that holds classes: what the metaspace has committed, or what is used of it where that is unknown."""
        known = [one for one in (self.metaspace_used_bytes, self.metaspace_capacity_bytes) if one is not None]
        return max(known, default=None)

    @property
    def tenured_bytes(self) -> int:
        """Heap in use without eden: objects that have survived at least one collection."""
        return self.heap_used_bytes - (0 if self.survived_only else self.eden_used_bytes or 0)

    @property
    def survived_only(self) -> bool:
        """Whether all that the counters call used was in use after a collection, as far as it was not allocated
        meanwhile: ZGC updates its counters at collections only, and has no eden in its young generation."""
        return self.eden_used_bytes is None or self.collector == "UseZGC"


def jvm_heap(counters: Mapping[str, int | str]) -> JvmHeap:
    """Build the heap from the memory counters. Raises ParseError if there is no heap, or if a size is impossible."""

    def number(name: str) -> int | None:
        value = counters.get(name)
        return value if isinstance(value, int) else None

    def size(name: str) -> int | None:
        value = number(name)
        if value is not None and not 0 <= value <= _LARGEST:
            raise ParseError("hsperfdata", f"{name} cannot be true")
        return value

    def text(name: str) -> str | None:
        value = counters.get(name)
        return value or None if isinstance(value, str) else None

    matches = [(m[1], m[2], size(name)) for name in counters if (m := _SPACE.match(name))]
    spaces = {(generation, space): known for generation, space, known in matches if known is not None}
    used = {place: bytes_used for place, bytes_used in spaces.items() if place[0] != _PERMANENT}
    if not used:
        raise ParseError("hsperfdata", "it has no heap sizes (not reported by the collector, or the JVM is starting)")
    young = [place for place in used if place[0] == "0" and ("1", "0") in used]
    kinds = {place: text(f"sun.gc.generation.{place[0]}.space.{place[1]}.name") for place in young}
    # The young generation of ZGC is one space.
    edens = [place for place in young if kinds[place] == "eden" or len(young) == 1]
    eden = [used[place] for place in edens]
    eden_capacity = [size(f"sun.gc.generation.{number}.space.{space}.capacity") for number, space in edens]
    survivors = [used[place] for place in young if kinds[place] != "eden" and len(young) > 1]
    generations = sorted({place[0] for place in used})
    capacity = [size(f"sun.gc.generation.{each}.capacity") for each in generations]
    committed = [one for one in capacity if one is not None]
    if len(committed) < len(capacity):
        raise ParseError("hsperfdata", "it has not all sizes of the heap (cut short, or the JVM is starting)")
    maxima = [size(f"sun.gc.generation.{each}.maxCapacity") for each in generations]
    largest = [one for one in maxima if one is not None]
    policy = text("sun.gc.policy.name")
    flags = parse_jvm_flags((text("java.rt.vmArgs") or "").split(" "))
    names = [text(f"sun.gc.collector.{number}.name") or "" for number in range(3)]
    collector = _collector(names, policy) or flags.collector
    heap_max = None if None in maxima else max(largest) if collector in _SHARED_HEAP else sum(largest)
    permanent = f"sun.gc.generation.{_PERMANENT}"
    classes = sum(bytes_used for place, bytes_used in spaces.items() if place[0] == _PERMANENT)
    classes_used = classes if (_PERMANENT, "0") in spaces else size("sun.gc.metaspace.used")
    classes_capacity = size(f"{permanent}.capacity" if (_PERMANENT, "0") in spaces else "sun.gc.metaspace.capacity")
    runs = {m[1]: max(0, number(name) or 0) for name in counters if (m := _COLLECTOR.match(name))}
    has_young = len(runs) > 1 and bool(young)
    ticks = [number(f"sun.gc.collector.{each}.time") for each in runs]
    frequency = max(1, number("sun.os.hrt.frequency") or 1_000_000_000)
    majors = [each for each in runs if not has_young or each != "0"]
    ends = [end for each in majors if (end := number(f"sun.gc.collector.{each}.lastExitTime")) is not None and end > 0]
    now = number("sun.os.hrt.ticks")
    begin_ms = number("sun.rt.createVmBeginTime")
    old = [used[place] for place in used if place[0] == "1"]
    return JvmHeap(
        eden_used_bytes=sum(eden) if eden else None,
        survivor_used_bytes=sum(survivors) if survivors else None,
        old_used_bytes=sum(old) if old else None,
        heap_used_bytes=sum(used.values()),
        heap_capacity_bytes=sum(committed),
        heap_max_bytes=flags.max_heap_bytes or heap_max or None,
        old_max_bytes=(maxima[-1] or None) if old else None,
        metaspace_used_bytes=classes_used,
        metaspace_capacity_bytes=classes_capacity,
        class_space_capacity_bytes=size("sun.gc.compressedclassspace.capacity"),
        class_space_max_bytes=size("sun.gc.compressedclassspace.maxCapacity") or None,
        permanent_max_bytes=size(f"{permanent}.maxCapacity") or None,
        eden_capacity_bytes=_sum_known(*eden_capacity),
        young_gcs=runs.get("0", 0) if has_young else 0,
        major_gcs=sum(runs[each] for each in majors),
        full_gcs=runs.get("1", 0) if has_young else 0,
        since_major_s=max(0, now - max(ends)) / frequency if now is not None and ends else None,
        gc_time_s=None if None in ticks else sum(max(0, one or 0) for one in ticks) / frequency,
        last_cause=text("sun.gc.lastCause"),
        policy=policy,
        collector=collector,
        version=text("java.property.java.vm.version"),
        threads=number("java.threads.live"),
        loaded_classes=_sum_known(number("java.cls.loadedClasses"), number("java.cls.sharedLoadedClasses")),
        started_s=begin_ms / 1000 if begin_ms and 0 < begin_ms < 1 << 43 else None,
        flags=flags,
    )


def _collector(names: Sequence[str], policy: str | None) -> str | None:
    """The flag of the collector by the names in the counters; None if they have none."""
    found = next((flag for name in names for start, flag in _COLLECTOR_NAMES if name.startswith(start)), None)
    if found is not None or policy is None:
        return found
    return next((flag for start, flag in _POLICY_NAMES if policy.startswith(start)), None)


def hsperf_paths(pid: int, status: bytes, user: str) -> tuple[str, ...]:
    """Paths where the counters of a JVM may be, below the root of the file system, the most likely first.

    The JVM names the file by the PID and the directory by the user in its own namespaces. The PID is in NSpid of its
    status file. The user's name in a container is usually the same, or root. Names from there that are no valid file
    names are left out.
    """
    own = _NS_PID.search(status)
    inner = own[1].decode() if own else str(pid)
    names = [
        name for name in dict.fromkeys((user, "root")) if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.$@-]{0,63}", name)
    ]
    return tuple(f"proc/{pid}/root/tmp/hsperfdata_{name}/{inner}" for name in names)


def same_jvm(heap: JvmHeap, started_s: float | None) -> bool:
    """Whether the file belongs to a process that started then, and was not left behind by a dead JVM."""
    if heap.started_s is None or started_s is None:
        return True
    return abs(heap.started_s - started_s) <= _START_TOLERANCE_S


def _sum_known(*numbers: int | None) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
