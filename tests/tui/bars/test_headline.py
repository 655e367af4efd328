"""The headline: as much of the sentence as fits, its sign, and how many more."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from memtop.analysis.incidents import Incident, Scope
from memtop.analysis.incidents.incident import Subject
from memtop.analysis.severity import Severity
from memtop.explain.incident_text import Headline, incident_sentences
from memtop.process_key import ProcessKey
from memtop.tui.bars.headline_parts import HeadlineLayout, headline_parts
from memtop.tui.drawing.line_parts import placed

WHO = "orders-api (4242) grows 60 MiB/min"
WHEN = "container shop (300 MiB) is full in 2 to 3 min"


BRIEF = ("orders-api (4242) +60 MiB/min", "container shop full in 2 to 3 min")


def line(
    width: int,
    *clauses: str,
    sign: str = "▲",
    more: int = 0,
    live: bool = True,
    brief: tuple[str, ...] = (),
    who: str = "orders-api (4242)",
) -> str:
    text = ""
    said = Headline(clauses, None, more, brief, who)
    for x, part in placed(*headline_parts(said, width, sign=sign, live=live), width):
        text += " " * (x - cell_len(text)) + part.text
    return text


def test_the_last_clauses_go_first_where_it_is_narrow() -> None:
    assert line(120, WHO, WHEN).startswith(f" ▲ {WHO}; {WHEN} ")
    assert line(80, WHO, WHEN).rstrip() == f" ▲ {WHO}; container shop is full in 2 to 3 min"
    assert line(66, WHO, WHEN).rstrip() == f" ▲ {WHO}; shop full in 2 to 3 min", "that is why it is red"
    assert line(60, WHO, WHEN).rstrip() == f" ▲ {WHO}; full in 2 to 3 min"
    assert line(50, WHO, WHEN).startswith(f" ▲ {WHO} ")
    ram = "this machine's memory (16.0 GiB) full in about 5 min, with 6 others that grow"
    assert line(66, WHO, ram).rstrip() == f" ▲ {WHO}; RAM full in about 5 min"
    falls = "this machine's memory (16.0 GiB) full in about 5 min, as fast as available memory falls"
    assert line(98, WHO, falls).rstrip() == f" ▲ {WHO}; RAM full in about 5 min, as fast as available memory falls"
    assert "full" not in line(66, WHO, falls), "not as if it filled the RAM alone"
    assert line(20, WHO, WHEN).rstrip() == " ▲ orders-api …", "half a PID is another process"


def test_who_what_and_when_are_whole_on_narrow_screens() -> None:
    assert line(80, WHO, WHEN, brief=BRIEF).rstrip() == f" ▲ {WHO}; container shop is full in 2 to 3 min"
    assert line(60, WHO, WHEN, brief=BRIEF).rstrip() == " ▲ orders-api (4242) +60 MiB/min; shop full in 2 to 3 min"


def test_whose_limit_it_is_stays_longer_than_for_how_long_it_has_grown() -> None:
    said = ("leak.py (123456) has grown 60.0 MiB/min for 3 min", "container shop (300 MiB) is full in about 3 min")
    brief = ("leak.py (123456) +60.0 MiB/min", "container shop full in about 3 min")
    found = line(80, *said, brief=brief, more=3)
    assert found.startswith(" ▲ leak.py (123456) +60.0 MiB/min; container shop full in about 3 min")
    assert "has grown 60.0 MiB/min for 3 min" in line(120, *said, brief=brief, more=3)


@pytest.mark.parametrize("path", ["…/orders.service", "memory.max of /system.slice/orders.service"])
def test_the_last_part_of_a_path_names_the_limit_where_the_whole_one_does_not_fit(path: str) -> None:
    said = ("leak.py (123456) has grown 60.0 MiB/min for 3 min", f"{path} (300 MiB) is full in about 3 min")
    brief = ("leak.py (123456) +60.0 MiB/min", f"{path} full in about 3 min")
    assert line(70, *said, brief=brief).rstrip().endswith("; orders.service full in about 3 min")
    assert line(62, *said, brief=brief).rstrip().endswith("; limit full in about 3 min")
    assert line(66, WHO, "/box (300 MiB) is full in about 3 min").rstrip().endswith("; /box full in about 3 min")


@pytest.mark.parametrize(
    ("limit", "shown"),
    [
        ("lxc production-database-primary-01", "produc…ry-01"),
        ("payment-gateway-worker@tenant-42.service", "paymen…nt-42"),
        ("docker 0123456789ab", "docker 0123456789ab"),
    ],
)
def test_a_long_name_of_a_limit_is_cut_in_its_middle_before_it_is_left_out(limit: str, shown: str) -> None:
    said = ("leak.py (123456) has grown 60.0 MiB/min for 3 min", f"{limit} (300 MiB) is full in about 3 min")
    brief = ("leak.py (123456) +60.0 MiB/min", f"{limit} full in about 3 min")
    for width in (80, 100):
        found = line(width, *said, brief=brief, who="leak.py (123456)", more=3)
        name = found.partition("; ")[2].partition(" full in about 3 min")[0]
        assert name and name != "limit", found
        assert cell_len(found) <= width
    assert f"; {shown} full in about 3 min" in line(80, *said, brief=brief, who="leak.py (123456)", more=3)


def test_a_brake_with_a_long_name_is_cut_like_a_limit() -> None:
    brief = ("leak.py (123456) +60.0 MiB/min", "slowed by lxc production-database-primary-01 in about 3 min")
    found = line(80, *brief, brief=brief, who="leak.py (123456)")
    assert "; slowed by produ…y-01 in about 3 min" in found
    assert line(62, *brief, brief=brief, who="leak.py (123456)").rstrip().endswith("; slowed in about 3 min")


@pytest.mark.parametrize(
    ("how", "end"),
    [
        ({"oom": "OOM"}, "each ends by OOM"),
        ({"signal_number": 11}, "each ends by signal 11"),
        ({"code": 143}, "each ends with code 143"),
    ],
)
@pytest.mark.parametrize("more", [0, 3])
def test_how_each_run_of_a_crash_loop_ends_is_a_whole_clause_at_80_columns(
    how: dict[str, float | str], end: str, more: int
) -> None:
    facts: dict[str, float | str] = {
        "restarted": "10 times",
        "loop_s": 10.0,
        "each": "each ends",
        "end_bytes": 60 << 20,
    }
    subject = Subject(Scope.PROCESS, "orders-api (123456)", key=ProcessKey(123456, 1))
    words = incident_sentences(Incident("crash_loop", Severity.WARNING, subject, {**facts, **how}, 1.0, 0.0))
    found = line(80, *words.clauses, brief=words.brief, who=words.who, more=more)
    assert found.startswith(" ▲ orders-api (123456) restarted 10 times in 10 s; each ends ")
    assert end in found or "each ends at 60.0 MiB" in found
    assert end in line(80, *words.brief, brief=words.brief, who=words.who, more=more)


def test_a_long_name_is_shortened_but_its_pid_and_the_rest_stay_whole() -> None:
    who = "a-program-with-quite-a-long-name-of-60-characters-altogether (4194303)"
    said = (f"{who} has grown 60.0 MiB/min for 3 min", WHEN)
    brief = (f"{who} +60.0 MiB/min", "container shop full in 2 to 3 min")
    for width, when in ((60, "full in 2 to 3 min"), (80, "container shop full in 2 to 3 min")):
        found = line(width, *said, brief=brief, who=who, more=12)
        assert found.rstrip().endswith(f"… (4194303) +60.0 MiB/min; {when}")
        assert cell_len(found) <= width


def test_the_number_of_others_stays_as_long_as_the_first_clause_fits() -> None:
    assert line(120, WHO, WHEN, more=3).endswith("! 3 more")
    assert line(52, WHO, WHEN, more=3).endswith("! 3 more")
    assert "more" not in line(40, WHO, WHEN, more=3)
    assert line(120, WHO, sign="") == f" {WHO}", "without an incident there is no list"


def test_that_there_are_others_is_worth_fewer_words_but_not_a_limit() -> None:
    said = ("billing.py (11) rises: +58.1 MiB in 20 s", "/triage-two (200 MiB) full in about 45 s")
    brief = ("billing.py (11) +58.1 MiB in 20 s", "/triage-two full in about 45 s")
    alone, beside = (
        Headline(said, None, 0, brief, brief[0][:15], "a"),
        Headline(said, None, 1, brief, brief[0][:15], "a"),
    )
    layout = HeadlineLayout()
    texts = [shown(layout, one, 80) for one in (alone, beside, alone, beside)]
    assert texts[0].startswith("billing.py (11) rises: +58.1 MiB in 20 s; /triage-two full in about 45 s")
    assert texts[1] == "billing.py (11) +58.1 MiB in 20 s; /triage-two full in about 45 s | ! 1 more"
    assert texts[2].startswith("billing.py (11) +58.1 MiB in 20 s; /triage-two full"), "its wording stays"
    assert texts[3] == texts[1]


def test_it_speaks_of_now_while_the_screen_shows_the_past() -> None:
    assert line(120, WHO, live=False).startswith(f" ▲ now: {WHO}")


@pytest.mark.parametrize("width", [0, 1, 2, 5, 10, 59, 60, 200])
def test_it_never_leaves_its_line(width: int) -> None:
    assert cell_len(line(width, "長い名前 " * 50, WHEN, more=7)) <= max(width, 4)


def shown(layout: HeadlineLayout, said: Headline, width: int) -> str:
    left, right = layout.parts(said, width, sign="▲")
    return "".join(part.text for part in left if part.text != "▲") + "".join(f" | {part.text}" for part in right)


def numbered(rate: str, when: str, *, pid: int = 4242, more: int = 0, limit: str = "/box") -> Headline:
    who = f"orders-api ({pid})"
    clauses = (f"{who} has grown {rate}/min for 4 min", f"{limit} (300 MiB) is full in {when}")
    return Headline(clauses, None, more, (f"{who} +{rate}/min", f"{limit} full in {when}"), who, (pid, "growth"))


NUMBERS = [("30.4 MiB", "7 to 9 min", 0), ("9.8 MiB", "about 7 min", 1), ("30 MiB", "7 to 12 min", 12)]


@pytest.mark.parametrize("width", range(40, 130))
def test_one_trouble_keeps_its_wording_while_its_numbers_change_their_width(width: int) -> None:
    layout = HeadlineLayout()
    said = [numbered(rate, when, more=more) for rate, when, more in NUMBERS]
    texts = [shown(layout, one, width) for _ in range(4) for one in said]
    wordings = [re.sub(r"about \d+|\d+ to \d+|[\d.]+ MiB/min|\d+ more|list|orders-ap\w*…?", "", one) for one in texts]
    assert len(set(wordings[len(NUMBERS) :])) == 1, "once it has met the widest of them"


def test_a_longer_wording_comes_back_where_there_is_room_to_spare() -> None:
    layout = HeadlineLayout()
    long, short = (numbered("30.4 MiB", "7 min", limit=limit) for limit in ("/a-long-name-of-a-box", "/b"))
    whole = shown(HeadlineLayout(), long, 120)
    assert "; /a-long-name-of-a-box (300 MiB) is full in" in whole
    assert "(300 MiB)" not in (brief := shown(layout, long, 104))
    assert shown(layout, long, 104) == brief
    assert shown(layout, long, 120) == whole, "another width is another line"
    shown(layout, long, 104)
    assert "; /b (300 MiB) is full in" in shown(layout, short, 104)


def test_another_trouble_is_laid_out_on_its_own() -> None:
    layout = HeadlineLayout()
    other = numbered("9 MiB", "1 min", pid=1)
    shown(layout, numbered("1030.4 MiB", "70 to 120 min"), 68)
    assert shown(layout, other, 68) == shown(HeadlineLayout(), other, 68)
