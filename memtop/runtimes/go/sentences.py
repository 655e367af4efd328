"""Sentences of the Runtime panel about a Go program: how its verdict, parts, limits and advice are worded."""

from __future__ import annotations

import math
from typing import NamedTuple

from memtop.analysis.limits.gomemlimit import LimitFit
from memtop.analysis.trend.collection_floors import LEAST_CYCLES, LEAST_SPAN_S
from memtop.runtimes.go.advice import FreedMemory, GogcChoice, LimitAdvice, freed_memory, knows_memory_limit
from memtop.runtimes.go.breakdown import Breakdown, Check
from memtop.runtimes.go.buildinfo import GoBuild
from memtop.runtimes.go.environ import GoSettings
from memtop.runtimes.go.growth import GoGrowth, GoVerdict
from memtop.runtimes.go.heap import GoHeap
from memtop.runtimes.view import Arena, KernelFigures, Notice, Part, Verdict
from memtop.runtimes.wording import count_per_min, how_often, per_min, per_second, signed
from memtop.units import count, counted, duration, long_size


class GoJudgement(NamedTuple):
    """A Go program's figures compared with the kernel's, and their meaning."""

    heap: GoHeap
    parts: Breakdown | None
    """None if the kernel's figures are missing."""
    checks: tuple[Check, ...]
    growth: GoGrowth
    limit: LimitAdvice | None
    choices: tuple[GogcChoice, ...]


def title(build: GoBuild | None, settings: GoSettings | None, heap: GoHeap | None) -> str:
    """The version of Go, and its settings."""
    version = build.version if build is not None else None
    name = (version or (heap.version if heap is not None else None) or "go, version unknown").removeprefix("go")
    return f"Go {name.removeprefix(', ')}{_settings(build, settings, heap)}"


def _settings(build: GoBuild | None, settings: GoSettings | None, heap: GoHeap | None) -> str:
    if heap is not None and heap.gogc_percent is not None:
        limit = heap.gomemlimit_bytes
        gogc = "off" if math.isinf(heap.gogc_percent) else f"{heap.gogc_percent:.0f}"
        if limit is None:
            return f", GOGC {gogc} in force"
        return f", GOGC {gogc} and GOMEMLIMIT {'none' if math.isinf(limit) else long_size(limit)} in force"
    if settings is None:
        return ", settings not readable"
    limit_text = settings.gomemlimit or "not set"
    if knows_memory_limit(build.release if build is not None else None) is False:
        limit_text = "unknown to this version"
    debug = f", GODEBUG {settings.godebug}" if settings.godebug else ""
    return f", GOGC {settings.gogc or 'not set (100)'}, GOMEMLIMIT {limit_text}{debug}"


def go_parts(parts: Breakdown, *, collected: bool) -> list[Part]:
    """RES in parts. Parts that can leak come first. ``collected``: what is alive is known, because a GC was seen."""
    found = [
        ("live", "live heap", "live", parts.live_bytes)
        if collected
        else ("live", "heap in use, no GC seen yet", "in use", parts.live_bytes),
        ("garbage", "garbage and new objects", "since GC", parts.garbage_bytes)
        if collected
        else ("garbage", "holes between objects", "holes", parts.garbage_bytes),
        ("idle", "idle, kept for reuse", "idle", parts.idle_bytes),
        ("freed", "returned, not reclaimed yet (LazyFree)", "lazyfree", parts.freed_bytes),
        ("stacks", "goroutine stacks", "stacks", parts.stacks_bytes),
        ("runtime", "Go's own tables", "runtime", parts.runtime_bytes),
        ("outside", "outside of Go", "outside", parts.outside_bytes),
        ("unknown", "not separated", "unknown", parts.unaccounted_bytes),
        ("files", "binary and files", "files", parts.files_bytes),
    ]
    return [Part(key, name, short, size) for key, name, short, size in found if size]


