"""Numbers as text, and the sentence that answers whether this VIRT is a problem."""

from __future__ import annotations

import pytest

from memtop.analysis.findings import Finding
from memtop.analysis.severity import Severity
from memtop.explain.placeholders import facts_of
from memtop.explain.topic_loader import topics
from memtop.explain.virt_text import has_virt_answer, virt_answer, virt_sentence
from memtop.model.assessment import Assessment, Limit, LimitRow
from memtop.model.row import Note, ProcessRow, SystemRow
from memtop.procfs.statm import OWN_PAGE_BYTES
from tests.explain.rows import FULL, MACHINE, STATUS
from tests.rows import GIB, MIB, TIB

NO_SWAP = MACHINE._replace(swap_total_bytes=0, swap_free_bytes=0)


def test_sizes_are_written_out_and_shares_are_of_this_machine() -> None:
    facts = facts_of(FULL, MACHINE, STATUS)
    assert facts["virt"] == "1.24 GiB"
    assert facts["untouched"] == "1.03 GiB"
    assert facts["untouched_percent"] == "83.3"
    assert facts["rss_pages"] == f"{212 * MIB // OWN_PAGE_BYTES:,}"
    assert facts["mem_percent"] == "0.9"
    assert facts["growth"] == "+12.4 MiB"
    assert facts["available_percent"] == "33.3"
    assert facts["machine_swap"] == "the machine uses 1.00 GiB of 4.00 GiB of swap"
    assert facts["data"] == "400 MiB"


def test_a_topic_reads_the_same_with_the_facts_that_it_names_alone() -> None:
    every = facts_of(FULL, MACHINE, STATUS)
    for each in topics():
        named = facts_of(FULL, MACHINE, STATUS, each.facts)
        assert named == {name: text for name, text in every.items() if name in each.facts}
        assert each.fill(named) == each.fill(every)


def test_what_is_unknown_has_no_fact_and_nothing_has_the_text_of_a_dash() -> None:
    row = FULL._replace(anon_bytes=None, growth_bytes_per_min=None, oom_score=None, ppid=None, minflt=None)
    facts = facts_of(row, MACHINE._replace(psi_memory_some_avg10=None), None)
    assert not facts.keys() & {"anon", "growth", "oom_score", "oom_share", "parent", "minor_faults", "psi_some", "data"}
    assert not {"–", "None", ""} & set(facts.values())


def test_zero_is_said_and_is_not_taken_for_unknown() -> None:
    facts = facts_of(FULL._replace(swap_bytes=0, growth_bytes_per_min=0.0, majflt=0), NO_SWAP, None)
    assert (facts["swap"], facts["growth"], facts["major_faults"]) == ("0 B", "0 B", "0")
    assert facts["machine_swap"] == "this machine has no swap"


def test_swap_of_a_process_is_known_to_be_nothing_where_no_swap_is_in_use() -> None:
    row = FULL._replace(swap_bytes=None)
    assert facts_of(row, NO_SWAP, None)["swap"] == "0 B"
    assert not facts_of(row, MACHINE, None).keys() & {"swap", "untouched"}


@pytest.mark.parametrize(
    ("score", "adj", "share"),
    [
        (666, 0, "0.0"),
        (750, 0, "12.5"),
        (816, 100, "12.4"),  # 3 GB of 24 GB at every adj: measured
        (1083, 500, "12.4"),
        (1416, 1000, "12.4"),
        (0, -1000, None),  # never killed: the score says nothing of its size
        (10, 0, None),  # a kernel before 5.9
        (666, None, None),
    ],
)
def test_the_share_behind_an_oom_score(score: int, adj: int | None, share: str | None) -> None:
    assert facts_of(FULL._replace(oom_score=score, oom_score_adj=adj), MACHINE, None).get("oom_share") == share


def test_no_fact_holds_what_a_process_says_of_itself() -> None:
    row = FULL._replace(name="HOSTILE", command="HOSTILE", user="HOSTILE", state="?")
    facts = facts_of(row, MACHINE, STATUS)
    assert not any("HOSTILE" in text for text in facts.values())
    assert "state" not in facts


def sized(virt: int, rss: int, swap: int | None = 0, file: int = 0) -> ProcessRow:
    return FULL._replace(virt_bytes=virt, rss_bytes=rss, swap_bytes=swap, file_bytes=file)


