"""How a command line is read: every way in which an option may be written, and what is said of mistakes."""

from __future__ import annotations

import pytest

from memtop.cli.arguments import HELP, Command, Flag, Given, parse
from memtop.cli.help import help_text
from memtop.cli.options import command_named
from memtop.errors import UsageError

FLAGS = (
    HELP,
    Flag("--delay", "time between samples", "SECS", "-d"),
    Flag("--batch", "print a table each time", letter="-b"),
    Flag("--children", "and their descendants", letter="-C"),
    Flag("--no-color", "as with NO_COLOR set"),
)
COMMAND = Command("memtop FILE", "Watch.", (("FILE", "a recording"),), (("options", FLAGS),), least=1, most=2)
COMMANDS = ("", "demo", "explain", "regions", "replay")


def read(*argv: str) -> Given:
    return parse(COMMAND, argv)


@pytest.mark.parametrize("argv", [("-d2",), ("-d", "2"), ("-d=2",), ("--delay=2",), ("--delay", "2"), ("-bd2",)])
def test_a_value_is_joined_or_follows(argv: tuple[str, ...]) -> None:
    given = read("file", *argv)
    assert (given.last("--delay"), given.words) == ("2", ["file"])


def test_letters_that_take_no_value_may_stand_together() -> None:
    given = read("-bC", "file")
    assert given.has("--batch")
    assert given.has("--children")
    assert not given.has("--no-color")
    assert given.last("--delay") is None


def test_words_may_stand_anywhere_and_after_two_dashes_everything_is_one() -> None:
    assert read("a", "-b", "b").words == ["a", "b"]
    assert read("--", "-b", "--batch").words == ["-b", "--batch"]
    assert read("-", "-1").words == ["-", "-1"]


def test_an_option_may_come_again() -> None:
    given = read("file", "-d", "1", "-d", "-3")
    assert (given.every("--delay"), given.last("--delay")) == (["1", "-3"], "-3")


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("f", "--del", "2"), "there is no option --del"),
        (("f", "-x"), "there is no option -x"),
        (("f", "-bx"), "there is no option -x"),
        (("f", "-d"), "-d needs SECS after it"),
        (("f", "-d", "--batch"), "-d needs SECS after it"),
        (("f", "--batch=yes"), "--batch takes no value"),
        (("f", "-b=yes"), "-b takes no value"),
        ((), "FILE is missing"),
        (("f", "g", "h"), "one argument too many, h"),
    ],
)
def test_a_mistake_is_named(argv: tuple[str, ...], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read(*argv)


def test_whoever_asks_for_help_need_not_get_the_rest_right() -> None:
    assert read("--help").has("--help")


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("cells", [20, 80, 100])
def test_the_help_names_every_option_and_stays_within_the_terminal(name: str, cells: int) -> None:
    command = command_named(name)._replace(epilog="")
    text = help_text(command, cells)
    assert cells < 80 or max(map(len, text.splitlines())) <= cells
    for _, flags in command.groups:
        assert all(f"{flag.name} {flag.value}".strip() in text for flag in flags)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_name_and_no_letter_is_taken_twice(name: str) -> None:
    names = [name for _, flags in command_named(name).groups for flag in flags for name in (flag.name, flag.letter)]
    given = [name for name in names if name]
    assert len(given) == len(set(given))
