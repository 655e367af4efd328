"""Every sentence that all is well: where something was not read, or not yet, it gives way to another, by table."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from memtop.analysis.ledger.machine import MachinePart, Reclaim
from memtop.analysis.trend.classify import Growth, Shape
from memtop.analysis.trend.hysteresis import Confirmation
from memtop.explain.answers import answers
from memtop.explain.finding_text import nothing_wrong
from memtop.explain.incident_text import headline
from memtop.explain.machine_sentences import held_by, sentences
from memtop.explain.placeholders import facts_of
from memtop.explain.virt_text import virt_sentence
from memtop.model.assessment import Assessment, Limit, LimitRow
from memtop.model.incidents import IncidentReport, Unseen
from memtop.model.machine import MachinePartRow, MachineView, Rates
from memtop.procfs.pressure import Pressure, Stall
from memtop.runtimes.native.runtime import MappedRuntime
from memtop.runtimes.protocol import Identity
from memtop.runtimes.view import KernelFigures, Shown
from tests.explain.rows import FULL, MACHINE
from tests.rows import GIB, MIB, system_row
from tests.tui.details import make_detail

SHOP = LimitRow(Limit.CGROUP, "shop", GIB, 200 * MIB, 800 * MIB, 800 * MIB, binds=True)
LEVEL = Assessment(
    growth=Growth(Shape.FLAT, 120, 120.0, level_bytes=100.0 * MIB),
    state=Confirmation(kind=Shape.FLAT),
    limits=(SHOP,),
    first_met=SHOP,
)
UNREAD = replace(LEVEL, unread=("its cgroup cannot be read",))
RISING = Growth(Shape.GROWTH, 120, 120.0, slope_bytes_per_s=1e6)
EARLY = replace(LEVEL, growth=None, state=None)
NO_RATES = Rates(*[None] * len(Rates._fields))
MACHINE_VIEW = MachineView(
    GIB, (), 60.0, 0, Pressure(Stall(0, 0, 0, 0), None), NO_RATES, (), None, None, False, False, {}
)
FIGURES = KernelFigures(42, 100 * MIB, 90 * MIB, GIB, 110 * MIB, 0.0, 0)


def of_machine(report: IncidentReport | None) -> str:
    return headline(report, system_row(mem_available_bytes=22 * GIB)).says


def first_answers(outlook: Assessment | None) -> str:
    detail = make_detail()._replace(row=FULL, outlook=outlook, paused=False)
    return " ".join(answer.says for answer in answers(detail, MACHINE))


def allocator(kernel: KernelFigures, unreadable: str = "") -> str:
    tracker = MappedRuntime("", "", "", "").track()
    tracker.identified(Identity(allocator="glibc"))
    return " ".join(tracker.view(Shown(0.0, kernel, unreadable=unreadable)).sentences)


def tmpfs(past: bool) -> str:
    row = MachinePartRow(MachinePart.SHMEM, 300 * MIB, None, None, None, (), Reclaim.SWAP, ())
    return held_by(row, 2, past=past)


def about_machine(**changes: object) -> str:
    return " ".join(sentences(MACHINE_VIEW._replace(**changes)))  # type: ignore[arg-type]


def swap(total_bytes: int | None) -> str:
    return facts_of(FULL, MACHINE._replace(swap_total_bytes=total_bytes, swap_free_bytes=total_bytes), None).get(
        "machine_swap", ""
    )


SEEN: Final = 120.0
TABLE: Final = {
    "no limit near": (
        "no limit is near",
        nothing_wrong(LEVEL),
        {
            "unreadable": (nothing_wrong(UNREAD), "Unknown whether a limit is near"),
            "not looked at": (
                nothing_wrong(replace(LEVEL, not_looked_at=("its mappings",))),
                "Not checked: its mappings",
            ),
            "never assessed": (nothing_wrong(Assessment(unread=("its limits have not been read",))), "Unknown"),
        },
    ),
    "level": (
        "Nothing wrong",
        nothing_wrong(LEVEL),
        {
            "too early": (nothing_wrong(EARLY), "A verdict on growth takes about 90 s"),
            "may grow": (nothing_wrong(replace(LEVEL, growth=RISING)), "Not certain yet whether its memory grows"),
            "may grow, unread": (nothing_wrong(replace(UNREAD, growth=RISING)), "Not certain yet"),
            "heap may grow": (
                nothing_wrong(replace(LEVEL, growth=RISING, of_heap=True)),
                "Not known yet whether its live heap grows",
            ),
            "heap may grow, unread": (
                nothing_wrong(replace(UNREAD, growth=RISING, of_heap=True)),
                "Not known yet whether its live heap grows",
            ),
            "cgroup open": (nothing_wrong(replace(LEVEL, charge_open=True)), "Unknown yet whether its cgroup"),
            "family open": (nothing_wrong(replace(LEVEL, family_open=True)), "Unknown yet whether its fork family"),
        },
    ),
    "machine": (
        "nothing grows, no cgroup limit is near",
        of_machine(IncidentReport(watched_s=SEEN)),
        {
            "one sample": (of_machine(None), "growth needs a second sample"),
            "at once": (of_machine(IncidentReport(watched_s=2.0)), "too early"),
            "early": (of_machine(IncidentReport(watched_s=40.0)), "nothing grows fast"),
            "unread cgroups": (
                of_machine(IncidentReport((), Unseen(unread_cgroups=2), SEEN)),
                "no readable cgroup limit",
            ),
            "hidden": (of_machine(IncidentReport((), Unseen(hidden=3), SEEN)), "nothing readable grows"),
            "hidepid": (of_machine(IncidentReport((), Unseen(hidden=None), SEEN)), "nothing readable grows"),
            "few": (of_machine(IncidentReport((), Unseen(only=2), SEEN)), "nothing watched grows"),
        },
    ),
    "grows": (
        "No: level",
        first_answers(LEVEL),
        {"early": (first_answers(EARLY), "too early to say"), "not assessed": (first_answers(None), "Unknown yet")},
    ),
    "VIRT": (
        "a problem? No: ",
        first_answers(LEVEL),
        {"unreadable": (first_answers(UNREAD), "Probably not"), "not assessed": (first_answers(None), "Probably not")},
    ),
    "VIRT at length": (
        "no danger in itself: ",
        virt_sentence(FULL, MACHINE, replace(LEVEL, limits=())),
        {
            "unreadable": (
                virt_sentence(FULL, MACHINE, replace(UNREAD, limits=())),
                "as far as its limits could be read",
            ),
            "not assessed": (virt_sentence(FULL, MACHINE), "its limits were not read"),
        },
    ),
    "limit": (
        "left",
        first_answers(LEVEL),
        {"unreadable": (first_answers(replace(UNREAD, limits=())), "Limit? Unknown")},
    ),
    "allocator": (
        "nothing unusual.",
        allocator(FIGURES),
        {
            "no RES": (allocator(FIGURES._replace(rss_bytes=None)), "RES is not known"),
            "no LazyFree": (allocator(FIGURES._replace(lazy_free_bytes=None)), "not known: LazyFree."),
            "no peak": (allocator(FIGURES._replace(peak_rss_bytes=None)), "not known: the peak of RES."),
            "unreadable": (allocator(FIGURES, "no permission"), "Runtime unknown: no permission."),
        },
    ),
    "pressure": (
        "some 0.0 / 0.0 / 0.0 %",
        about_machine(),
        {
            "no PSI": (about_machine(pressure=None), "Pressure unknown"),
            "PSI is off": (about_machine(pressure=Pressure(None, None)), "Pressure unknown"),
        },
    ),
    "swap of the machine": (
        "Swap: none.",
        about_machine(),
        {"unread": (about_machine(swaps=None, unread={"proc/swaps": "gone"}), "proc/swaps could not be read: gone.")},
    ),
    "no swap": ("this machine has no swap", swap(0), {"unknown": (swap(None), "")}),
    "tmpfs": ("no process that can be read maps", tmpfs(past=False), {"past": (tmpfs(past=True), "")}),
}
"""What claims it, where it is true, and each state in which it is not known, with the words that are said then."""


@pytest.mark.parametrize(
    ("claim", "true", "said", "instead"),
    [
        pytest.param(claim, true, *other, id=f"{name}, {state}")
        for name, (claim, true, states) in TABLE.items()
        for state, other in states.items()
    ],
)
def test_what_is_not_known_is_not_said_to_be_fine(claim: str, true: str, said: str, instead: str) -> None:
    assert claim in true
    assert instead in said
    if not instead.startswith("Not checked"):  # it names what was not looked at, beside what was
        assert claim not in said
