"""Sentences that rest on an expensive reading: after RES has moved, each of them says that it speaks of then."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from memtop.engine.engine import Engine
from memtop.explain.finding_text import sentences_of
from memtop.explain.region_placeholders import sizes_then
from memtop.explain.region_sentences import caption, mark_sentence
from memtop.explain.sharing_sentences import sharing_sentences
from memtop.model.detail import Detail
from memtop.sampling.request import Need
from memtop.tui.panels.sharing import sharing_lines
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource
from tests.requests import changed, request
from tests.sampling.test_smaps import HEAP, mapping, rollup

KIB_OF_READING = 100 * 1024
RES_NOW = "777 MiB"
OF_THEN = re.compile(r"\bago\b|of then|older than")


def freed(smaps: bytes, kib: int) -> bytes:
    """One mapping of smaps of which so much is given back."""
    return smaps.replace(b"Swap: 0 kB", b"Swap: 0 kB\nLazyFree: %d kB" % kib)


class Family:
    """Three processes of 100 MiB, half of it shared, more than half given back, in 2 GiB of reserved addresses."""

    def __init__(self) -> None:
        self.processes = [FakeProcess(42, virt_pages=2048 * MIB_PAGES)]
        self.processes += [FakeProcess(pid, ppid=42) for pid in (43, 44)]
        for one in self.processes:
            one.rss_pages = 100 * MIB_PAGES
        self.source = FakeSource(*self.processes)
        reserved = mapping(0x7F00_0000_0000, 1 << 21, 0, "---p")
        heap = mapping(HEAP, KIB_OF_READING, KIB_OF_READING, name="[heap]")
        for old, new in (
            (b"Shared_Dirty: 0 kB", b"Shared_Dirty: 51200 kB"),
            (b"Private_Dirty: 102400 kB", b"Private_Dirty: 51200 kB"),
            (b"Pss: 102400 kB", b"Pss: 68266 kB"),
        ):
            heap = heap.replace(old, new)
        heap = freed(heap, 60_000)
        self.source.files["proc/42/smaps"] = heap + freed(reserved, 0)
        for pid in (43, 44):
            self.source.files[f"proc/{pid}/smaps_rollup"] = rollup(KIB_OF_READING, 68_266, 51_200, 51_200)
        self.engine = Engine(self.source)
        self.ask = request(focus=self.processes[0].key, panel="sharing", needs=Need.STAT | Need.STATUS, outlooks=True)

    def play(self, ticks: int) -> Detail:
        for _ in range(ticks):
            shown = self.engine.step(self.ask)
        assert shown is not None and shown.detail is not None
        return shown.detail

    def move(self) -> None:
        """Let RES of all be another, and no reading come back any more."""
        self.source.hanging |= {42, 43, 44}
        for one in self.processes:
            one.rss_pages = 777 * MIB_PAGES
            one.minflt += 5


def told(detail: Detail) -> Iterator[str]:
    """All sentences that may rest on a reading of mappings."""
    assert detail.outlook is not None and detail.sharing is not None
    for finding in detail.outlook.findings:
        yield sentences_of(finding).says
    yield from (sentence for sentence, _ in sharing_sentences(detail, detail.sharing))
    yield mark_sentence(detail)


READ = ("58.6 MiB", "100 MiB", "200 MiB", "300 MiB", "133 MiB", "50.0 MiB", "41.4 MiB", "2.00 GiB", "2.10 GiB", "95")
"""Numbers of the readings: LazyFree, RES, sums of the family, USS, what is left, VIRT, its reserved percent."""


@pytest.mark.parametrize("panel", ["sharing", "regions", ""])
def test_after_res_has_moved_every_number_of_a_reading_is_said_to_be_of_then(panel: str) -> None:
    family = Family()
    fresh = [sentence for sentence in told(family.play(12)) if sentence]
    assert len([one for one in fresh if any(number in one for number in READ)]) >= 5
    assert not [one for one in fresh if OF_THEN.search(one)]
    family.move()
    family.ask = changed(family.ask, panel=panel)
    detail = family.play(30)
    says = [sentence for sentence in (told(detail) if panel == "sharing" else findings(detail)) if sentence]
    old = [one for one in says if any(number in one for number in READ)]
    assert old and all(OF_THEN.search(one) for one in old), old
    if detail.regions is not None and detail.regions.reading is not None:
        assert "RES +677 MiB since" in caption(detail.regions, detail.row.rss_bytes)
        assert "777 MiB" in sizes_then(detail.row, detail.regions.reading, detail.regions.age_s)["rss"]


def findings(detail: Detail) -> Iterator[str]:
    assert detail.outlook is not None
    yield from (sentences_of(finding).says for finding in detail.outlook.findings)


def test_what_a_reading_has_found_stays_with_its_age_until_a_newer_one_refutes_it() -> None:
    family = Family()
    family.play(12)
    family.move()
    family.ask = changed(family.ask, panel="")
    says = " ".join(findings(family.play(60)))
    assert re.search(r"As read \d+ s ago: 58.6 MiB of RES 100 MiB was already freed", says)
    family.source.hanging.clear()
    family.source.files["proc/42/smaps"] = mapping(HEAP, 800 * 1024, 777 * 1024, name="[heap]")
    family.ask = changed(family.ask, panel="regions")
    family.play(20)
    assert "was already freed" in " ".join(findings(family.play(1)))  # it was not said to be gone
    family.source.files["proc/42/smaps"] = freed(mapping(HEAP, 800 * 1024, 777 * 1024, name="[heap]"), 0)
    family.processes[0].minflt += 1
    family.play(30)
    assert "was already freed" not in " ".join(findings(family.play(1)))


def test_a_row_of_the_family_whose_res_has_moved_is_marked_as_of_then() -> None:
    family = Family()
    family.play(12)
    family.move()
    shown = None
    for _ in range(3):
        shown = family.engine.step(family.ask)
    assert shown is not None
    rows = [line.text for line in sharing_lines(shown, 120) if re.match(r" +4[234] ", line.text)]
    assert len(rows) == 3 and all("of then" in row for row in rows)
