"""What the readings of a runtime mean: the judgement that its panel shows, and what the findings are told.

What judges one kind of runtime is imported with the first of that kind.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from memtop.model.runtime_view import Arena, GoInside, HeapFacts, HeapPoint, Inside, JvmInside

if TYPE_CHECKING:
    from memtop.introspection.dossier import RuntimeDossier
    from memtop.model.frame import ProcessRow
    from memtop.runtimes.go.growth import GoPoint
    from memtop.runtimes.jvm.growth import JvmPoint
    from memtop.runtimes.native.advice import Advice
    from memtop.sampling.sample import Sample
    from memtop.sampling.smaps.smaps_view import Reading

NEW_S: Final = 10.0
"""Older figures of a runtime say nothing of now."""
VERDICT_S: Final = 10.0
"""How often the verdict on its heap is found anew while its panel is not on screen: 5 ms for all its points."""


def heap_facts(file: RuntimeDossier, row: ProcessRow, at_s: float) -> HeapFacts | None:
    """For the findings, whatever panel is open; None where its runtime has told nothing."""
    if not file.go and not file.jvm:
        limit = _limit_bytes(file.settings.gomemlimit_bytes) if file.settings is not None else None
        return None if limit is None else HeapFacts(limit, frees_lazily=file.frees_lazily)
    if file.trouble or file.heap_s is None or at_s - file.heap_s > NEW_S:
        return None
    if file.verdict is None or at_s - file.verdict[0] >= VERDICT_S:
        file.verdict = at_s, _heap_verdict(file)
    facts = _jvm_facts(file, row) if file.jvm else _go_facts(file)
    found = file.verdict[1]
    return facts._replace(
        alarm=found.alarm,
        live_bytes=found.live_bytes,
        steady_live_bytes=found.steady_live_bytes,
        surviving_bytes_per_s=found.surviving_bytes_per_s,
        frees_lazily=file.frees_lazily and not file.jvm,
    )


def inside(
    file: RuntimeDossier | None,
    row: ProcessRow,
    at_s: float,
    reading: Reading | None,
    *,
    lazy_free_bytes: int | None,
    sample: Sample | None,
) -> Inside:
    """For the panel, at the instant shown; ``sample`` is the last one, whatever that instant is."""
    if file is None or (file.identity is None and not file.strange and not file.go):
        return Inside(waiting=row.rss_bytes is not None and row.gone_s is None)
    state = (at_s, len(file.go), len(file.jvm), file.heap_s, file.identity, file.trouble, file.suggested, row)
    if file.judged is None or file.judged[0] != (*state, id(reading)):
        file.judged = (
            (*state, id(reading)),
            _judge(file, row, at_s, reading, lazy_free_bytes=lazy_free_bytes, sample=sample),
        )
    return file.judged[1]


def _judge(
    file: RuntimeDossier,
    row: ProcessRow,
    at_s: float,
    reading: Reading | None,
    *,
    lazy_free_bytes: int | None,
    sample: Sample | None,
) -> Inside:
    identity = file.identity
    go = [point for point in file.go if point.time_s <= at_s]
    jvm = [point for point in file.jvm if point.time_s <= at_s]
    points = [HeapPoint(p.time_s, p.heap.heap_alloc_bytes, p.heap.heap_objects, p.heap.num_gc) for p in go] + [
        HeapPoint(p.time_s, p.heap.heap_used_bytes, None, p.heap.young_gcs + p.heap.major_gcs) for p in jvm
    ]
    told = Inside(
        waiting=False,
        build=identity.build if identity is not None else None,
        native=identity.native if identity is not None else None,
        settings=file.settings,
        flags=file.flags,
        url=file.url or _label(file.asked_url),
        suggested=file.suggested,
        trouble=file.trouble,
        strange=file.strange,
        age_s=None if file.heap_s is None else max(0.0, at_s - file.heap_s),
        points=tuple(points),
        lazy_free_bytes=lazy_free_bytes,
        container_bytes=file.container.limit_bytes if file.container is not None else None,
        malloc=identity.arenas if identity is not None else None,
    )
    if reading is not None:
        own = ("go_", "jvm_", "v8_")
        arenas = [each for each in reading.kinds if each.kind.key.startswith(own) and each.sizes.rss_bytes]
        told = told._replace(
            arenas=tuple(Arena(each.kind.title, each.sizes.size_bytes, each.sizes.rss_bytes) for each in arenas),
            arenas_age_s=max(0.0, at_s - reading.at_s),
        )
    if go:
        return told._replace(go=_judge_go(go, file, row, lazy_free_bytes or 0))
    if jvm:
        return told._replace(jvm=_judge_jvm(jvm, row))
    return told._replace(advice=_advice(file, row, lazy_free_bytes, sample))


def _advice(
    file: RuntimeDossier, row: ProcessRow, lazy_free_bytes: int | None, sample: Sample | None
) -> tuple[Advice, ...]:
    from memtop.runtimes.native.advice import Observed, advise
    from memtop.runtimes.native.recognition import Runtime, old_space_bytes

    if file.identity is None or row.rss_bytes is None:
        return ()
    old_space = None
    if file.identity.native.runtime is Runtime.NODE:
        argv = [os.fsdecode(argument) for argument in (row.command_raw or b"").split(b"\0")]
        old_space = old_space_bytes(argv)
    observed = Observed(
        rss_bytes=row.rss_bytes,
        virt_bytes=row.virt_bytes,
        peak_rss_bytes=row.peak_rss_bytes,
        anon_bytes=row.anon_bytes,
        lazy_free_bytes=lazy_free_bytes,
        minflt_per_s=row.minflt_per_s,
        flat_s=_flat_s(row, sample),
        arenas=file.identity.arenas,
        cores=os.cpu_count(),
        old_space_bytes=old_space,
    )
    return advise(file.identity.native, observed)


def _label(url: str) -> str:
    """An address as it may be shown."""
    return url.partition("?")[0]


def _flat_s(row: ProcessRow, sample: Sample | None) -> float | None:
    """For how long RES has been flat: the whole of its trend, at least; None where it moves."""
    levels = [level for level in row.trend if level is not None]
    flat = len(levels) == len(row.trend) and len(set(levels)) <= 1
    if not flat or sample is None or row.started_s is None:
        return None
    return sample.wall_s - row.started_s if (row.growth_bytes_per_min or 0) == 0 else None


def _limit_bytes(gomemlimit_bytes: float) -> int:
    """GOMEMLIMIT, 0 for none."""
    return 0 if gomemlimit_bytes == float("inf") else int(gomemlimit_bytes)


def _heap_verdict(file: RuntimeDossier) -> HeapFacts:
    """The finding that its own figures call for, and what is alive after a collection."""
    from memtop.runtimes.go.environ import GoSettings
    from memtop.runtimes.go.growth import GoVerdict, judge_go
    from memtop.runtimes.jvm.growth import JvmVerdict, judge_jvm
    from memtop.runtimes.jvm.survivors import rising_survivors_per_s

    if file.jvm:
        points = list(file.jvm)
        jvm = judge_jvm(points)
        return HeapFacts(
            alarm={JvmVerdict.LEAK: "heap_leak", JvmVerdict.HEAP_FULL: "heap_full"}.get(jvm.verdict, ""),
            live_bytes=jvm.live_bytes,
            steady_live_bytes=jvm.live_bytes if jvm.verdict in (JvmVerdict.STEADY, JvmVerdict.PRESSURE) else None,
            surviving_bytes_per_s=rising_survivors_per_s(points) if jvm.verdict is JvmVerdict.WAITING else None,
        )
    go = judge_go(list(file.go), file.settings or GoSettings())
    alarms = {
        GoVerdict.LEAK_OBJECTS: "heap_leak",
        GoVerdict.BIGGER_OBJECTS: "heap_leak",
        GoVerdict.GOROUTINE_LEAK: "goroutines",
    }
    return HeapFacts(
        alarm=alarms.get(go.verdict, ""),
        live_bytes=go.live_bytes,
        steady_live_bytes=go.live_bytes if go.verdict in (GoVerdict.STEADY, GoVerdict.PRESSURE) else None,
    )


def _go_facts(file: RuntimeDossier) -> HeapFacts:
    from memtop.runtimes.go.breakdown import held_bytes, outside_bytes
    from memtop.runtimes.go.growth import gc_per_s

    last = file.go[-1]
    heap = last.heap
    limit = heap.gomemlimit_bytes
    if limit is None and file.settings is not None:
        limit = file.settings.gomemlimit_bytes
    goal, lazy = heap.next_gc_bytes, last.lazy_free_bytes or 0
    return HeapFacts(
        limit_bytes=None if limit is None else _limit_bytes(limit),
        next_gc_bytes=None if goal is None or goal == float("inf") else int(goal),
        held_bytes=held_bytes(heap),
        gc_per_s=gc_per_s(file.go),
        gc_cpu_percent=None if heap.gc_cpu_fraction is None else 100 * heap.gc_cpu_fraction,
        outside_bytes=None if last.anon_bytes is None else outside_bytes(heap, last.anon_bytes, lazy),
        outside_of_bytes=None if last.anon_bytes is None else last.anon_bytes - lazy,
    )


def _jvm_facts(file: RuntimeDossier, row: ProcessRow) -> HeapFacts:
    """Stacks, JIT code and buffers are a JVM's usual share outside of its heap: only what is far beyond is told."""
    from memtop.runtimes.jvm.growth import break_down_jvm

    if row.rss_bytes is None or row.anon_bytes is None:
        return HeapFacts()
    parts = break_down_jvm(file.jvm[-1].heap, row.rss_bytes, row.anon_bytes)
    return (
        HeapFacts(outside_bytes=parts.native_bytes, outside_of_bytes=row.anon_bytes)
        if parts.notable_native
        else HeapFacts()
    )