def go_verdict(go: GoJudgement) -> Verdict:
    """The verdict with its evidence and the next step."""
    growth = go.growth
    seen = f"{counted(len(growth.cycles), 'GC')} in {duration(growth.span_s)}"
    live, objects = per_min(growth.live_bytes_per_s), count_per_min(growth.objects_per_s)
    rate = growth.gc_per_s
    often = "" if rate is None else f" and collects {how_often(rate)}"
    found = {
        GoVerdict.WAITING: (
            "No verdict yet",
            f"A verdict needs {LEAST_CYCLES} GCs over {LEAST_SPAN_S:.0f} s; so far {seen}.",
            "A program that allocates little may need minutes; load makes it faster.",
        ),
        GoVerdict.STEADY: ("No leak", f"What is left after each GC stays level ({seen}).", ""),
        GoVerdict.PRESSURE: (
            "Allocation pressure, no leak",
            f"What is left after each GC stays level, but it allocates {per_second(growth.alloc_bytes_per_s)}{often}.",
            "Reuse buffers (sync.Pool) and preallocate slices; pprof's allocs profile shows where. A higher GOGC "
            "trades RAM for fewer GCs.",
        ),
        GoVerdict.LEAK_OBJECTS: (
            "Probable leak: more and more objects",
            f"More is alive after each GC: {live}, objects {objects} ({seen}).",
            "Compare two heap profiles: go tool pprof -base first second, by inuse_objects. Look for maps and slices "
            "that only grow.",
        ),
        GoVerdict.BIGGER_OBJECTS: (
            "Objects get bigger",
            f"More is alive after each GC: {live}, in about as many objects ({seen}).",
            "Look for buffers and slices that are appended to: pprof's heap profile by inuse_space.",
        ),
        GoVerdict.GOROUTINE_LEAK: (
            "Probable goroutine leak",
            f"{counted(go.heap.goroutines, 'goroutine')}, {count_per_min(growth.goroutines_per_s)}, each with a stack "
            "and everything it refers to.",
            "See where they wait: /debug/pprof/goroutine?debug=1. Usually a channel that nothing reads, or a request "
            "without a timeout.",
        ),
        GoVerdict.OUTSIDE: (
            "Memory outside of the heap grows",
            f"The heap stays level; anonymous memory unknown to Go: {per_min(growth.outside_bytes_per_s)}.",
            "Look for cgo, mmap and C libraries; pprof does not see them. The Regions panel shows where it is.",
        ),
    }
    return Verdict(*found[growth.verdict], bad=growth.verdict.growing)


def account(go: GoJudgement, pid: int, *, lazy_free_unread: bool = False) -> list[str]:
    """What RES does not count, whether the identities hold, and how far the two accounts differ."""
    parts, found = go.parts, []
    if parts is None:
        return ["RES is unknown, and so are its parts."]
    aside = []
    if parts.returned_bytes:
        where = "not in RES"
        if lazy_free_unread:
            where = "and still in RES until the kernel reclaims it; how much is unknown"
        elif parts.freed_bytes:
            where = f"and {long_size(parts.freed_bytes)} of it still in RES until the kernel reclaims it (LazyFree)"
        aside.append(f"{long_size(parts.returned_bytes)} returned to the kernel (in VIRT and HeapSys, {where})")
    if parts.not_resident_bytes > 1 << 20:
        aside.append(
            f"{long_size(parts.not_resident_bytes)} that Go counts but RES does not (no RAM behind it now, or on swap)"
        )
    if aside:
        found.append(f"In addition:  {'; '.join(aside)}.")
    broken = [check for check in go.checks if not check.holds]
    if broken:
        missed = "; ".join(f"{check.identity.value} is off by {count(check.residual)}" for check in broken)
        found.append(f"These figures do not add up: {missed}.")
    elif go.checks:
        residual = parts.residual_bytes
        rest = "" if residual is None else f"; anonymous memory minus (Sys - HeapReleased) is {signed(residual)}"
        found.append(f"Go's figures add up ({len(go.checks)} of {len(go.checks)} identities){rest}.")
    far = parts.outside_bytes is not None and parts.outside_bytes > 0.7 * parts.rss_bytes and parts.notable_outside
    inuse = go.heap.heap_inuse_bytes or 0
    if far or inuse > 1.5 * parts.rss_bytes + (32 << 20):
        found.append(
            f"Go's figures and RES are far apart. Unless you expect that, check that they belong to process {pid}."
        )
    elif parts.notable_outside:
        found.append(
            f"{long_size(parts.outside_bytes)} is outside of Go: cgo, mmap, C libraries. pprof does not show it."
        )
    return found


def go_numbers(go: GoJudgement) -> str:
    """NextGC, rate, pauses, CPU, goroutines, as far as they are reported."""
    heap, growth, found = go.heap, go.growth, []
    if heap.next_gc_bytes is not None:
        goal = "no goal (GOGC=off)" if math.isinf(heap.next_gc_bytes) else f"at {long_size(heap.next_gc_bytes)}"
        found.append(f"next GC {goal}")
    if heap.num_gc is not None:
        rate = "" if growth.gc_per_s is None else f" ({how_often(growth.gc_per_s)})"
        found.append(f"{counted(heap.num_gc, 'GC')} since its start{rate}")
    if heap.num_gc and heap.pause_total_ns is not None:
        mean = heap.pause_total_ns / heap.num_gc
        longest = "" if heap.pause_max_ns is None else f", longest {_pause(heap.pause_max_ns)}"
        found.append(f"pauses {_pause(mean)} on average{longest}")
    if heap.gc_cpu_fraction is not None:
        found.append(f"{100 * heap.gc_cpu_fraction:.2g} % of CPU for GC")
    if growth.alloc_bytes_per_s is not None:
        found.append(f"allocates {per_second(growth.alloc_bytes_per_s)}")
    if heap.goroutines is not None:
        found.append(counted(heap.goroutines, "goroutine"))
    text = ", ".join(found)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def gogc_words(go: GoJudgement) -> str:
    """The effect of other values of GOGC on RES."""
    choices = [choice for choice in go.choices if choice.gogc_percent in (50, 100, 200)]
    if not choices or (go.growth.live_bytes or 0) < 4 << 20:
        return ""
    choices_text = [
        f"GOGC={choice.gogc_percent:.0f} about {long_size(choice.rss_bytes)}"
        + ("" if choice.gc_per_s is None else f", a GC {how_often(choice.gc_per_s)}")
        for choice in choices
    ]
    return f"RES at the top of a GC cycle, with the current live heap: {'; '.join(choices_text)}."


