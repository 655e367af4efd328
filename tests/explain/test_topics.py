"""The course is complete, its links lead somewhere, and it does not teach what is wrong."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from memtop.columns import BY_NAME, COLUMNS
from memtop.errors import UsageError
from memtop.explain.placeholders import facts_of
from memtop.explain.topic_loader import Topic, contents, following, parts, topic, topics
from memtop.model.row import Note
from tests.explain.regions import REGION_FACTS
from tests.explain.rows import FULL, MACHINE, STATUS
from tests.runtimes.samples import GO_FACTS, JVM_FACTS

HEADER = ("ram", "available", "swap", "psi", "faults_rate", "oom_kills")
CHARTS = ("memory_chart", "fault_chart")
RUNTIMES = ("go_panel", "go_heap", "go_gc", "gogc", "gomemlimit", "jvm_panel", "xmx", "allocators")
SCREEN = ("screen", "table", "filter", "tree", "looking_back", "recording", "own_cost", "demo")
LESSON = (
    "address_space",
    "pages",
    "page_tables",
    "mmu_tlb",
    "resident_set",
    "page_faults",
    "copy_on_write",
    "mmap_500",
    "overcommit",
    "oom_killer",
    "swap",
    "which_number",
    "shared_libraries",
    "permissions",
    "special_processes",
)


@pytest.mark.parametrize("name", [*HEADER, *CHARTS, *SCREEN, *RUNTIMES, *LESSON])
def test_everything_on_the_screen_and_in_the_lesson_has_its_topic(name: str) -> None:
    assert topic(name).name == name


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.key)
def test_every_column_has_its_topic(column: object) -> None:
    named = getattr(column, "topic")  # noqa: B009  Column is generic to pytest's ids
    assert topic(named).name == named


@pytest.mark.parametrize("typed", BY_NAME)
def test_every_name_of_a_column_finds_the_topic_of_that_column(typed: str) -> None:
    assert topic(typed).name in {BY_NAME[typed].topic, typed}


def test_links_resolve_and_do_not_lead_back_to_the_same_page() -> None:
    names = {one.name for one in topics()}
    for each in topics():
        assert set(re.findall(r"\]\((.*?)\)", each.body)) == {f"topic:{link}" for link in each.links}
        assert set(each.links) <= names - {each.name}


def test_every_file_is_in_the_contents_once_and_the_other_way_round() -> None:
    files = sorted(
        file.name for file in (resources.files("memtop.explain") / "topics").iterdir() if file.name.endswith(".md")
    )
    assert sorted(f"{each.name}.md" for each in topics()) == files


def test_every_topic_but_the_first_is_reached_by_following_the_course() -> None:
    walked, at = [topics()[0]], following(topics()[0].name)
    while at is not None:
        walked.append(at)
        at = following(at.name)
    assert tuple(walked) == topics()


def test_contents_name_every_part_and_every_topic_with_its_summary() -> None:
    text = contents()
    for number, part in enumerate(parts(), 1):
        assert f"## {number}. {part.title}" in text
    for each in topics():
        assert f"- [{each.name}](topic:{each.name}): {each.summary}" in text


def test_a_topic_is_short_has_one_sentence_as_summary_and_the_plain_subset_of_markdown() -> None:
    for each in topics():
        assert 60 <= len(each.body.split()) <= 300
        assert each.title
        assert len(each.summary) < 110
        assert re.fullmatch(r"[A-Zm%Δ][^\n]*\.", each.summary)
        assert not re.search(r"[.!?] ", each.summary)
        assert not re.search(r"^(#|\d+\.|\* |\||```|  )", each.body, re.M)
        for block in each.body.split("\n\n"):
            assert not block.startswith("{"), "a fact that opens a paragraph could be taken for a mark of Markdown"


def test_a_topic_says_what_is_commonly_misread_and_nothing_is_promised_for_later() -> None:
    for each in topics():
        assert "ften misread" in each.body or each.name == "which_number"
        assert not re.search(r"TODO|coming soon|not yet implemented|pip install", each.body, re.I)


def test_every_fact_that_a_topic_names_is_made_from_a_full_row() -> None:
    facts = facts_of(FULL._replace(note=Note.LEADER_GONE), MACHINE, STATUS) | REGION_FACTS | GO_FACTS | JVM_FACTS
    for each in topics():
        assert each.facts <= facts.keys()
        assert "{" not in each.fill(facts)


def test_without_any_fact_only_the_personal_paragraphs_are_left_out() -> None:
    for each in topics():
        filled = each.fill({})
        assert "{" not in filled
        general = [block for block in each.body.split("\n\n") if "{" not in block]
        assert filled.split("\n\n")[2:] == [*general[:-1], general[-1] + "\n"]
        assert len(" ".join(general).split()) >= 60


def test_a_missing_fact_drops_just_its_paragraph_or_list_item() -> None:
    page = Topic("t", "T", "S.", "One {a}.\n\nTwo.\n\n- three {b}\n- four {a}\n\n- five {c}\n\nSix.")
    assert page.fill({"a": "1", "b": "2"}) == "# T\n\n> S.\n\nOne 1.\n\nTwo.\n\n- three 2\n- four 1\n\nSix.\n"
    assert page.fill({"b": "2"}) == "# T\n\n> S.\n\nTwo.\n\n- three 2\n\nSix.\n"


def test_facts_are_data_neither_markdown_nor_further_places_in_them_are_obeyed() -> None:
    page = Topic("t", "T", "S.", "Named {a} and {b}.")
    filled = page.fill({"a": "[x](topic:rss) **b** `c` <i>", "b": "{a}"})
    assert r"Named \[x\](topic:rss) \*\*b\*\* \`c\` \<i\> and {a}." in filled


def test_names_are_taken_in_any_case_with_spaces_or_hyphens() -> None:
    assert topic("RES").name == "rss"
    assert topic(" Copy-on-Write ").name == "copy_on_write"
    assert topic("which number").name == "which_number"
    assert topic("MINFLT/s").name == "minor_faults"
    assert topic("VmHWM").name == "peak"


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("minor_fault", "minor_faults"),
        ("virtt", "virt"),
        ("page_table", "page_tables"),
        ("oom_kill", "oom_kills"),
        ("returned", "go_returned"),
    ],
)
def test_an_unknown_name_is_answered_with_near_ones(typed: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"did you mean .*{near}"):
        topic(typed)


@pytest.mark.parametrize(
    ("typed", "watches", "reports"),
    [
        ("18326", "memtop 18326", "memtop report 18326"),
        (" 1 ", "memtop 1", "memtop report 1"),
        ("nginx", "memtop nginx", "memtop report PID"),
        ("my app", "memtop 'my app'", "memtop report PID"),
        ("", "memtop NAME", "memtop report PID"),
    ],
)
def test_a_process_in_the_place_of_a_topic_is_answered_with_the_commands_for_it(
    typed: str, watches: str, reports: str
) -> None:
    with pytest.raises(UsageError) as caught:
        topic(typed)
    assert f'"{watches}" watches' in str(caught.value)
    assert f'"{reports}" writes a report' in str(caught.value)


@pytest.mark.parametrize("typed", ["", "xyzzy", "../errors", "/etc/passwd", "contents.toml", "\x1b[31m", "a" * 5000])
def test_a_strange_name_is_refused_in_one_visible_line(typed: str) -> None:
    with pytest.raises(UsageError) as caught:
        topic(typed)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


WRONG = (
    (r"RES (is|means|equals) (all )?(the |its )?(physical|real) memory", "RES is the physical memory of a process."),
    (
        r"RES (rises|climbs|grows) (only )?when (each|a|the) page is (first )?(read|touched)",
        "RES rises when a page is touched.",
    ),
    (r"(every|a|each) page (is|has) 4 ?K", "A page is 4 KiB."),
    (r"(nice|priority)[^.]*(raises|lowers|changes|adds to)[^.]*(score|OOM)", "A nice value lowers the OOM score."),
    (r"scores? (tells?|predicts?|decides?) who dies(?! in my container)", "The score predicts who dies."),
    (r"major faults? (are|is|means?) (always )?(a )?disk reads?", "A major fault is a disk read."),
    (r"libraries (are|is) (the reason|why)", "Libraries are the reason for a large VIRT."),
    (r"128 TB|all 64 bits", "A process has 128 TB."),
    (r"GOMEMLIMIT limits the heap", "GOMEMLIMIT limits the heap."),
    (r"runtime\.FreeOSMemory", "Call runtime.FreeOSMemory()."),
    (r"%MEM (is|shows|tells)[^.]*(distance|how close)", "%MEM tells how close to the limit it is."),
    (r"SHR (is|means) (the )?(memory|pages) (that (is|are) )?shared with", "SHR is memory shared with others."),
    (r"zombies? (use|hold|eat|take)s? (up )?(memory|RAM)(?!\". They do not)", "Zombies hold memory."),
    (r"(faults?|MINFLT/s)[^.]* (is|are|measures?) the allocation rate", "MINFLT/s is the allocation rate."),
    (r"(137|SIGKILL) (proves|always means)", "137 proves an OOM kill."),
    (r"Yama (forbids|prevents|restricts) reading", "Yama restricts reading."),
    (
        r"free\(\) (gives|returns|hands) (it|memory|pages)? ?(back )?to the kernel",
        "free() returns memory to the kernel.",
    ),
    (r"Committed_AS is (the )?memory (in use|used)", "Committed_AS is memory used."),
    (r"HeapSys (is|means) (the )?memory (in use|used)", "HeapSys is memory in use."),
    (r"GOMEMLIMIT (is a hard limit|protects from)(?!.* OOM killer\.\*\*)", "GOMEMLIMIT is a hard limit."),
    (r"Xmx (bounds|limits) (RES|the process)", "Xmx limits the process."),
    (r"PSI (is|shows) (how much|the use of) RAM", "PSI shows how much RAM is used."),
    (r"page tables (are )?part of RES", "Page tables are part of RES."),
    (r"private and written\W.*and no file does", "DIRTY is private and written: nobody else has it, and no file does."),
    (r"Private dirty is the hardest", "Private dirty is the hardest memory: the kernel cannot take it without swap."),
    (r"(level|floor)\W+:?\W*garbage collection at work", "Its low points stay level: garbage collection at work."),
    (r"OutOfMemoryError[^.]* only when 98", "It gives up with an OutOfMemoryError only when 98 % of the time is lost."),
    (r"three times \(until JDK 24\)", "ZGC maps its heap three times (until JDK 24)."),
    (r"jemalloc(?! before 5\.2\.1)[^.]* work this way", "Go 1.12 to 1.15, jemalloc and some others work this way."),
    (r"(first drops|drops) cache(, then| first)", "The kernel first drops cache, then swaps."),
    (r"is refused(?![^\n]*5\.2)[^\n]*\n", "Only a request above all RAM and swap is refused.\n"),
    (r"top of its heap above 128 KiB", "It returns the top of its heap above 128 KiB."),
    (r"of 128 KiB and more lie elsewhere", "Allocations of 128 KiB and more lie elsewhere."),
    (r"minor\W[^.]*found the page in RAM", "Minor ones found the page in RAM."),
    (r"GC\.heap_dump(?! \w)", "Take a heap dump (jcmd PID GC.heap_dump)."),
    (r"swappiness[^.]* (is|means) the percentage of RAM", "Swappiness is the percentage of RAM at which it swaps."),
    (r"without it the heap may take a quarter", "Without it the heap may take a quarter of the RAM."),
    (r"promised and (never touched|untouched)", "It is promised and never touched."),
    (r"nobody asks for it", "It lies on swap and nobody asks for it."),
    (r"ANON[^.]*, its own (pages|memory)", "ANON is its own pages: ANON, its own memory."),
    (r"garbage collection, not a leak", "It swings: garbage collection, not a leak."),
)
"""Claims that introductions make and that are false: a pattern, and a sentence that it must find."""


@pytest.mark.parametrize(("pattern", "sentence"), WRONG)
def test_no_topic_teaches_a_common_belief_that_is_wrong(pattern: str, sentence: str) -> None:
    assert re.search(pattern, sentence, re.I), "the pattern must be able to find the claim"
    findings = (resources.files("memtop.explain") / "findings.toml").read_text("utf-8")
    texts = {each.name: f"{each.summary} {each.body}" for each in topics()} | {"findings.toml": findings}
    for name, text in texts.items():
        found = re.search(pattern, text, re.I)
        assert found is None, f"{name}: {found}"


def test_which_number_names_the_panel_of_a_containers_limit() -> None:
    (answer,) = (part for part in topic("which number").body.split("\n\n") if "container" in part and "limit" in part)
    assert "%LIM" in answer and "panel 3" in answer
