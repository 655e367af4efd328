"""What smaps and runtimes tell reaches the findings: each fires through the engine, and what is near does not."""

from __future__ import annotations

import pytest

from memtop.analysis.findings import FindingInputs
from memtop.engine.assessment import expensive_inputs
from memtop.engine.assessment.expensive_inputs import ExpensiveInputs
from memtop.engine.engine import Engine
from memtop.errors import AccessDenied
from memtop.model.frame import Frame
from memtop.runtimes.container_limit import Container, encode_container
from memtop.runtimes.go.heap import GoHeap
from memtop.runtimes.go.metrics import parse_go_metrics
from memtop.runtimes.go.reading import encode_metrics
from memtop.runtimes.identity import encode_identity
from memtop.runtimes.protocol import Identity
from memtop.runtimes.view import FindingFacts
from memtop.sampling.request import Need
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource, frame_after
from tests.lab.points import lines
from tests.requests import request
from tests.sampling.test_cgroups import MIB, v2
from tests.sampling.test_runtimes import GO, JVM, PAGE, URL, World
from tests.sampling.test_smaps import HEAP, mapping, rollup

KIB = 1024
CODE = 0x5555_0000


def facts(frame: Frame | None) -> dict[str, dict[str, float | str]]:
    """Of the findings that stand, by name."""
    assert frame is not None and frame.detail is not None and frame.detail.outlook is not None
    return {one.name: dict(one.facts) for one in frame.detail.outlook.findings}


