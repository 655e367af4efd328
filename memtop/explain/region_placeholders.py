"""Values of the placeholders in topics about regions: sizes of all mappings, of one kind, of one mapping.

The name of a mapping, which a program may choose, is a fact only of the mapping that was asked for. An unknown number
has no fact, and a paragraph that names one is not shown.
"""

from __future__ import annotations

from typing import Final

from memtop.analysis.memory_map.moment import has_moved
from memtop.analysis.memory_map.region_kinds import RegionKind
from memtop.analysis.memory_map.regions import Regions
from memtop.analysis.memory_map.vm_flags import in_words
from memtop.model.row import ProcessRow
from memtop.procfs.smaps_rollup import Rollup
from memtop.sampling.smaps.smaps_view import Reading
from memtop.sanitize import clean
from memtop.units import duration, long_size, percent

BESIDE_NOW: Final = frozenset({"lazyfree", "private_counts", "pss", "uss", "virt_matters"})
"""Topics that put a number of the mappings beside RES, ANON or VIRT, which are those of now otherwise."""


def facts_of_regions(regions: Regions, kind: RegionKind | None = None) -> dict[str, str]:
    """Facts of all mappings and, if ``kind`` occurs among them, of the mappings of that kind."""
    split, total = regions.split(), regions.total()
    facts: dict[str, str | None] = {
        "mappings": f"{len(regions):,}",
        "split_virt": long_size(split.virt_bytes),
        "split_reserved": long_size(split.reserved_bytes),
        "split_untouched": long_size(split.untouched_bytes),
        "split_resident": long_size(split.resident_bytes),
        "hugetlb_pages": long_size(split.hugetlb_bytes),
        "pss": _size(total.pss_bytes),
        "private_dirty": _size(total.private_dirty_bytes),
    }
    one = next((one for one in regions.by_kind() if one.kind is kind), None)
    if one is not None:
        facts |= {
            "kind_count": f"{one.count:,}",
            "kind_size": long_size(one.sizes.size_bytes),
            "kind_rss": _size(one.sizes.rss_bytes),
            "kind_dirty": _size(one.sizes.private_dirty_bytes),
            "kind_swap": _size(one.sizes.swap_bytes),
        }
    return _known(facts)


def sizes_then(row: ProcessRow, reading: Reading, age_s: float | None) -> dict[str, str]:
    """RES, ANON and VIRT at the time of the reading, where the current ones differ too much to be combined with it.

    Where only a part of the mappings was read, its sums are no such sizes, and only the age is added.
    """
    pairs = (
        ("rss", reading.rollup.rss_bytes, row.rss_bytes),
        ("anon", reading.rollup.number("Anonymous"), row.anon_bytes),
        ("virt", reading.split.virt_bytes, row.virt_bytes),
    )
    if not reading.is_whole:
        of_part = f"now; the mappings are a part, read {duration(age_s)} ago"
        return {name: f"{long_size(now)} ({of_part})" for name, _, now in pairs if now is not None}
    return {
        name: f"{long_size(then)} ({duration(age_s)} ago; now {long_size(now)})"
        for name, then, now in pairs
        if has_moved(then, now)
    }


def facts_of_rollup(rollup: Rollup) -> dict[str, str]:
    """Facts of smaps_rollup."""
    uss, rss = rollup.uss_bytes, rollup.rss_bytes
    return _known(
        {
            "pss": _size(rollup.pss_bytes),
            "uss": _size(uss),
            "uss_percent": percent(100 * uss / rss) if uss is not None and rss else None,
            "private_dirty": _size(rollup.private_dirty_bytes),
            "private_clean": _size(rollup.private_clean_bytes),
            "shared_dirty": _size(rollup.number("Shared_Dirty")),
            "shared_clean": _size(rollup.number("Shared_Clean")),
            "lazyfree": _size(rollup.number("LazyFree")),
            "anon_huge": _size(rollup.number("AnonHugePages")),
        }
    )


def mapping_sentence(regions: Regions, start: int) -> str:
    """One mapping with its flags in words. The caller cleans its name."""
    place = regions.smaps.starts.index(start)
    region = regions[place]
    mapping, sizes = region.mapping, region.sizes
    name = f" {clean(mapping.name)}" if mapping.name else ""
    flags = mapping.flags
    says = f" Flags: {', '.join(in_words(flags))}." if flags else ""
    return (
        f"{mapping.start:x}-{mapping.end:x} {mapping.perms}{name}: {region.kind.title}, "
        f"{long_size(sizes.size_bytes)}, of which {long_size(sizes.rss_bytes)} are resident.{says}"
    )


def _size(size_bytes: int | None) -> str | None:
    return None if size_bytes is None else long_size(size_bytes)


def _known(facts: dict[str, str | None]) -> dict[str, str]:
    return {name: text for name, text in facts.items() if text is not None}