NOTHING = "now (never written, freed, or only read)"
SENTENCES = (
    (
        "VIRT far above RES",
        sized(1270 * MIB, 212 * MIB),
        f"VIRT 1.24 GiB is no danger in itself: about 1.03 GiB of it uses no RAM {NOTHING}; "
        "RES is 212 MiB, 0.9 % of this machine's 24.0 GiB of RAM.",
    ),
    (
        "VIRT above all RAM",
        sized(293 * GIB, 86 * MIB),
        f"VIRT 293 GiB is more than the RAM of this machine, which is allowed: almost all of it uses no RAM "
        f"{NOTHING}; RES is 86.0 MiB, 0.3 % of this machine's 24.0 GiB of RAM.",
    ),
    (
        "VIRT of a sanitizer",
        sized(20 * TIB, 5 * MIB),
        f"VIRT 20.0 TiB is more than the RAM of this machine, which is allowed: almost all of it uses no RAM "
        f"{NOTHING}; RES is 5.00 MiB, less than 0.1 % of this machine's 24.0 GiB of RAM.",
    ),
    (
        "VIRT close to RES",
        sized(1000 * MIB, 950 * MIB),
        "VIRT 0.98 GiB is nearly all in use: RES is 950 MiB, 3.9 % of this machine's 24.0 GiB of RAM.",
    ),
    (
        "the rest is on swap",
        sized(4 * GIB, GIB, swap=3 * GIB),
        "VIRT 4.00 GiB is nearly all in use: RES is 1.00 GiB, 4.2 % of this machine's 24.0 GiB of RAM, "
        "and 3.00 GiB is on swap.",
    ),
    (
        "swap unknown",
        sized(1270 * MIB, 212 * MIB, swap=None),
        f"VIRT 1.24 GiB is no danger in itself: up to 1.03 GiB of it uses no RAM {NOTHING}; "
        "RES is 212 MiB, 0.9 % of this machine's 24.0 GiB of RAM.",
    ),
    (
        "RES above half of RAM",
        sized(16 * GIB, 14 * GIB),
        "RES is 14.0 GiB, 58.3 % of this machine's 24.0 GiB of RAM, which is the number to watch, not VIRT; "
        f"VIRT is 16.0 GiB, and about 2.00 GiB of it uses no RAM {NOTHING}.",
    ),
    (
        "RES above four fifths of RAM",
        sized(21 * GIB, 20 * GIB),
        "RES is 20.0 GiB, 83.3 % of this machine's 24.0 GiB of RAM, which is the danger, not VIRT; VIRT is 21.0 GiB.",
    ),
    (
        "a mapped database fills the RAM",
        sized(300 * GIB, 20 * GIB, file=19 * GIB),
        "RES is 20.0 GiB, 83.3 % of this machine's 24.0 GiB of RAM, but 19.0 GiB of that is file pages, which the "
        f"kernel can reclaim; VIRT is 300 GiB, and about 280 GiB of it uses no RAM {NOTHING}.",
    ),
    (
        "a kernel thread",
        sized(0, 0)._replace(note=Note.KERNEL),
        "This is a kernel thread: it runs inside the kernel and has no memory of its own.",
    ),
    (
        "a zombie",
        sized(0, 0)._replace(note=Note.ZOMBIE),
        "This is a zombie: it has ended and holds no memory; its parent has not collected its exit status yet.",
    ),
    (
        "not permitted",
        FULL._replace(virt_bytes=None, rss_bytes=None, note=Note.DENIED),
        "The kernel does not let this user read VIRT and RES of this process; unknown does not mean 0.",
    ),
    ("not known", FULL._replace(rss_bytes=None), ""),
    ("just ending", sized(0, 0), "This process has no address space left: it is ending."),
    (
        "gone",
        FULL._replace(note=Note.GONE, gone_s=5.0),
        "This process has ended; its last numbers were VIRT 1.24 GiB and RES 212 MiB.",
    ),
    ("gone unseen", FULL._replace(virt_bytes=None, rss_bytes=None, note=Note.GONE), "This process has ended."),
)


@pytest.mark.parametrize(("case", "row", "sentence"), SENTENCES, ids=[case for case, _, _ in SENTENCES])
def test_one_sentence_answers_whether_this_virt_is_a_problem(case: str, row: ProcessRow, sentence: str) -> None:
    assert virt_sentence(row, MACHINE, Assessment()) == sentence


def test_the_sentence_needs_no_machine() -> None:
    unknown = SystemRow(None, None, None, None, None, None, None, None, None, None, None, 0)
    assert virt_sentence(FULL, unknown, Assessment()) == (
        f"VIRT 1.24 GiB is no danger in itself: about 1.03 GiB of it uses no RAM {NOTHING}; RES is 212 MiB."
    )


def test_a_main_thread_that_has_ended_changes_nothing_about_the_numbers() -> None:
    assert virt_sentence(FULL._replace(note=Note.LEADER_GONE), MACHINE) == virt_sentence(FULL, MACHINE)


def over(row: ProcessRow, limit: Limit, size: int, used: int | None = None) -> str:
    used = row.rss_bytes if used is None else used
    assert used is not None
    name = "memory.high of api" if limit is Limit.HIGH else "api"
    return virt_sentence(row, MACHINE, Assessment(limits=(limit_row(limit, name, size, used),)))


def limit_row(limit: Limit, name: str, size: int, used: int) -> LimitRow:
    return LimitRow(limit, name, size, used, size - used, size - used, path="a")


