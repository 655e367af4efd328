"""A process's ledger: parts that add up to VIRT."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memtop.analysis.ledger.process import ProcessPart, ProcessSizes, address_ledger
from memtop.procfs.status import parse_status

MIB = 1 << 20
SIZES = st.none() | st.integers(0, 1 << 47)


@given(st.builds(ProcessSizes, *[SIZES] * len(ProcessSizes._fields)))
def test_parts_add_up_whatever_status_says(sizes: ProcessSizes) -> None:
    ledger = address_ledger(sizes)
    assert (ledger is None) == (None in (sizes.rss_bytes, sizes.virt_bytes))
    if ledger is not None:
        assert sum(part.size_bytes for part in ledger.parts) == ledger.whole_bytes
        assert all(0 <= part.size_bytes <= ledger.whole_bytes for part in ledger.parts)


def test_huge_pages_are_ram_beside_res_and_not_address_space_without_ram() -> None:
    """ "259 MiB has no RAM behind it" stood on one screen with "huge 256M 94 %"."""
    status = parse_status(
        b"Name:\tdb\nVmSize:\t 278528 kB\nVmRSS:\t 13312 kB\nRssAnon:\t 4096 kB\nRssFile:\t 9216 kB\nRssShmem:\t 0 kB\n"
        b"VmSwap:\t 0 kB\nHugetlbPages:\t 262144 kB\n"
    )
    sizes = ProcessSizes(status.virt_bytes, status.rss_bytes, status.swap_bytes, status.hugetlb_bytes)
    address = address_ledger(sizes)
    assert address is not None
    assert address.size_of(ProcessPart.NO_RAM) == 3 * MIB
