"""Sentences about the inside of a process: where its RES comes from, whether it leaks, and what to do about it.

Everything here is made of numbers and of memtop's own words; versions and addresses come cleaned.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from memtop.analysis.trend.collection_floors import LEAST_CYCLES, LEAST_SPAN_S
from memtop.model.frame import Detail, ProcessRow
from memtop.model.runtime_view import GoInside, Inside, JvmInside
from memtop.runtimes.go.breakdown import Breakdown
from memtop.runtimes.go.growth import GoVerdict
from memtop.runtimes.go.limits import FreedMemory, LimitAdvice, LimitFit, freed_memory, knows_memory_limit
from memtop.runtimes.jvm.growth import JvmBreakdown, JvmVerdict
from memtop.runtimes.native.advice import Advice
from memtop.units import count, duration, long_size, percent

ALLOCATORS: Final = {
    Advice.ARENAS_IN_VIRT: "Much of VIRT is address space of malloc's arenas, one for each of many threads. It costs "
    "no RAM; MALLOC_ARENA_MAX=2 would have fewer of them.",
    Advice.ARENAS_IN_RES: "Its memory may be spread over many arenas of malloc, each with holes of its own. Try "
    "MALLOC_ARENA_MAX=2, or another allocator such as jemalloc, and compare.",
    Advice.KEPT_AFTER_PEAK: "RES has stayed at its peak while little happens: memory that was freed may be kept by "
    "the allocator for reuse. That is no leak as long as it does not rise further.",
    Advice.GAVE_BACK: "It has needed much more than now and has given it back.",
    Advice.TRIM: "glibc keeps freed memory below what is still in use; malloc_trim(0) returns whole free pages, and "
    "M_TRIM_THRESHOLD says from when on it does so itself.",
    Advice.PYMALLOC: "CPython returns an arena of small objects only when all of it is free: one living object keeps "
    "the whole.",
    Advice.JEMALLOC_DECAY: "jemalloc returns dirty pages about ten seconds after they were freed, while its threads "
    "are active (dirty_decay_ms, background_thread:true).",
    Advice.TCMALLOC_RELEASE: "tcmalloc returns memory slowly, by its release rate.",
    Advice.MIMALLOC_PURGE: "mimalloc purges freed memory after a delay, while it is used.",
    Advice.FREED_NOT_TAKEN: "Part of RES has been given back already (LazyFree): the kernel takes it when it needs it.",
    Advice.NODE_NEAR_OLD_SPACE: "Node is close to --max-old-space-size: beyond it, it ends with an error.",
    Advice.NODE_OUTSIDE_HEAP: "More than V8's heap may hold: Buffers and native modules live outside of it.",
}
WAITING: Final = "Finding out what runs here, from its program file, its libraries and its open counters ..."
OBJECTS: Final = {
    "python": "memtop sees its pages and not its objects: tracemalloc compares two snapshots and names the lines that "
    "allocate.",
    "node": "memtop sees its pages and not its objects: compare two heap snapshots (node "
    "--heapsnapshot-signal=SIGUSR2).",
    "dotnet": "memtop sees its pages and not its objects: compare two heap dumps (dotnet-gcdump collect -p PID).",
}
"""Who can tell more of a runtime that gives no figures."""


class Verdict(NamedTuple):
    """What the figures look like over time."""

    title: str
    evidence: str
    what_to_do: str
    bad: bool
    """Something goes on growing, or runs out."""


class Part(NamedTuple):
    """A part of RES."""

    key: str
    name: str
    short: str
    size_bytes: int


def caption(inside: Inside | None) -> str:
    """How old the figures are, and whose address they come from."""
    if inside is None or inside.age_s is None:
        return ""
    where = f" from {inside.url}" if inside.go is not None and inside.url else ""
    return f"read {duration(inside.age_s)} ago{where}"


def title(inside: Inside) -> str:
    """What runs here, and how it was set."""
    native = inside.native
    if inside.build is not None or inside.go is not None:
        version = inside.build.version if inside.build is not None else None
        heap = inside.go.heap if inside.go is not None else None
        name = (version or (heap.version if heap is not None else None) or "go, version unknown").removeprefix("go")
        return f"Go {name.removeprefix(', ')}{_go_settings(inside)}"
    if native is not None and native.runtime is not None and native.runtime.value == "jvm":
        heap_jvm = inside.jvm.heap if inside.jvm is not None else None
        version = f" {heap_jvm.version}" if heap_jvm is not None and heap_jvm.version else ""
        policy = f", collector {heap_jvm.policy}" if heap_jvm is not None and heap_jvm.policy else ""
        return f"JVM{version}{policy}{_jvm_settings(inside)}"
    parts = []
    if native is not None and native.runtime is not None:
        parts.append(" ".join(filter(None, (_NAMES.get(native.runtime.value, native.runtime.value), native.version))))
    if native is not None and native.allocator is not None:
        parts.append(f"malloc of {native.allocator.value}")
    return ", ".join(parts)


_NAMES: Final = {"python": "CPython", "node": "Node", "ruby": "Ruby", "php": "PHP", "dotnet": ".NET"}


def _go_settings(inside: Inside) -> str:
    settings, heap = inside.settings, inside.go.heap if inside.go is not None else None
    if heap is not None and heap.gogc_percent is not None:
        limit = heap.gomemlimit_bytes
        gogc = "off" if math.isinf(heap.gogc_percent) else f"{heap.gogc_percent:.0f}"
        unset = limit is None or math.isinf(limit)
        return f", GOGC {gogc} and GOMEMLIMIT {'none' if unset else long_size(limit)} in force"
    if settings is None:
        return ", settings not readable"
    limit_text = settings.gomemlimit or "not set"
    if knows_memory_limit(inside.build.release if inside.build is not None else None) is False:
        limit_text = "unknown to this version"
    debug = f", GODEBUG {settings.godebug}" if settings.godebug else ""
    return f", GOGC {settings.gogc or 'not set (100)'}, GOMEMLIMIT {limit_text}{debug}"


def _jvm_settings(inside: Inside) -> str:
    flags = inside.flags or (inside.jvm.heap.flags if inside.jvm is not None else None)
    if flags is None:
        return ""
    if flags.max_heap_bytes is not None:
        return f", -Xmx {long_size(flags.max_heap_bytes)}"
    if flags.max_ram_percentage is not None:
        return f", MaxRAMPercentage {flags.max_ram_percentage:g}"
    return ", no -Xmx: a quarter of the RAM at most"


def go_parts(parts: Breakdown) -> list[Part]:
    """RES in parts, those first that can leak."""
    found = [
        ("live", "live heap", "live", parts.live_bytes),
        ("garbage", "garbage until the next GC", "garbage", parts.garbage_bytes),
        ("idle", "idle, kept for reuse", "idle", parts.idle_bytes),
        ("freed", "returned, not yet taken (LazyFree)", "lazyfree", parts.freed_bytes),
        ("stacks", "goroutine stacks", "stacks", parts.stacks_bytes),
        ("runtime", "Go's own tables", "runtime", parts.runtime_bytes),
        ("outside", "outside of Go", "outside", parts.outside_bytes),
        ("unknown", "not told apart", "unknown", parts.unaccounted_bytes),
        ("files", "binary and files", "files", parts.files_bytes),
    ]
    return [Part(key, name, short, size) for key, name, short, size in found if size]


def jvm_parts(parts: JvmBreakdown) -> list[Part]:
    """RES in parts, those first that can leak."""
    found = [
        ("live", "live heap", "live", parts.live_bytes),
        ("garbage", "garbage and new objects", "garbage", parts.garbage_bytes),
        ("idle", "heap, free", "free", parts.unused_bytes),
        ("runtime", "metaspace", "meta", parts.metaspace_bytes),
        ("outside", "native: stacks, JIT, buffers, malloc", "native", parts.native_bytes),
        ("files", "binary and files", "files", parts.files_bytes),
    ]
    return [Part(key, name, short, size) for key, name, short, size in found if size]


def go_verdict(go: GoInside) -> Verdict:
    """The verdict with its evidence and what to do."""
    growth = go.growth
    seen = f"{_counted(len(growth.cycles), 'GC')} in {duration(growth.span_s)}"
    live, objects = _per_min(growth.live_bytes_per_s), _count_per_min(growth.objects_per_s)
    rate = growth.gc_per_s
    often = "" if rate is None else f" and collects {_often(rate)}"
    found = {
        GoVerdict.WAITING: (
            "No verdict yet",
            f"It takes {LEAST_CYCLES} GCs and {LEAST_SPAN_S:.0f} s of looking; so far {seen}.",
            "A program that allocates little may need minutes; each request that it serves helps.",
        ),
        GoVerdict.STEADY: ("No leak", f"What is left after each GC stays ({seen}).", ""),
        GoVerdict.PRESSURE: (
            "Allocation pressure, no leak",
            f"What is left after each GC stays, but it allocates {_rate(growth.alloc_bytes_per_s)}{often}.",
            "Reuse buffers (sync.Pool), preallocate slices; pprof's allocs profile says where. A higher GOGC trades "
            "RAM for fewer GCs.",
        ),
        GoVerdict.LEAK_OBJECTS: (
            "It looks like a leak by objects",
            f"After each GC more is alive: {live}, objects {objects} ({seen}).",
            "Compare two heap profiles: go tool pprof -base first second, by inuse_objects. Look for maps and slices "
            "that only grow.",
        ),
        GoVerdict.BIGGER_OBJECTS: (
            "Objects grow bigger",
            f"After each GC more is alive: {live}, in about as many objects ({seen}).",
            "Look for buffers and slices that are appended to: pprof's heap profile by inuse_space.",
        ),
        GoVerdict.GOROUTINE_LEAK: (
            "It looks like a goroutine leak",
            f"{count(go.heap.goroutines)} goroutines, {_count_per_min(growth.goroutines_per_s)}, each with a stack "
            "and all it refers to.",
            "See where they wait: /debug/pprof/goroutine?debug=1. Mostly a channel that nobody reads, or a request "
            "without a timeout.",
        ),
        GoVerdict.OUTSIDE: (
            "Memory outside of the heap grows",
            f"The heap stays; anonymous memory that Go knows nothing of: {_per_min(growth.outside_bytes_per_s)}.",
            "Look for cgo, mmap and C libraries; pprof does not see them. The Regions panel shows where it lies.",
        ),
    }
    return Verdict(*found[growth.verdict], bad=growth.verdict.growing)


def jvm_verdict(jvm: JvmInside) -> Verdict:
    """The verdict with its evidence and what to do."""
    growth, heap = jvm.growth, jvm.heap
    seen = f"{_counted(len(growth.cycles), 'major GC')} in {duration(growth.span_s)}"
    share = "" if growth.gc_share is None else f", {percent(100 * growth.gc_share)} % of the time"
    found = {
        JvmVerdict.WAITING: (
            "No verdict yet",
            f"It takes {LEAST_CYCLES} major GCs and {LEAST_SPAN_S:.0f} s of looking; so far {seen}.",
            "Old objects die only in major collections; jcmd PID GC.run asks for one.",
        ),
        JvmVerdict.STEADY: ("No leak", f"What is left after major collections stays ({seen}).", ""),
        JvmVerdict.PRESSURE: (
            "Allocation pressure, no leak",
            f"What is left stays, but it collects {_often(growth.young_gcs_per_s or 0)}{share}.",
            "A larger young generation or fewer temporary objects; JFR's allocation events say where.",
        ),
        JvmVerdict.LEAK: (
            "It looks like a leak on the heap",
            f"After each major collection more is left: {_per_min(growth.live_bytes_per_s)} ({seen}).",
            "Compare two class histograms: jcmd PID GC.class_histogram, some minutes apart.",
        ),
        JvmVerdict.HEAP_FULL: (
            "What is alive nearly fills the heap",
            f"{long_size(growth.live_bytes)} of at most {long_size(heap.heap_max_bytes)} stay alive; it collects "
            f"{_often(growth.major_gcs_per_s or 0)}{share}.",
            "Raise -Xmx, or hold less. OutOfMemoryError is near.",
        ),
        JvmVerdict.METASPACE: (
            "Metaspace grows",
            f"{_per_min(growth.metaspace_bytes_per_s)}: classes are loaded and never unloaded.",
            "Look for class loaders and generated classes: jcmd PID VM.classloader_stats.",
        ),
        JvmVerdict.THREAD_LEAK: (
            "It looks like a leak of threads",
            f"{count(heap.threads)} threads, {_count_per_min(growth.threads_per_s)}.",
            "jstack shows what they wait for.",
        ),
        JvmVerdict.OUTSIDE: (
            "Memory outside of the heap grows",
            f"The heap stays; native memory: {_per_min(growth.native_bytes_per_s)}.",
            "Start with -XX:NativeMemoryTracking=summary and ask jcmd PID VM.native_memory; direct buffers and JNI "
            "are the usual suspects.",
        ),
    }
    bad = growth.verdict not in (JvmVerdict.WAITING, JvmVerdict.STEADY, JvmVerdict.PRESSURE)
    return Verdict(*found[growth.verdict], bad=bad)


def account(go: GoInside, row: ProcessRow) -> list[str]:
    """What RES does not count, what the identities say, and how far both accounts are apart."""
    parts, found = go.parts, []
    if parts is None:
        return ["RES is not known, so its parts are not either."]
    aside = []
    if parts.returned_bytes:
        aside.append(f"{long_size(parts.returned_bytes)} returned to the kernel (in VIRT and HeapSys, not in RES)")
    if parts.not_resident_bytes > 1 << 20:
        aside.append(
            f"{long_size(parts.not_resident_bytes)} that Go counts and RES has not (never touched, or on swap)"
        )
    if aside:
        found.append(f"Beside it: {'; '.join(aside)}.")
    broken = [check for check in go.checks if not check.holds]
    if broken:
        missed = "; ".join(f"{check.identity.value} is off by {count(check.residual)}" for check in broken)
        found.append(f"These figures do not add up: {missed}.")
    elif go.checks:
        residual = parts.residual_bytes
        rest = "" if residual is None else f"; anonymous memory less Sys - HeapReleased leaves {_signed(residual)}"
        found.append(f"Its account adds up ({len(go.checks)} of {len(go.checks)} identities){rest}.")
    far = parts.outside_bytes is not None and parts.outside_bytes > 0.7 * parts.rss_bytes and parts.notable_outside
    inuse = go.heap.heap_inuse_bytes or 0
    if far or inuse > 1.5 * parts.rss_bytes + (32 << 20):
        found.append(
            f"What Go tells and RES are far apart. If that is unexpected: are these the metrics of process {row.pid}?"
        )
    elif parts.notable_outside:
        found.append(
            f"{long_size(parts.outside_bytes)} are outside of Go: cgo, mmap, C libraries. pprof shows none of it."
        )
    return found


def go_numbers(go: GoInside) -> str:
    """NextGC, rate, pauses, CPU, goroutines: those that are told."""
    heap, growth, found = go.heap, go.growth, []
    if heap.next_gc_bytes is not None:
        goal = "no goal (GOGC=off)" if math.isinf(heap.next_gc_bytes) else f"at {long_size(heap.next_gc_bytes)}"
        found.append(f"next GC {goal}")
    if heap.num_gc is not None:
        rate = "" if growth.gc_per_s is None else f" ({_often(growth.gc_per_s)})"
        found.append(f"{_counted(heap.num_gc, 'GC')} since its start{rate}")
    if heap.num_gc and heap.pause_total_ns is not None:
        mean = heap.pause_total_ns / heap.num_gc
        longest = "" if heap.pause_max_ns is None else f", longest {_pause(heap.pause_max_ns)}"
        found.append(f"pauses {_pause(mean)} on average{longest}")
    if heap.gc_cpu_fraction is not None:
        found.append(f"{100 * heap.gc_cpu_fraction:.2g} % of CPU for GC")
    if growth.alloc_bytes_per_s is not None:
        found.append(f"allocates {_rate(growth.alloc_bytes_per_s)}")
    if heap.goroutines is not None:
        found.append(f"{heap.goroutines:,} goroutines")
    text = ", ".join(found)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def jvm_numbers(jvm: JvmInside) -> list[str]:
    """Generations, metaspace and collections."""
    heap = jvm.heap
    spaces = [("eden", heap.eden_used_bytes), ("survivor", heap.survivor_used_bytes), ("old", heap.old_used_bytes)]
    told = ", ".join(f"{name} {long_size(size)}" for name, size in spaces if size is not None)
    most = "" if heap.heap_max_bytes is None else f", at most {long_size(heap.heap_max_bytes)}"
    lines = [
        f"Heap {long_size(heap.heap_used_bytes)} used of {long_size(heap.heap_capacity_bytes)} committed{most}"
        + (f": {told}." if told else ".")
    ]
    if heap.metaspace_used_bytes is not None:
        classes = "" if heap.loaded_classes is None else f", {heap.loaded_classes:,} classes"
        lines.append(f"Metaspace {long_size(heap.metaspace_used_bytes)}{classes}.")
    cause = f", the last for {heap.last_cause}" if heap.last_cause and heap.last_cause != "No GC" else ""
    lines.append(
        f"{heap.young_gcs:,} young and {heap.major_gcs:,} major collections, {duration(heap.gc_time_s)} stopped for "
        f"them since the start{cause}." + (f" {heap.threads:,} threads." if heap.threads is not None else "")
    )
    if jvm.parts is not None and jvm.parts.notable_native:
        lines.append(
            f"RES is {long_size(jvm.parts.native_bytes)} beyond the heap: -Xmx bounds the heap, not the process."
        )
    if jvm.parts is not None and jvm.parts.not_resident_bytes > 1 << 20:
        lines.append(f"{long_size(jvm.parts.not_resident_bytes)} of the committed heap have never been touched.")
    return lines


def gogc_words(go: GoInside) -> str:
    """What other values of GOGC would mean for RES."""
    choices = [choice for choice in go.choices if choice.gogc_percent in (50, 100, 200)]
    if not choices or (go.growth.live_bytes or 0) < 4 << 20:
        return ""
    told = [
        f"GOGC={choice.gogc_percent:.0f} about {long_size(choice.rss_bytes)}"
        + ("" if choice.gc_per_s is None else f", a GC {_often(choice.gc_per_s)}")
        for choice in choices
    ]
    return f"RES at the top of a GC cycle, with the live heap of now: {'; '.join(told)}."


def limit_words(limit: LimitAdvice | None) -> tuple[str, bool]:
    """What to say of GOMEMLIMIT, and whether it is bad; empty where there is nothing to say."""
    if limit is None:
        return "", False
    advised = ""
    if limit.advised_bytes is not None and limit.container_bytes is not None:
        advised = (
            f" About {long_size(limit.advised_bytes)} would fit: 90 % of the container's "
            f"{long_size(limit.container_bytes)}, less what is not Go's."
            if limit.enough is not False
            else f" Even 90 % of the container's {long_size(limit.container_bytes)} is less than it needs: the "
            "container is too small."
        )
    set_to = long_size(limit.gomemlimit_bytes)
    if limit.fit is LimitFit.BELOW_NEED:
        cpu = "" if limit.gc_cpu_fraction is None else f", {100 * limit.gc_cpu_fraction:.0f} % of CPU since the start"
        faults = "" if limit.minflt_per_s is None else f", {count(limit.minflt_per_s)} page faults/s"
        need = (
            ""
            if limit.need_bytes is None
            else f" Live heap, stacks and runtime alone take {long_size(limit.need_bytes)}."
        )
        return (
            f"GOMEMLIMIT={set_to} is less than it needs, so it does little but collect: {_often(limit.gc_per_s or 0)}"
            f"{cpu}{faults}.{need} Raise it; it is no hard limit and saves nothing here.{advised}",
            True,
        )
    if limit.fit is LimitFit.ABOVE_CONTAINER:
        return (
            f"GOMEMLIMIT={set_to} is above the container's limit: the kernel kills before Go holds back.{advised}",
            True,
        )
    if limit.fit is LimitFit.UNSET:
        near = " The next GC's goal comes close to it." if limit.near else ""
        return f"GOMEMLIMIT is not set in a container with a memory limit.{near}{advised}", limit.near
    return "", False


def freed_words(inside: Inside) -> str:
    """What this version does with memory that it gives back, and what that means for RES now."""
    release = inside.build.release if inside.build is not None else None
    built_in = inside.build.setting("DefaultGODEBUG") if inside.build is not None else None
    given = inside.settings.debug("madvdontneed", built_in) if inside.settings is not None else None
    how = freed_memory(release, given)
    lazy = inside.lazy_free_bytes
    if how is FreedMemory.DONTNEED:
        return "It returns memory by MADV_DONTNEED: RES falls at once, within minutes after a peak."
    if how is FreedMemory.FREE:
        amount = f" {long_size(lazy)} of RES are such pages now (LazyFree)." if lazy else ""
        return (
            "It returns memory by MADV_FREE: RES does not fall until the kernel wants the pages."
            f"{amount} GODEBUG=madvdontneed=1 makes RES fall at once."
        )
    return ""


def from_outside(inside: Inside, detail: Detail) -> list[str]:
    """A Go program without metrics: what the kernel's view tells, and how to get more."""
    row, lines = detail.row, []
    if inside.arenas:
        told = ", ".join(
            f"{each.title} {long_size(each.rss_bytes)} of {long_size(each.size_bytes)}" for each in inside.arenas
        )
        lines.append(f"In RAM, of its mappings read {duration(inside.arenas_age_s)} ago: {told}.")
    elif row.anon_bytes is not None:
        lines.append(
            f"Of RES {long_size(row.rss_bytes)}, {long_size(row.anon_bytes)} are anonymous: heap, stacks, runtime and "
            "what is outside of Go. R reads its mappings and tells the heap apart."
        )
    if words := freed_words(inside):
        lines.append(words)
    return lines