def _judge_go(points: list[GoPoint], file: RuntimeDossier, row: ProcessRow, lazy_free_bytes: int) -> GoInside:
    from memtop.runtimes.go.breakdown import break_down, identities
    from memtop.runtimes.go.environ import GoSettings
    from memtop.runtimes.go.growth import judge_go
    from memtop.runtimes.go.limits import gogc_choices, judge_limit

    settings = file.settings or GoSettings()
    growth, heap = judge_go(points, settings), points[-1].heap
    rss, anon = row.rss_bytes, row.anon_bytes
    if rss is None or anon is None:
        return GoInside(heap, None, identities(heap), growth, None, ())
    parts = break_down(heap, rss, anon, lazy_free_bytes, growth.live_bytes)
    container = file.container
    others = container.anon_bytes - anon if container is not None and container.anon_bytes is not None else 0
    limit = judge_limit(
        heap,
        parts,
        file.settings.gomemlimit_bytes if file.settings is not None else None,
        container.limit_bytes if container is not None else None,
        gc_per_s=growth.gc_per_s,
        minflt_per_s=growth.minflt_per_s,
        others_bytes=max(0, others),
    )
    choices = gogc_choices(parts, growth.alloc_bytes_per_s, limit.gomemlimit_bytes or float("inf"))
    return GoInside(heap, parts, identities(heap), growth, limit, choices)


def _judge_jvm(points: list[JvmPoint], row: ProcessRow) -> JvmInside:
    from memtop.runtimes.jvm.growth import break_down_jvm, judge_jvm

    growth, heap = judge_jvm(points), points[-1].heap
    parts = None
    if row.rss_bytes is not None and row.anon_bytes is not None:
        parts = break_down_jvm(heap, row.rss_bytes, row.anon_bytes, growth.live_bytes)
    return JvmInside(heap, parts, growth)