def limit_notice(limit: LimitAdvice | None) -> Notice | None:
    """A sentence about GOMEMLIMIT; None if there is nothing to say."""
    if limit is None:
        return None
    advised = ""
    if limit.advised_bytes is not None and limit.container_bytes is not None:
        advised = (
            f" About {long_size(limit.advised_bytes)} would fit: 90 % of the container's "
            f"{long_size(limit.container_bytes)}, minus what is outside of Go."
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
        return Notice(
            f"GOMEMLIMIT={set_to} is less than the program needs, so it does little but collect: "
            f"{how_often(limit.gc_per_s or 0)}{cpu}{faults}.{need} Raise it; it is not a hard limit and "
            f"saves nothing here.{advised}",
            True,
        )
    if limit.fit is LimitFit.ABOVE_CONTAINER:
        return Notice(
            f"GOMEMLIMIT={set_to} is above the container's limit: the kernel kills before Go saves memory.{advised}",
            True,
        )
    if limit.fit is LimitFit.UNSET:
        near = " The next GC's goal comes close to it." if limit.near else ""
        return Notice(f"GOMEMLIMIT is not set in a container with a memory limit.{near}{advised}", limit.near)
    return None


def freed_by(build: GoBuild | None, settings: GoSettings | None) -> FreedMemory:
    """How this program returns memory to the kernel."""
    built_in = build.setting("DefaultGODEBUG") if build is not None else None
    given = settings.debug("madvdontneed", built_in) if settings is not None else None
    return freed_memory(build.release if build is not None else None, given)


def freed_words(build: GoBuild | None, settings: GoSettings | None, lazy_free_bytes: int | None) -> str:
    """What this version does with memory that it frees, and what that means for RES now."""
    how = freed_by(build, settings)
    if how is FreedMemory.DONTNEED:
        return "It returns memory with MADV_DONTNEED, so RES falls within seconds to minutes after a peak."
    if how is FreedMemory.FREE:
        amount = f" {long_size(lazy_free_bytes)} of RES is such pages now (LazyFree)." if lazy_free_bytes else ""
        return (
            "It returns memory with MADV_FREE: RES does not fall until the kernel needs the pages."
            f"{amount} GODEBUG=madvdontneed=1 makes RES fall at once."
        )
    return ""


def from_outside(kernel: KernelFigures, arenas: tuple[Arena, ...], arenas_age_s: float | None, freed: str) -> list[str]:
    """A Go program without metrics: what the kernel shows, and how to get more."""
    lines = []
    if arenas:
        found = ", ".join(
            f"{each.title} {long_size(each.rss_bytes)} of {long_size(each.size_bytes)}" for each in arenas
        )
        lines.append(f"In RAM when its mappings were read, {duration(arenas_age_s)} ago: {found}.")
    elif kernel.anon_bytes is not None:
        lines.append(
            f"Of RES {long_size(kernel.rss_bytes)}, {long_size(kernel.anon_bytes)} is anonymous: heap, stacks, "
            "runtime, and memory outside of Go. R reads its mappings and identifies the heap."
        )
    return [*lines, freed] if freed else lines


def how_to_get_metrics(suggested: tuple[str, ...]) -> list[str]:
    """How a Go program can be made to report more."""
    if suggested:
        return [f"It listens on these addresses; if one serves metrics, U reads it: {', '.join(suggested[:6])}."]
    return [
        'For its heap, GCs and a verdict: import _ "expvar" (or client_golang), with an HTTP server on 127.0.0.1, then '
        "press U, or start memtop with --go-url PID=URL. memtop connects only to addresses that you give."
    ]


def _pause(time_ns: float) -> str:
    return f"{time_ns / 1e6:.3g} ms" if time_ns >= 1e6 else f"{time_ns / 1e3:.0f} us"