class Family:
    """A parent in focus and two children that share 400 MiB with it, of which it writes some each second."""

    def __init__(self, copied_mib: int, *, minflt: int = 5000, panel: str = "sharing") -> None:
        self.processes = [FakeProcess(42, rss_pages=400 * MIB_PAGES)]
        self.processes += [FakeProcess(pid, ppid=42, rss_pages=400 * MIB_PAGES) for pid in (43, 44)]
        self.source = FakeSource(*self.processes)
        self.engine = Engine(self.source)
        self.copied_mib, self.minflt = copied_mib, minflt
        self.shared_mib = 400
        self.ask = request(focus=self.processes[0].key, panel=panel, needs=Need.STAT | Need.STATUS)

    def play(self, ticks: int) -> Frame | None:
        for _ in range(ticks):
            self.shared_mib -= self.copied_mib
            self.processes[0].minflt += self.minflt
            self.write()
            frame = self.engine.step(self.ask)
        return frame

    def write(self) -> None:
        shared, own = self.shared_mib * KIB, (400 - self.shared_mib) * KIB
        self.source.files["proc/42/smaps"] = (
            mapping(HEAP, 400 * KIB, 400 * KIB, name="[heap]")
            .replace(b"Shared_Dirty: 0 kB", b"Shared_Dirty: %d kB" % shared)
            .replace(b"Private_Dirty: %d kB" % (400 * KIB), b"Private_Dirty: %d kB" % own)
            .replace(b"Pss: %d kB" % (400 * KIB), b"Pss: %d kB" % (own + shared // 3))
        )
        for pid in (43, 44):
            self.source.files[f"proc/{pid}/smaps_rollup"] = rollup(400 * KIB, own + shared // 3 + 1, own, shared)


def test_a_process_that_copies_what_it_shared_is_found_with_what_it_has_copied_and_what_is_left() -> None:
    family = Family(4)
    found = facts(family.play(20))["copying"]
    assert 40 * MIB <= float(found["copied_bytes"]) <= 80 * MIB
    assert float(found["more_bytes"]) == pytest.approx(family.shared_mib * MIB, abs=10 * MIB)


@pytest.mark.parametrize("merged_mib", [0, 300])
def test_pages_that_ksm_has_merged_are_said_to_take_less_than_res(merged_mib: int) -> None:
    process = FakeProcess(42, rss_pages=400 * MIB_PAGES)
    source = FakeSource(process)
    text = mapping(HEAP, 400 * KIB, 400 * KIB).replace(b"Swap:", b"KSM: %d kB\nSwap:" % (merged_mib * KIB))
    source.files["proc/42/smaps"] = text
    frame = frame_after(Engine(source), request(focus=process.key, panel="regions", needs=Need.STAT | Need.STATUS), 6)
    found = facts(frame).get("merged")
    assert (found is not None) is (merged_mib > 0)
    assert found is None or (found["merged_bytes"], found["rss_bytes"]) == (300 * MIB, 400 * MIB)


def test_faults_that_are_copies_are_called_so() -> None:
    assert "copies" in facts(Family(4, minflt=1024).play(20))


def test_sharing_that_ends_without_faults_is_no_copying() -> None:
    assert "copying" not in facts(Family(4, minflt=10).play(20))


def test_little_that_is_copied_is_no_finding() -> None:
    assert "copying" not in facts(Family(1).play(15))


def test_a_relative_that_ends_leaves_private_memory_behind_and_nothing_was_copied() -> None:
    family = Family(0)
    family.play(10)
    del family.source.processes[44]
    family.shared_mib -= 200
    assert "copying" not in facts(family.play(10))


def test_without_the_panel_no_mappings_are_read_and_nothing_found() -> None:
    family = Family(4, panel="")
    assert {"copying", "family"}.isdisjoint(facts(family.play(20)))
    assert not [path for path in family.source.asked_ever if path.endswith("/smaps")]


def test_a_family_whose_sum_of_res_counts_twice_is_found() -> None:
    found = facts(Family(0).play(8))["family"]
    assert (found["family_count"], found["sum_bytes"]) == (3, 1200 * MIB)
    assert float(found["saved_bytes"]) == pytest.approx(800 * MIB, rel=0.01)


def test_a_family_of_which_one_may_not_be_read_is_not_summed() -> None:
    family = Family(0)
    family.source.files["proc/44/smaps_rollup"] = AccessDenied("proc/44/smaps_rollup")
    family.write = lambda: None  # type: ignore[method-assign]
    family.source.files["proc/42/smaps"] = mapping(HEAP, 400 * KIB, 400 * KIB, name="[heap]")
    family.source.files["proc/43/smaps_rollup"] = rollup(400 * KIB, 100 * KIB, 0, 400 * KIB)
    assert "family" not in facts(family.play(6))


@pytest.mark.parametrize(
    ("name", "perms", "file"),
    [
        ("/usr/bin/app (deleted)", "r-xp", "/usr/bin/app"),
        ("/usr/lib/libssl.so.3 (deleted)", "r-xp", "/usr/lib/libssl.so.3"),
        ("/usr/bin/app", "r-xp", None),
        ("/memfd:jit (deleted)", "r-xp", None),
        ("/var/cache/index (deleted)", "r--p", None),
    ],
)
def test_code_whose_file_was_deleted_is_found_and_memory_that_is_always_deleted_is_not(
    name: str, perms: str, file: str | None
) -> None:
    process = FakeProcess(42, start_code=CODE if "app" in name else 0x1000)
    source = FakeSource(process)
    inode = mapping(CODE, 1024, 1024, perms, name).replace(b" 00:00 0 ", b" 08:01 77 ")
    source.files["proc/42/smaps"] = inode + mapping(HEAP, 1024, 1024, name="[heap]")
    engine = Engine(source)
    frame = frame_after(engine, request(focus=process.key, panel="regions"), 5)
    assert facts(frame).get("deleted", {}).get("file") == file


@pytest.mark.parametrize(
    ("report", "fact"),
    [
        (b"replaced /usr/bin/app", "replaced"),
        (b"deleted /usr/bin/app", "deleted"),
        (b"unlinked /usr/bin/app", "unlinked"),
        (b"replaced /usr/bin/other", None),
        (AccessDenied("proc/42/deleted_files"), None),
        (b"same /usr/bin/app", ""),
    ],
)
def test_what_took_the_place_of_a_deleted_program_is_said_where_it_is_known(
    report: bytes | AccessDenied, fact: str | None
) -> None:
    process = FakeProcess(42, start_code=CODE)
    source = FakeSource(process)
    code = mapping(CODE, 1024, 1024, "r-xp", "/usr/bin/app (deleted)").replace(b" 00:00 0 ", b" 08:01 77 ")
    source.files |= {"proc/42/smaps": code + mapping(HEAP, 1024, 1024, name="[heap]"), "proc/42/deleted_files": report}
    found = facts(frame_after(Engine(source), request(focus=process.key, panel="regions"), 5)).get("deleted")
    if fact == "":
        assert found is None
    else:
        assert found == {"file": "/usr/bin/app"} | ({} if fact is None else {fact: "yes"})


def go(heap: GoHeap | None, *, anon_mib: int, environ: bytes = b"") -> dict[str, dict[str, float | str]]:
    """The findings on a Go program with these figures, in a cgroup of 100 MiB."""
    process = FakeProcess(42, virt_pages=1 << 20, rss_pages=(anon_mib + 5) * MIB_PAGES, shr_pages=5 * MIB_PAGES)
    source = v2(process)
    at = "proc/42/runtime/"
    source.files[at + "identity"] = encode_identity(Identity("go", build="go1.22.1\npath\tx\n"))
    source.files[at + "environ"] = environ
    source.files[at + "container"] = encode_container(Container(None, None))
    urls = ((42, URL),) if heap is not None else ()
    if heap is not None:
        source.files[f"{at}metrics#{URL}"] = encode_metrics("x", heap)
    engine = Engine(source)
    frame = frame_after(engine, request(focus=process.key, go_urls=urls, needs=Need.STAT | Need.STATUS), 8)
    return facts(frame)


def heap(*, next_gc_mib: int = 10, held_mib: int = 30) -> GoHeap:
    body = lines("leak")[0]["body"].encode()
    return parse_go_metrics(body)._replace(
        next_gc_bytes=next_gc_mib * MIB, sys_bytes=held_mib * MIB, heap_released_bytes=0, start_time_s=None
    )


def test_a_go_heap_without_a_limit_that_nears_its_cgroups_is_found() -> None:
    found = go(heap(next_gc_mib=90), anon_mib=30)["go_limit"]
    assert found["next_bytes"] == 90 * MIB
    assert "go_limit" not in go(heap(next_gc_mib=60), anon_mib=30)


def test_without_its_metrics_a_go_program_at_its_limit_is_said_to_be_held_there() -> None:
    found = go(None, anon_mib=46, environ=b"GOMEMLIMIT=50MiB")["go_held"]
    assert found == {"anon_bytes": 46 * MIB, "limit_bytes": 50 * MIB}
    assert "go_held" not in go(None, anon_mib=44, environ=b"GOMEMLIMIT=50MiB")
    assert "go_held" not in go(heap(held_mib=46), anon_mib=46, environ=b"GOMEMLIMIT=50MiB")


def test_a_go_limit_above_the_cgroups_is_found() -> None:
    assert go(heap(), anon_mib=30, environ=b"GOMEMLIMIT=200MiB")["go_limit"]["too_high_bytes"] == 200 * MIB
    assert "go_limit" not in go(heap(), anon_mib=30, environ=b"GOMEMLIMIT=90MiB")


def test_memory_that_go_does_not_account_for_is_found() -> None:
    assert go(heap(), anon_mib=70)["outside_heap"] == {"outside_bytes": 40 * MIB, "held_bytes": 70 * MIB}
    assert "outside_heap" not in go(heap(), anon_mib=60)


def test_what_figures_indicated_stays_with_its_age_when_no_newer_ones_come() -> None:
    world = World(GO, URL, panel="")
    world.feed("outside")
    assert "past_s" not in facts(world.play(3))["outside_heap"]
    world.source.hanging.add(42)
    assert facts(world.play(20))["outside_heap"]["past_s"] == 21.0


def test_what_a_jvm_usually_has_outside_of_its_heap_is_no_finding() -> None:
    world = World(JVM, panel="")
    world.feed("jvm_steady")
    assert "outside_heap" not in facts(world.play(3))
    world.process.rss_pages += 900 * MIB // PAGE
    world.process.virt_pages += 900 * MIB // PAGE
    assert "outside_heap" in facts(world.play(4))


def test_why_lazyfree_is_unread_is_left_out_where_the_runtime_never_gives_back_so() -> None:
    unread = ExpensiveInputs(unread="denied")
    assert expensive_inputs.with_expensive_inputs(FindingInputs(), unread).lazyfree_unread == "denied"
    assert expensive_inputs.with_expensive_inputs(FindingInputs(lazyfree=0), unread).lazyfree_unread == ""
    assert (
        expensive_inputs.with_expensive_inputs(
            FindingInputs(), unread._replace(heap=FindingFacts(frees_lazily=True))
        ).lazyfree_unread
        == "denied"
    )
    assert (
        expensive_inputs.with_expensive_inputs(
            FindingInputs(), unread._replace(heap=FindingFacts(frees_lazily=False))
        ).lazyfree_unread
        == ""
    )


def test_rising_survivors_of_a_jvm_reach_the_case() -> None:
    case = expensive_inputs.with_expensive_inputs(
        FindingInputs(), ExpensiveInputs(heap=FindingFacts(surviving_bytes_per_s=5e5))
    )
    assert case.surviving_per_s == 5e5
