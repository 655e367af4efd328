"""Sentences of the Runtime panel about a JVM: its verdict, parts and numbers."""

from __future__ import annotations

from typing import NamedTuple

from memtop.analysis.trend.collection_floors import LEAST_CYCLES, LEAST_SPAN_S
from memtop.runtimes.jvm.flags import JvmFlags
from memtop.runtimes.jvm.growth import JvmBreakdown, JvmGrowth, JvmVerdict
from memtop.runtimes.jvm.heap import JvmHeap
from memtop.runtimes.view import Part, Verdict
from memtop.runtimes.wording import count_per_min, how_often, per_min
from memtop.units import counted, duration, long_size, percent


class JvmJudgement(NamedTuple):
    """A JVM's counters compared with the kernel's figures, and their meaning."""

    heap: JvmHeap
    parts: JvmBreakdown | None
    """None if the kernel's figures are missing."""
    growth: JvmGrowth


def title(heap: JvmHeap | None, flags: JvmFlags | None) -> str:
    """The version of the JVM, its collector, and its settings."""
    version = f" {heap.version}" if heap is not None and heap.version else ""
    name = (heap.policy or (heap.collector or "").removeprefix("Use")) if heap is not None else ""
    most_bytes = heap.heap_max_bytes if heap is not None else None
    settings = _settings(all_flags(flags, heap), most_bytes)
    return f"JVM{version}{f', collector {name}' if name else ''}{settings}"


def all_flags(flags: JvmFlags | None, heap: JvmHeap | None) -> JvmFlags | None:
    """The flags of the counters, which have those of argument files and of the environment too, and those of the
    command line."""
    known = [one._asdict() for one in (flags, heap.flags if heap is not None else None) if one is not None]
    given = {name: value for one in known for name, value in one.items() if value is not None}
    return JvmFlags(**given) if known else None


def _settings(flags: JvmFlags | None, most_bytes: int | None) -> str:
    if flags is None:
        return ""
    if flags.max_heap_bytes is not None:
        return f", -Xmx {long_size(flags.max_heap_bytes)}"
    if flags.max_ram_percentage is not None:
        return f", MaxRAMPercentage {flags.max_ram_percentage:g}"
    if most_bytes is not None:
        return f", no -Xmx in its command line: at most {long_size(most_bytes)}"
    return ", no -Xmx in its command line"


def jvm_parts(parts: JvmBreakdown, *, collected: bool) -> list[Part]:
    """RES in parts. Parts that can leak come first. ``collected``: a major GC was seen, so what is alive is known."""
    found = [
        ("live", "live heap", "live", parts.live_bytes)
        if collected
        else ("live", "heap in use, no major GC seen yet", "in use", parts.live_bytes),
        ("garbage", "garbage and new objects", "since GC", parts.garbage_bytes)
        if collected
        else ("garbage", "new objects (eden)", "eden", parts.garbage_bytes),
        (
            "idle",
            "heap, free" if parts.not_resident_bytes is not None else "heap, free or mapped again",
            "free",
            parts.unused_bytes,
        ),
        ("idle", "heap pages mapped again", "again", parts.again_bytes),
        ("runtime", "metaspace", "meta", parts.metaspace_bytes),
        (
            "outside",
            "native: stacks, JIT, buffers, malloc" if parts.split else "free heap, stacks, JIT, buffers, malloc",
            "native" if parts.split else "rest",
            parts.native_bytes,
        ),
        ("files", "binary and files", "files", parts.files_bytes),
    ]
    return [Part(key, name, short, size) for key, name, short, size in found if size]


