"""Terminals that cannot do everything, and people who do not want everything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal
from tests.e2e.worker import Worker

HEADLINE = re.compile(r"VIRT [\d.]+[KMG] .*RES [\d.]+[KMG]")


def hues(output: bytes) -> set[bytes]:
    """The true colours of the output that are no grey."""
    colours = re.findall(rb"[34]8;2;(\d+);(\d+);(\d+)", output)
    return {b";".join(parts) for parts in colours if max(map(int, parts)) - min(map(int, parts)) > 24}


def _run(log: Path, worker: Worker, *options: str, **settings: str) -> tuple[str, bytes]:
    """What is on the screen, and all bytes that were drawn."""
    with Terminal(*options, "-d", "0.3", str(worker.pid), env=settings, log=log) as terminal:
        terminal.wait_for(HEADLINE)
        screen = terminal.screen()
        terminal.send("q")
        assert terminal.wait_end() == 0
    return screen, log.read_bytes()


def test_in_a_colour_terminal_there_is_colour(tmp_path: Path, worker: Worker) -> None:
    drawn = _run(tmp_path / "log", worker, COLORTERM="truecolor")[1]
    assert hues(drawn)


@pytest.mark.parametrize(
    ("options", "settings"), [((), {"NO_COLOR": "1"}), (("--no-color",), {})], ids=["env", "option"]
)
def test_without_colour_nothing_is_coloured(
    tmp_path: Path, worker: Worker, options: tuple[str, ...], settings: dict[str, str]
) -> None:
    screen, drawn = _run(tmp_path / "log", worker, *options, COLORTERM="truecolor", **settings)
    assert not hues(drawn)
    assert "? Help" in screen


def test_ascii_draws_nothing_beyond_ascii(tmp_path: Path, worker: Worker) -> None:
    log = tmp_path / "log"
    with Terminal("--ascii", "-d", "0.3", str(worker.pid), log=log) as terminal:
        terminal.wait_for(HEADLINE)
        for opens, sign in (("?", "Everywhere"), ("e", "Backspace back"), ("d", "Seconds between"), ("c", "Columns")):
            terminal.send(opens)
            terminal.wait_for(sign)
            screen = terminal.screen()
            assert screen.isascii(), {character for character in screen if not character.isascii()}
            terminal.send("Escape")
            terminal.wait_until_gone(sign)
        terminal.send("q")
        assert terminal.wait_end() == 0
    assert not re.search(rb"[\x80-\xff]", log.read_bytes())


def test_a_c_locale_is_no_reason_to_fail(tmp_path: Path, worker: Worker) -> None:
    screen, drawn = _run(tmp_path / "log", worker, LC_ALL="C", LANG="C", PYTHONUTF8="0")
    assert HEADLINE.search(screen)
    assert b"\\u2" not in drawn, "no escapes of Python's in place of characters"
    assert screen.isascii(), "who says C means ASCII"


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_move_its_cursor_is_refused(worker: Worker, term: str) -> None:
    with Terminal(str(worker.pid), env={"TERM": term}) as terminal:
        assert terminal.wait_end() == 2
        assert "use -b, --json or --csv" in terminal.screen()
