"""A sentence only where the numbers call for it."""

from __future__ import annotations

import pytest

from memtop.runtimes.native.advice import Advice, Observed, advise
from memtop.runtimes.native.recognition import Allocator, Arenas, Native, Runtime

MIB = 1 << 20
C = Native(None, None, Allocator.GLIBC)
PYTHON = Native(Runtime.CPYTHON, "3.11", Allocator.GLIBC)
NODE = Native(Runtime.NODE, None, Allocator.GLIBC)
KEPT = Observed(500 * MIB, 900 * MIB, 510 * MIB, 480 * MIB, 0, minflt_per_s=1.0, flat_s=900.0)


@pytest.mark.parametrize(
    ("case", "native", "seen", "advice"),
    [
        ("small", C, Observed(5 * MIB, 10 * MIB, 5 * MIB, 4 * MIB, 0, 0.0, 9999.0), ()),
        ("nothing known", Native(None, None, None), Observed(500 * MIB), ()),
        ("still busy", C, Observed(500 * MIB, None, 500 * MIB, None, 0, 5000.0, 900.0), ()),
        ("not flat for long", C, Observed(500 * MIB, None, 500 * MIB, None, 0, 1.0, 60.0), ()),
        ("kept", C, KEPT, (Advice.KEPT_AFTER_PEAK, Advice.TRIM)),
        ("kept by python", PYTHON, KEPT, (Advice.KEPT_AFTER_PEAK, Advice.PYMALLOC, Advice.TRIM)),
        (
            "kept by jemalloc",
            Native(None, None, Allocator.JEMALLOC),
            KEPT,
            (Advice.KEPT_AFTER_PEAK, Advice.JEMALLOC_DECAY),
        ),
        (
            "kept by tcmalloc",
            Native(None, None, Allocator.TCMALLOC),
            KEPT,
            (Advice.KEPT_AFTER_PEAK, Advice.TCMALLOC_RELEASE),
        ),
        (
            "kept by mimalloc",
            Native(None, None, Allocator.MIMALLOC),
            KEPT,
            (Advice.KEPT_AFTER_PEAK, Advice.MIMALLOC_PURGE),
        ),
        ("kept by Go", Native(Runtime.GO, None, None), KEPT, (Advice.KEPT_AFTER_PEAK,)),
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
        (
            "node near its limit",
            NODE,
            Observed(950 * MIB, anon_bytes=900 * MIB, old_space_bytes=1000 * MIB),
            (Advice.NODE_NEAR_OLD_SPACE,),
        ),
        (
            "node beyond it",
            NODE,
            Observed(950 * MIB, anon_bytes=900 * MIB, old_space_bytes=500 * MIB),
            (Advice.NODE_OUTSIDE_HEAP,),
        ),
        ("node far from it", NODE, Observed(950 * MIB, anon_bytes=900 * MIB, old_space_bytes=4000 * MIB), ()),
        ("node without a limit given", NODE, Observed(950 * MIB, anon_bytes=900 * MIB), ()),
    ],
)
def test_a_sentence_is_said_only_where_numbers_call_for_it(
    case: str, native: Native, seen: Observed, advice: tuple[Advice, ...]
) -> None:
    assert advise(native, seen) == advice, case
