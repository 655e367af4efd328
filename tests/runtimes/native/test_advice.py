"""A sentence only where the numbers call for it."""

from __future__ import annotations

import pytest

from memtop.runtimes.native.advice import Advice, Observed, advise
from memtop.runtimes.native.allocators import Allocator, Arenas
from memtop.runtimes.native.languages import advise_node

MIB = 1 << 20
C = Allocator.GLIBC
KEPT = Observed(500 * MIB, 900 * MIB, 510 * MIB, 480 * MIB, 0, minflt_per_s=1.0, flat_s=900.0)


@pytest.mark.parametrize(
    ("case", "allocator", "seen", "advice"),
    [
        ("small", C, Observed(5 * MIB, 10 * MIB, 5 * MIB, 4 * MIB, 0, 0.0, 9999.0), ()),
        ("nothing known", None, Observed(500 * MIB), ()),
        ("still busy", C, Observed(500 * MIB, None, 500 * MIB, None, 0, 5000.0, 900.0), ()),
        ("not flat for long", C, Observed(500 * MIB, None, 500 * MIB, None, 0, 1.0, 60.0), ()),
        ("kept", C, KEPT, (Advice.KEPT_AFTER_PEAK, Advice.TRIM)),
        ("kept by jemalloc", Allocator.JEMALLOC, KEPT, (Advice.KEPT_AFTER_PEAK, Advice.JEMALLOC_DECAY)),
        ("kept by tcmalloc", Allocator.TCMALLOC, KEPT, (Advice.KEPT_AFTER_PEAK, Advice.TCMALLOC_RELEASE)),
        ("kept by mimalloc", Allocator.MIMALLOC, KEPT, (Advice.KEPT_AFTER_PEAK, Advice.MIMALLOC_PURGE)),
        ("gave back", C, Observed(100 * MIB, None, 400 * MIB), (Advice.GAVE_BACK,)),
        ("freed", C, Observed(500 * MIB, None, None, None, 200 * MIB), (Advice.FREED_NOT_TAKEN,)),
        (
            "arenas in VIRT",
            C,
            Observed(60 * MIB, 3000 * MIB, arenas=Arenas(40, 2560 * MIB, 8 * MIB), cores=4),
            (Advice.ARENAS_IN_VIRT,),
        ),
        (
            "arenas in RES",
            C,
            Observed(600 * MIB, 3000 * MIB, arenas=Arenas(32, 2048 * MIB, 400 * MIB), cores=4),
            (Advice.ARENAS_IN_RES,),
        ),
        ("few arenas", C, Observed(60 * MIB, 300 * MIB, arenas=Arenas(4, 256 * MIB, 60 * MIB), cores=4), ()),
    ],
)
def test_a_sentence_is_said_only_where_numbers_call_for_it(
    case: str, allocator: Allocator | None, seen: Observed, advice: tuple[Advice, ...]
) -> None:
    assert advise(allocator, seen) == advice, case


def test_the_reason_of_a_runtime_to_keep_memory_comes_before_that_of_its_allocator() -> None:
    kept = (Advice.KEPT_AFTER_PEAK, Advice.PYMALLOC, Advice.TRIM)
    assert advise(Allocator.GLIBC, KEPT, kept_by=Advice.PYMALLOC) == kept


@pytest.mark.parametrize(
    ("limit_mib", "advice"),
    [(1000, [Advice.NODE_NEAR_OLD_SPACE]), (500, [Advice.NODE_OUTSIDE_HEAP]), (4000, []), (None, [])],
)
def test_node_is_compared_with_the_limit_of_its_heap(limit_mib: int | None, advice: list[Advice]) -> None:
    argv = ["node", *([f"--max-old-space-size={limit_mib}"] if limit_mib is not None else [])]
    assert advise_node(Observed(950 * MIB, anon_bytes=900 * MIB), argv) == advice
