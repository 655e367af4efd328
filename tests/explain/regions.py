"""A process whose regions are all known."""

from __future__ import annotations

from memtop.analysis.memory_map.region_kinds import RegionKind
from memtop.explain.region_placeholders import facts_of_regions, facts_of_rollup
from memtop.procfs.smaps_rollup import parse_rollup
from tests.analysis.memory_map.smaps_files import DATA, real_regions

REGION_FACTS = facts_of_regions(real_regions("threads"), RegionKind.ARENA) | facts_of_rollup(
    parse_rollup((DATA / "threads" / "smaps_rollup").read_bytes())
)
"""Every fact that topics about regions name."""
