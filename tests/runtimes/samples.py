"""A Go program and a JVM to explain, from recorded runs, with every number known."""

from __future__ import annotations

from typing import Final

from memtop.runtimes.go.advice import gogc_choices, judge_limit
from memtop.runtimes.go.breakdown import break_down
from memtop.runtimes.go.buildinfo import GoBuild
from memtop.runtimes.go.environ import GoSettings
from memtop.runtimes.go.facts import go_facts
from memtop.runtimes.go.growth import judge_go
from memtop.runtimes.jvm.facts import jvm_facts
from memtop.runtimes.jvm.growth import break_down_jvm, judge_jvm
from tests.lab.points import go_points, jvm_points, lines

BUILD: Final = GoBuild("go1.19.8", "x", None)
SETTINGS: Final = GoSettings(godebug="madvdontneed=0")
_POINTS: Final = [p._replace(heap=p.heap._replace(goroutines=12 + n)) for n, p in enumerate(go_points("returned_free"))]
_LINE: Final = lines("returned_free")[-1]
GO_HEAP: Final = _POINTS[-1].heap
GO_GROWTH: Final = judge_go(_POINTS, SETTINGS)
GO_PARTS: Final = break_down(GO_HEAP, _LINE["rss"], _LINE["anon"], _LINE["lazy_free"], GO_GROWTH.live_bytes)
GO_FACTS: Final = go_facts(
    build=BUILD,
    settings=SETTINGS,
    heap=GO_HEAP,
    parts=GO_PARTS,
    growth=GO_GROWTH,
    limit=judge_limit(GO_HEAP, GO_PARTS, SETTINGS.gomemlimit_bytes, 512 << 20),
    choices=gogc_choices(GO_PARTS, GO_GROWTH.alloc_bytes_per_s),
)

_JVM_LINE: Final = lines("jvm_leak")[-1]
JVM_HEAP: Final = jvm_points("jvm_leak")[-1].heap
JVM_GROWTH: Final = judge_jvm(jvm_points("jvm_leak"))
JVM_PARTS: Final = break_down_jvm(JVM_HEAP, _JVM_LINE["rss"], _JVM_LINE["anon"], JVM_GROWTH.live_bytes)
JVM_FACTS: Final = jvm_facts(JVM_HEAP, JVM_PARTS, JVM_GROWTH)