NEAR_ENDS = (
    (
        "ulimit -v",
        Assessment(limits=(limit_row(Limit.ADDRESS_SPACE, "ulimit -v (RLIMIT_AS)", 1350 * MIB, 1270 * MIB),)),
        "94.1 % of ulimit -v (RLIMIT_AS), 1.32 GiB, is in use; when full: mmap fails",
    ),
    (
        "strict overcommit",
        Assessment(limits=(limit_row(Limit.COMMIT, "CommitLimit", 10 * GIB, 9 * GIB),)),
        "90.0 % of CommitLimit, 10.0 GiB, is in use; when full: mmap and fork fail",
    ),
    (
        "max_map_count",
        Assessment(
            findings=(
                Finding("mappings", Severity.WARNING, "virt_matters", {"mappings_count": 61_000, "max_count": 65_530}),
            )
        ),
        "61,000 of 65,530 mappings are in use; beyond that mmap fails",
    ),
)


@pytest.mark.parametrize(("case", "outlook", "clause"), NEAR_ENDS, ids=[case for case, _, _ in NEAR_ENDS])
def test_virt_is_not_called_harmless_beside_a_limit_that_counts_it(case: str, outlook: Assessment, clause: str) -> None:
    for row in (sized(1270 * MIB, 212 * MIB), sized(1270 * MIB, 1200 * MIB), sized(293 * GIB, 86 * MIB)):
        said = virt_sentence(row, MACHINE, outlook)
        assert said.startswith(f"Address space is nearly exhausted: {clause}; VIRT is ")
        assert "no danger" not in said and "allowed" not in said


def test_virt_is_called_harmless_below_such_a_limit_and_with_a_reserve_where_limits_are_unread() -> None:
    far = Assessment(limits=(limit_row(Limit.ADDRESS_SPACE, "ulimit -v (RLIMIT_AS)", 4 * GIB, 1270 * MIB),))
    row = sized(1270 * MIB, 212 * MIB)
    assert virt_sentence(row, MACHINE, far) == virt_sentence(row, MACHINE, Assessment())
    not_read = virt_sentence(row, MACHINE)
    assert not_read.startswith("VIRT 1.24 GiB is no danger in itself (its limits were not read): ")
    unread = virt_sentence(row, MACHINE, Assessment(unread=("vm.overcommit_memory cannot be read",)))
    assert unread.startswith("VIRT 1.24 GiB is no danger in itself, as far as its limits could be read: ")


def test_below_a_cgroups_limit_res_is_measured_against_that() -> None:
    row = sized(300 * MIB, 40 * MIB)
    assert over(row, Limit.CGROUP, 100 * MIB).endswith("RES is 40.0 MiB, 40.0 % of the 100 MiB that api allows.")
    assert over(sized(300 * MIB, 70 * MIB), Limit.CGROUP, 100 * MIB).startswith(
        "RES is 70.0 MiB, 70.0 % of the 100 MiB that api allows, which is the number to watch, not VIRT; "
    )
    assert "which is the danger, not VIRT" in over(sized(300 * MIB, 85 * MIB), Limit.CGROUP, 100 * MIB)
    assert "(90.0 % including everything else charged to it)" in over(row, Limit.CGROUP, 100 * MIB, 90 * MIB)
    assert "40.0 % of memory.high of api (100 MiB), beyond which it is slowed" in over(row, Limit.HIGH, 100 * MIB)
    assert "more than 100 % of the 0 B that api allows" in over(row, Limit.CGROUP, 0)


def test_huge_pages_are_not_address_space_without_ram() -> None:
    row = sized(272 * MIB, 13 * MIB)._replace(swap_bytes=0, hugetlb_bytes=256 * MIB)
    said = virt_sentence(row, MACHINE)
    assert "is nearly all in use" in said and "no RAM behind it" not in said
    assert "and 256 MiB is in huge pages, which RES does not count" in said


def test_res_beyond_all_ram_in_use_is_no_danger_but_counted_several_times() -> None:
    """A file of 100 MiB in RAM that is mapped 280 times, on a machine of 24 GiB."""
    row = sized(28 * GIB, 28 * GIB)
    sentence = virt_sentence(row, MACHINE, Assessment())
    assert sentence == (
        "RES is 28.0 GiB, more than this machine can have in use: it maps the same pages several times. "
        "VIRT is 28.0 GiB."
    )
    assert virt_answer(row, MACHINE, Assessment()).says.endswith("No; RES counts pages several times")
    shared = over(sized(900 * MIB, 300 * MIB), Limit.CGROUP, 100 * MIB, 40 * MIB)
    assert "more than api can have in use: it maps the same pages several times, or pages charged elsewhere" in shared


@pytest.mark.parametrize("note", [Note.NONE, Note.KERNEL, Note.ZOMBIE, Note.GONE, Note.DENIED])
@pytest.mark.parametrize(("virt", "rss"), [(GIB, MIB), (0, 0), (None, MIB), (GIB, None)])
def test_virt_has_an_answer_where_it_is_known(note: Note, virt: int | None, rss: int | None) -> None:
    row = FULL._replace(note=note, virt_bytes=virt, rss_bytes=rss)
    assert has_virt_answer(row) is virt_answer(row, MACHINE).is_known