def jvm_verdict(jvm: JvmJudgement, pid: int) -> Verdict:
    """The verdict with its evidence and the next step, for the process ``pid``."""
    growth, heap = jvm.growth, jvm.heap
    seen = f"{counted(len(growth.cycles), 'major GC')} in {duration(growth.span_s)}"
    share = "" if growth.gc_share is None else f", {percent(100 * growth.gc_share)} % of the time"
    found = {
        JvmVerdict.WAITING: (
            "No verdict yet",
            f"A verdict needs {LEAST_CYCLES} major GCs over {LEAST_SPAN_S:.0f} s; so far {seen}.",
            f"Only major collections free old objects; jcmd {pid} GC.run requests one.",
        ),
        JvmVerdict.STEADY: ("No leak", f"What is left after major collections stays level ({seen}).", ""),
        JvmVerdict.PRESSURE: (
            "Allocation pressure, no leak",
            f"What is left stays level, but it collects {how_often(growth.young_gcs_per_s or 0)}{share}.",
            "Use a larger young generation or fewer temporary objects; JFR's allocation events show where.",
        ),
        JvmVerdict.LEAK: (
            "Probable heap leak",
            f"More is left after each major collection: {per_min(growth.live_bytes_per_s)} ({seen}).",
            f"Compare two class histograms: jcmd {pid} GC.class_histogram, some minutes apart.",
        ),
        JvmVerdict.HEAP_FULL: (
            "Live objects nearly fill the heap",
            f"{long_size(growth.live_bytes)} of at most {long_size(heap.heap_max_bytes)} is alive; it collects "
            f"{how_often(growth.major_gcs_per_s or 0)}{share}.",
            "OutOfMemoryError is near. Raise -Xmx, or keep less alive.",
        ),
        JvmVerdict.METASPACE: (
            "Metaspace grows",
            f"{per_min(growth.metaspace_bytes_per_s)}: classes are loaded and never unloaded.",
            f"Look for class loaders and generated classes: jcmd {pid} VM.classloader_stats.",
        ),
        JvmVerdict.THREAD_LEAK: (
            "Probable thread leak",
            f"{counted(heap.threads, 'thread')}, {count_per_min(growth.threads_per_s)}.",
            f"jstack {pid} shows what they wait for.",
        ),
        JvmVerdict.OUTSIDE: (
            "Memory outside of the heap grows",
            f"The heap stays level; native memory: {per_min(growth.native_bytes_per_s)}.",
            "Start with -XX:NativeMemoryTracking=summary and run jcmd PID VM.native_memory; direct buffers and JNI "
            "are the usual suspects.",
        ),
    }
    if growth.may_rise:
        says = f"What is left after major collections may be rising; it varies too much to tell yet ({seen})."
        return Verdict("No verdict yet", says, f"jcmd {pid} GC.run requests a collection.", bad=False)
    bad = growth.verdict not in (JvmVerdict.WAITING, JvmVerdict.STEADY, JvmVerdict.PRESSURE)
    return Verdict(*found[growth.verdict], bad=bad)


def jvm_numbers(jvm: JvmJudgement) -> list[str]:
    """Generations, metaspace and collections."""
    heap = jvm.heap
    spaces = [("eden", heap.eden_used_bytes), ("survivor", heap.survivor_used_bytes), ("old", heap.old_used_bytes)]
    text = ", ".join(f"{name} {long_size(size)}" for name, size in spaces if size is not None)
    most = "" if heap.heap_max_bytes is None else f", at most {long_size(heap.heap_max_bytes)}"
    lines = [
        f"Heap {long_size(heap.heap_used_bytes)} used of {long_size(heap.heap_capacity_bytes)} committed{most}"
        + (f": {text}." if text else ".")
    ]
    if heap.metaspace_used_bytes is not None:
        classes = "" if heap.loaded_classes is None else f", {heap.loaded_classes:,} classes"
        lines.append(f"Metaspace {long_size(heap.metaspace_used_bytes)}{classes}.")
    cause = f", the last for {heap.last_cause}" if heap.last_cause and heap.last_cause != "No GC" else ""
    stopped = "" if heap.gc_time_s is None else f", {duration(heap.gc_time_s)} stopped for them"
    lines.append(
        f"{heap.young_gcs:,} young and {heap.major_gcs:,} major collections{stopped} since the start{cause}."
        + (f" {heap.threads:,} threads." if heap.threads is not None else "")
    )
    if jvm.parts is not None and jvm.parts.notable_native:
        lines.append(
            f"RES is {long_size(jvm.parts.native_bytes)} above the heap: -Xmx limits the heap, not the process."
        )
    if jvm.parts is not None and jvm.parts.again_bytes > 1 << 20:
        lines.append(
            f"RES counts {long_size(jvm.parts.again_bytes)} of the heap again: this collector maps its pages several "
            "times, but each page is in RAM once."
        )
    if jvm.parts is not None and (jvm.parts.not_resident_bytes or 0) > 1 << 20:
        away = long_size(jvm.parts.not_resident_bytes)
        lines.append(f"{away} of the committed heap is not in RES now: no RAM behind it, or on swap.")
    return lines
