"""The same texts on a terminal without Textual."""

from __future__ import annotations

import io
import re
import subprocess
import sys

import pytest

from memtop.errors import UsageError
from memtop.explain.command import MAX_WIDTH, run
from memtop.explain.placeholders import facts_of
from memtop.explain.plain_text import plain
from memtop.explain.topic_loader import contents, topics
from tests.explain.rows import FULL, MACHINE, STATUS

SGR = re.compile(r"\x1b\[\d*m")
PAGES = [contents(), *(each.fill(facts_of(FULL, MACHINE, STATUS)) for each in topics())]


@pytest.mark.parametrize("width", [16, 40, 80, 200])
def test_lines_are_never_wider_than_asked(width: int) -> None:
    for page in PAGES:
        assert max(map(len, plain(page, width).splitlines())) <= width


@pytest.mark.parametrize("width", [0, -5, 1])
def test_a_width_that_is_no_width_still_gives_text(width: int) -> None:
    assert " ".join(plain("Some words to be wrapped.", width).split()) == "Some words to be wrapped."


@pytest.mark.parametrize("width", [40, 80])
def test_colour_adds_escapes_and_moves_nothing(width: int) -> None:
    for page in PAGES:
        colored = plain(page, width, color=True)
        assert "\x1b[" in colored
        assert SGR.sub("", colored) == plain(page, width)
        assert "\x1b" not in plain(page, width)
        assert all(line.count("\x1b[0m") * 2 == line.count("\x1b[") for line in colored.splitlines())


def test_no_mark_of_markdown_is_left() -> None:
    for page in PAGES:
        assert not re.search(r"\*\*|`|\]\(topic:|^#|^>|^- ", plain(page, 80), re.M)


def test_headings_lists_and_terms_have_their_shapes() -> None:
    page = (
        "# Title\n\n> In short.\n\nSome **bold** and [a link](topic:rss).\n\n- one two three four\n- five\n\n- **a:** b"
    )
    assert plain(page, 16).splitlines() == [
        "Title",
        "═════",
        "",
        "In short.",
        "",
        "Some bold and a",
        "link.",
        "",
        "· one two three",
        "  four",
        "· five",
        "",
        "· a: b",
    ]
    assert plain("- [a](topic:a): one two three four\n- [bcd](topic:bcd): five", 24).splitlines() == [
        "  a    one two three",
        "       four",
        "  bcd  five",
    ]


def test_facts_with_marks_are_shown_as_they_are() -> None:
    assert plain(r"Named \*\*x\*\* and \[y\](topic:rss).", 80) == "Named **x** and [y](topic:rss).\n"


def test_the_command_prints_one_topic_and_where_to_go_on() -> None:
    out = io.StringIO()
    assert run("RES", 80, out, color=False) == 0
    assert out.getvalue().startswith("RES, the resident set\n")
    assert "Linked here: anon, shr, oom_killer, growth\n" in out.getvalue()
    assert out.getvalue().endswith("Next in the course: mem_percent\n")


def test_the_command_without_a_topic_prints_the_course_in_lines_that_can_be_read() -> None:
    out = io.StringIO()
    assert run(None, 500, out, color=False) == 0
    assert "1. First, the question" in out.getvalue()
    assert all(each.name in out.getvalue() for each in topics())
    assert max(map(len, out.getvalue().splitlines())) <= MAX_WIDTH


def test_the_command_leaves_an_unknown_topic_to_the_command_line_and_prints_nothing() -> None:
    out = io.StringIO()
    with pytest.raises(UsageError, match='no topic "rsx"'):
        run("rsx", 80, out, color=False)
    assert out.getvalue() == ""


def test_a_terminal_that_knows_only_ascii_gets_every_text_in_ascii() -> None:
    for name in (None, *(each.name for each in topics())):
        raw = io.BytesIO()
        out = io.TextIOWrapper(raw, encoding="ascii")
        run(name, 80, out, color=False)
        out.flush()
        assert raw.getvalue().isascii(), name


def test_explaining_imports_nothing_heavy() -> None:
    heavy = (
        "import sys, memtop.explain.command; print(sorted({'textual', 'rich', 'plotext', 'psutil'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True, timeout=30)
    assert ran.stdout == "[]\n"
