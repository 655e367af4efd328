"""Whatever a terminal sends, keys are heard again: pastes are bounded, and no sequence breaks the parser."""

from __future__ import annotations

import random

import pytest
from textual import events
from textual._xterm_parser import BRACKETED_PASTE_END as END
from textual._xterm_parser import BRACKETED_PASTE_START as START
from textual.message import Message

from memtop.tui.terminal.key_parser import PASTE_LIMIT, PASTE_LIMIT_S, PASTE_QUIET_S, KeyParser


class Keyboard:
    """A parser, and a clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.size = (120, 40)
        self.parser = KeyParser(lambda report: report.size == self.size, lambda: self.now_s)

    def send(self, text: str, after_s: float = 0.0) -> list[str]:
        """What arrives at the application: keys by name, pastes in quotes."""
        self.now_s += after_s
        return [*map(_named, self.parser.tick()), *map(_named, self.parser.feed(text))]

    def clicked(self, text: str) -> tuple[int, int]:
        """The cell of a click."""
        (event,) = self.parser.feed(text)
        assert isinstance(event, events.MouseDown)
        return int(event.x), int(event.y)


def _named(message: Message) -> str:
    if isinstance(message, events.Paste):
        return repr(message.text)
    return message.key if isinstance(message, events.Key) else type(message).__name__


@pytest.mark.parametrize("cut", range(1, 16))
def test_a_paste_arrives_however_it_is_cut(cut: int) -> None:
    keyboard, text = Keyboard(), f"a{START}rss>1g{END}b"
    arrived = [name for at in range(0, len(text), cut) for name in keyboard.send(text[at : at + cut])]
    assert arrived == ["a", "'rss>1g'", "b"]


@pytest.mark.parametrize("cut", range(3, len(START)))
def test_a_paste_whose_start_comes_late_in_part_is_a_paste(cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    keyboard = Keyboard()
    monkeypatch.setattr("textual._parser.get_time", lambda: keyboard.now_s)
    assert keyboard.send(START[:cut]) == []
    assert keyboard.send(f"{START[cut:]}K9{END}a", after_s=PASTE_QUIET_S - 0.1) == ["'K9'", "a"]


def test_what_was_taken_for_keys_does_not_begin_a_paste(monkeypatch: pytest.MonkeyPatch) -> None:
    keyboard = Keyboard()
    monkeypatch.setattr("textual._parser.get_time", lambda: keyboard.now_s)
    assert keyboard.send(START[:4]) == []
    assert keyboard.send("", after_s=PASTE_QUIET_S + 0.1) != []
    assert keyboard.send(START[4:] + "a" + "b" * PASTE_LIMIT)[-1] == "b"
    assert keyboard.send(f"{START}rss{END}") == ["'rss'"]


def test_a_paste_without_an_end_is_over_when_nothing_more_comes() -> None:
    keyboard = Keyboard()
    assert keyboard.send(f"{START}half of i") == []
    assert keyboard.send("q", after_s=PASTE_QUIET_S) == ["'half of i'", "q"]


def test_a_paste_without_an_end_into_which_a_person_types_is_over_after_a_while() -> None:
    keyboard = Keyboard()
    keyboard.send(START)
    arrived = [name for _ in range(20) for name in keyboard.send("x", after_s=PASTE_LIMIT_S / 15)]
    assert arrived[-5:] == ["x"] * 5


def test_the_rest_of_a_long_paste_is_not_taken_for_keys() -> None:
    keyboard = Keyboard()
    arrived = keyboard.send(START + "q" * 3 * PASTE_LIMIT + END + "a")
    assert arrived == [repr("q" * PASTE_LIMIT), "a"]


def test_escape_sequences_in_a_paste_are_not_taken_for_keys() -> None:
    assert Keyboard().send(f"{START}\x1b[31m{'q' * 40}\x1b{END}a") == [repr("[31m" + "q" * 40), "a"]


@pytest.mark.parametrize("report", ["48;9999;9999;1;1", "48;9999;9999;99999;99999", "48;40;120;1;1", "48;0;0;0;0"])
def test_a_size_that_cannot_be_the_terminals_moves_no_click(report: str) -> None:
    keyboard = Keyboard()
    assert keyboard.send(f"\x1b[{report}t") == []
    assert keyboard.clicked("\x1b[<0;30;5M") == (29, 4)
    assert keyboard.send("\x1b[48;40;120;800;1200t") == ["Resize"]
    keyboard.send(f"\x1b[{report}t\x1b[1114112u")
    assert keyboard.clicked("\x1b[<0;30;41M") == (2, 2)  # pixels, of which a cell has 10 x 20


@pytest.mark.parametrize(
    "garbage",
    ["\x1b[999999999u", "\x1b[1114112u", "\x1b[97;99999999999999999u", "\x1b[48;1;1;0;0t\x1b[<0;5;5M", "\x1b[<0;1;1M"],
)
def test_garbage_does_not_end_the_keyboard(garbage: str) -> None:
    keyboard = Keyboard()
    keyboard.send(garbage)
    assert keyboard.send("a", after_s=1.0)[-1] == "a"


def test_what_the_parser_does_not_survive_costs_nothing_behind_it() -> None:
    keyboard = Keyboard()
    assert keyboard.send(f"\x1b[999999999u\x1b[A{START}{'9' * 10}")[-1:] == ["up"]
    assert keyboard.send(f"K{END}b") == [repr("9" * 10 + "K"), "b"]


def test_random_input_does_not_end_the_keyboard() -> None:
    dice = random.Random(1)
    pieces = [
        START,
        END,
        "\x1b",
        "\x1b[",
        "\x1b[<",
        "\x1b]",
        "\x1bO",
        ";",
        "u",
        "M",
        "t",
        "9",
        "0",
        "a",
        "\x9b",
        "é",
        "\0",
    ]
    for _ in range(300):
        keyboard = Keyboard()
        keyboard.send("".join(dice.choices(pieces, k=60)))
        keyboard.send("\x1b[27u", after_s=PASTE_QUIET_S)
        assert keyboard.send("a", after_s=1.0)[-1] == "a"
