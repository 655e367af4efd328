"""Memory that a process keeps without mapping it grows though RES does not move."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest

from memtop.engine.engine import Engine
from memtop.errors import AccessDenied, MemtopError, NotRecorded
from memtop.explain.answers import answers
from memtop.explain.finding_text import nothing_wrong, sentences_of
from memtop.explain.incident_text import headline
from memtop.headless import check
from memtop.headless.check import Answer, answer_to
from memtop.model.assessment import Assessment
from memtop.model.frame import Frame
from memtop.procfs.held_report import HeldKind, HeldPart
from memtop.sampling.request import Need
from tests.engine.test_machine_view import meminfo
from tests.fakes import FakeProcess, FakeSource, outlook
from tests.headless.judged import judged_object
from tests.requests import request
from tests.sampling.test_cgroups import MIB, v2

SECONDS = 110


def watched(
    gains: Callable[[FakeSource, int], None], unread: MemtopError | None = None, seconds: int = SECONDS
) -> Frame:
    """A level process that ``gains`` changes at each second."""
    process = FakeProcess(42)
    source = v2(process)
    source.files["proc/sys/vm/overcommit_memory"] = b"0\n"
    source.files["proc/42/limits"] = (
        b"Max data size   unlimited  unlimited bytes\nMax address space unlimited unlimited bytes\n"
    )
    if unread is not None:
        source.files["proc/42/held"] = unread
    engine = Engine(source)
    for second in range(seconds):
        gains(source, second)
        frame = engine.step(request(focus=process.key, needs=Need.STAT | Need.STATUS))
    assert frame is not None
    return frame


def keeps(kind: HeldKind, bytes_per_s: int, name: bytes = b"") -> Callable[[FakeSource, int], None]:
    def gains(source: FakeSource, second: int) -> None:
        source.processes[42].held = (HeldPart(kind, 1, 20 * MIB + second * bytes_per_s, name),)

    return gains


def said(found: Assessment) -> list[str]:
    return [sentences_of(one).says for one in found.findings if one.name == "held_growth"]


KINDS = {
    HeldKind.MEMFD: "memfds",
    HeldKind.HUGE_MEMFD: "memfds of huge pages",
    HeldKind.UNLINKED: "unlinked files on tmpfs",
    HeldKind.TMPFS: "files on tmpfs",
    HeldKind.SYSV: "System V segments",
    HeldKind.SOCKET: "socket buffers",
}


@pytest.mark.parametrize(("kind", "words"), KINDS.items())
def test_what_it_keeps_without_mapping_it_grows_though_res_is_level(kind: HeldKind, words: str) -> None:
    frame = watched(keeps(kind, MIB, b"ring\x1b"))
    found = outlook(frame)
    assert answer_to(found) is Answer.BAD
    (says,) = said(found)
    assert "has grown by 60.0 MiB per minute" in says and f"MiB in {words}. The largest is ring^[." in says
    assert frame.detail is not None
    assert answers(frame.detail, frame.system)[0].says.startswith("Growing +60.0 MiB/min outside RES")
    assert judged_object(found)["held"][f"{kind.value}_bytes"] > 100 * MIB
    assert "memory outside RES of app (42) grows" in headline(frame.incidents, frame.system).says


def test_page_tables_that_grow_are_growth() -> None:
    def gains(source: FakeSource, second: int) -> None:
        source.processes[42].page_tables_kib = 2048 + 512 * second

    found = outlook(watched(gains))
    assert answer_to(found) is Answer.BAD
    assert "30.0 MiB per minute" in said(found)[0] and "in page tables" in said(found)[0]


def test_what_stays_or_has_risen_once_is_no_growth() -> None:
    assert answer_to(outlook(watched(keeps(HeldKind.MEMFD, 0)))) is Answer.FINE

    def gains(source: FakeSource, second: int) -> None:
        source.processes[42].held = (HeldPart(HeldKind.MEMFD, 1, (80 if second > 30 else 20) * MIB),)

    found = outlook(watched(gains, seconds=150))
    assert answer_to(found) is Answer.FINE
    assert "Its memory outside RES rose by 60.0 MiB, and is level now." in nothing_wrong(found)


def test_before_it_was_seen_for_long_enough_it_is_not_known() -> None:
    found = outlook(watched(keeps(HeldKind.MEMFD, MIB), seconds=20))
    assert "whether its memory outside RES grows" in judged_object(found)["unknown"]
    assert answer_to(found) is Answer.UNKNOWN


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AccessDenied("no"), "no permission to look at its open files"),
        (NotRecorded("no"), "what it keeps in memfds, on tmpfs and in sockets was not recorded around this moment"),
    ],
)
def test_what_cannot_be_looked_at_is_unknown_and_not_zero(error: MemtopError, words: str) -> None:
    found = outlook(watched(lambda source, second: None, error))
    assert judged_object(found)["held"] is None
    assert words in judged_object(found)["unknown"]
    assert words in nothing_wrong(found)


def test_the_check_ends_with_the_answer() -> None:
    process = FakeProcess(42)
    source = v2(process)
    begin = source.begin

    def next_second():  # type: ignore[no-untyped-def]
        keeps(HeldKind.MEMFD, MIB)(source, int(source.mono_s))
        return begin()

    source.begin = next_second  # type: ignore[method-assign]
    out = io.StringIO()
    assert check.run(Engine(source), 42, 1e6, 0.0, out) is Answer.BAD
    assert "Its memory outside RES has grown" in out.getvalue()


def opens(kind: HeldKind, per_s: int) -> Callable[[FakeSource, int], None]:
    def gains(source: FakeSource, second: int) -> None:
        source.processes[42].held = (HeldPart(kind, 10 + per_s * second, None),)

    return gains


@pytest.mark.parametrize(
    ("kind", "per_s", "seconds", "words"),
    [(HeldKind.PIPE, 1, 200, "pipes"), (HeldKind.OTHER, 50, SECONDS, "other descriptors")],
)
def test_descriptors_that_are_never_closed_leave_it_unknown(
    kind: HeldKind, per_s: int, seconds: int, words: str
) -> None:
    found = outlook(watched(opens(kind, per_s), seconds=seconds))
    assert answer_to(found) is Answer.UNKNOWN
    (says,) = [sentences_of(one).says for one in found.findings if one.name == "descriptors"]
    assert re.search(rf"Open now: [\d,]+ {words}\..* in no counter", says)
    assert "watch longer" not in " ".join(check.says(found)), "that would not tell either"


def test_a_few_more_descriptors_all_the_time_are_not_called_fine() -> None:
    found = outlook(watched(opens(HeldKind.OTHER, 5)))
    assert answer_to(found) is Answer.UNKNOWN
    assert re.search(r"Not known whether it keeps opening descriptors \(5\d\d are open\)\.", nothing_wrong(found))
    assert answer_to(outlook(watched(opens(HeldKind.OTHER, 0)))) is Answer.FINE


@pytest.mark.parametrize(
    ("written", "unread", "answer"),
    [(0, None, Answer.FINE), (MIB, None, Answer.UNKNOWN), (0, AccessDenied("no"), Answer.UNKNOWN)],
)
def test_shared_memory_that_rises_is_not_its_own_only_if_it_writes_less(
    written: int, unread: MemtopError | None, answer: Answer
) -> None:
    def gains(source: FakeSource, second: int) -> None:
        source.processes[42].written_bytes = written * second
        source.files["proc/meminfo"] = meminfo(Shmem=300 + second)

    found = outlook(watched(gains, unread))
    assert answer_to(found) is answer
    assert ("whether it fills shared memory" in nothing_wrong(found)) is (answer is Answer.UNKNOWN)
    assert ("Nothing wrong" in nothing_wrong(found)) is (answer is Answer.FINE)
    assert "watch longer" not in " ".join(check.says(found))


@pytest.mark.parametrize(("ticks_per_s", "answer"), [(0, Answer.FINE), (20, Answer.UNKNOWN)])
def test_slab_that_rises_may_be_its_own_only_if_it_runs(ticks_per_s: int, answer: Answer) -> None:
    def gains(source: FakeSource, second: int) -> None:
        source.processes[42].cpu_ticks = 10 + ticks_per_s * second
        source.files["proc/meminfo"] = meminfo(SReclaimable=200 + second)

    found = outlook(watched(gains))
    assert answer_to(found) is answer
    assert ("whether it makes the kernel's slab grow" in nothing_wrong(found)) is (answer is Answer.UNKNOWN)
