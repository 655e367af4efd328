"""What a command takes, as data, and what was given to it.

argparse does all this and more, but importing it and building a parser took a tenth of the time of a JSON sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from memtop.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Flag(NamedTuple):
    """One option, as the help shows it: ``-s, --sort COLUMN  what it is for``."""

    name: str
    """With two dashes."""
    says: str
    value: str = ""
    """What stands for its value; empty for an option that takes none."""
    letter: str = ""
    """With one dash; empty for an option that only has a long name."""


class Command(NamedTuple):
    """All that may follow the name of a command."""

    usage: str
    says: str
    words: tuple[tuple[str, str], ...]
    """Arguments that are no options, and what is said of them."""
    groups: tuple[tuple[str, tuple[Flag, ...]], ...]
    """Titles and their options."""
    least: int = 0
    """Of the words, so many must be given ..."""
    most: int | None = None
    """... and no more than these; None for as many as one likes."""
    epilog: str = ""


class Given:
    """What was given: words and options, in order."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._values: dict[str, list[str]] = {}

    def add(self, name: str, value: str) -> None:
        """Note an option by its long name; the value is empty for one that takes none."""
        self._values.setdefault(name, []).append(value)

    def has(self, name: str) -> bool:
        """Whether an option was given."""
        return name in self._values

    def every(self, name: str) -> list[str]:
        """The values of an option, in order."""
        return self._values.get(name, [])

    def last(self, name: str) -> str | None:
        """The value of an option, the last of several; None where it was not given."""
        values = self.every(name)
        return values[-1] if values else None


HELP: Final = Flag("--help", "show this help message and exit", letter="-h")


def parse(command: Command, argv: Sequence[str]) -> Given:
    """Understand what follows the name of a command: ``-d2``, ``-d 2``, ``--delay=2`` and ``-bC`` for ``-b -C``.

    Raises UsageError.
    """
    options = {name: option for _, group in command.groups for option in group for name in (option.name, option.letter)}
    given = Given()
    rest = list(reversed(argv))
    while rest:
        word = rest.pop()
        if word == "--":
            given.words += reversed(rest)
            break
        if not _is_option(word):
            given.words.append(word)
            continue
        name, joined, value = word.partition("=")
        if name not in options and not name.startswith("--"):
            name, joined, value = word[:2], word[2:], word[2:]
        if name not in options:
            raise UsageError(f"there is no option {name}")
        option = options[name]
        if option.value and not joined:
            if not rest or _is_option(rest[-1]):
                raise UsageError(f"{name} needs {option.value} after it")
            value = rest.pop()
        elif joined and not option.value:
            if joined == "=":
                raise UsageError(f"{name} takes no value")
            rest.append("-" + value)
            value = ""
        given.add(option.name, value)
    if not given.has(HELP.name):
        _count(command, given.words)
    return given


def _is_option(word: str) -> bool:
    """Negative numbers are none, so that what wants a number can say what is wrong with them."""
    return word.startswith("-") and len(word) > 1 and not word[1:].replace(".", "", 1).isdigit()


def _count(command: Command, words: Sequence[str]) -> None:
    if len(words) < command.least:
        raise UsageError(f"{command.words[len(words)][0]} is missing: {command.usage}")
    if command.most is not None and len(words) > command.most:
        raise UsageError(f"one argument too many, {words[command.most]}: {command.usage}")