def how_to_get_metrics(inside: Inside) -> list[str]:
    """How a Go program is made to tell more."""
    if inside.suggested:
        return [f"It listens here; if it offers metrics, U asks one of: {', '.join(inside.suggested[:6])}."]
    return [
        'For its heap, GCs and a verdict: import _ "expvar" (or client_golang), with an HTTP server on 127.0.0.1, then '
        "press U, or start memtop with --go-url PID=URL. memtop asks no address unasked."
    ]


def _per_min(per_s: float | None) -> str:
    return "unknown" if per_s is None else f"{_signed(per_s * 60)}/min"


def _rate(per_s: float | None) -> str:
    return "at an unknown rate" if per_s is None else f"{long_size(per_s)}/s"


def _count_per_min(per_s: float | None) -> str:
    if per_s is None:
        return "an unknown number of"
    return f"{'+' if per_s > 0 else '-' if per_s < 0 else ''}{count(abs(per_s) * 60)}/min"


def _signed(size_bytes: float) -> str:
    return f"{'+' if size_bytes > 0 else ''}{long_size(size_bytes)}"


def _often(per_s: float) -> str:
    if per_s >= 0.95:
        return f"{per_s:.0f} times a second" if per_s >= 9.5 else f"{per_s:.1f} times a second"
    if per_s >= 0.7:
        return "once a second"
    return f"every {duration(1 / per_s)}" if per_s > 0 else "not lately"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _pause(time_ns: float) -> str:
    return f"{time_ns / 1e6:.3g} ms" if time_ns >= 1e6 else f"{time_ns / 1e3:.0f} us"
