"""Facts of regions: the process's own numbers in the topics, and none where nothing is known."""

from __future__ import annotations

import pytest

from memtop.analysis.memory_map.classification import classify
from memtop.analysis.memory_map.region_kinds import RegionKind
from memtop.explain.region_placeholders import facts_of_regions, facts_of_rollup
from memtop.explain.topic_loader import topic
from memtop.procfs.smaps import parse_smaps
from memtop.procfs.smaps_rollup import parse_rollup
from tests.analysis.memory_map.smaps_files import DATA, real_regions


@pytest.mark.parametrize("kind", RegionKind)
def test_every_kind_has_its_topic(kind: RegionKind) -> None:
    assert topic(kind.topic).name == kind.topic


def test_a_kinds_topic_has_the_processs_own_numbers() -> None:
    text = topic("region_arena").fill(facts_of_regions(real_regions("threads"), RegionKind.ARENA_RESERVED))
    assert "6 of its mappings are of this kind. They take 383 MiB of VIRT; 0 B is resident" in text


def test_a_kind_that_the_process_does_not_have_leaves_the_paragraph_out() -> None:
    text = topic("region_jvm").fill(facts_of_regions(real_regions("threads"), RegionKind.JVM_HEAP))
    assert "Here:" not in text


def test_rollup_gives_what_is_its_own() -> None:
    facts = facts_of_rollup(parse_rollup((DATA / "shared" / "smaps_rollup").read_bytes()))
    assert facts["lazyfree"].endswith("MiB")
    assert 0 < float(facts["uss_percent"]) <= 100


def test_what_the_kernel_does_not_say_has_no_fact() -> None:
    assert "pss" not in facts_of_rollup(parse_rollup(b"Rss: 4 kB\n"))
    assert "uss_percent" not in facts_of_rollup(parse_rollup(b"Rss: 4 kB\n"))
    regions = classify(parse_smaps(b"1000-2000 rw-p 0 00:00 0\n"))
    assert "private_dirty" not in facts_of_regions(regions)
    assert "kind_rss" not in facts_of_regions(regions, RegionKind.ANON)
