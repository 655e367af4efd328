"""The command line: what is asked for, which parts answer, and the exit code. Parts are wired together only here.

Nothing is imported before it is known to be needed: one JSON sample must not pay for the screen.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from memtop import __version__, preflight
from memtop.cli.arguments import HELP, Given, parse
from memtop.cli.options import RESET_TERMINAL, VERSION, command_named
from memtop.cli.output import discard, put
from memtop.errors import MemtopError
from memtop.sanitize import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

OK: Final = 0
INTERRUPTED: Final = 130
"""128 and SIGINT, as shells say it."""
COMMANDS: Final = ("demo", "explain", "regions", "replay")


def run(argv: Sequence[str]) -> int:
    """Do what the command line says; returns the exit code."""
    try:
        return _run(argv)
    except MemtopError as error:
        return _fail(error)
    except BrokenPipeError:  # the reader of our output has had enough
        discard()
        return OK
    except KeyboardInterrupt:
        return INTERRUPTED


def _fail(error: MemtopError) -> int:
    try:  # noqa: SIM105 (one sample does not need contextlib)
        print(f"memtop: {clean(str(error))}", file=sys.stderr)
    except OSError:  # a full disk: then the code must do
        pass
    return error.exit_code


def _run(argv: Sequence[str]) -> int:
    name, argv = (argv[0], argv[1:]) if argv and argv[0] in COMMANDS else ("", argv)
    program = None
    if not name and "--" in argv:
        at = list(argv).index("--")
        argv, program = argv[:at], argv[at + 1 :]
    command = command_named(name)
    given = parse(command, argv)
    if given.has(HELP.name):
        from memtop.cli.help import help_text, width

        put(print, help_text(command, width()), end="")
        return OK
    if given.has(VERSION.name):
        put(print, f"memtop {__version__}")
        return OK
    if given.has(RESET_TERMINAL.name):
        from memtop.tui.terminal.terminal_state import reset_terminal

        reset_terminal()
        return OK
    if name == "explain":
        from memtop.cli.commands import explain

        return explain(given)
    preflight.check_platform()
    if name == "regions":
        from memtop.cli.commands import regions

        return regions(given)
    return _watch(name, given, program)


def _watch(name: str, given: Given, program: Sequence[str] | None) -> int:
    """Samples, one after the other: on a screen or without."""
    from memtop.cli.settings_from_args import settings_of

    replay = given.words[0] if name == "replay" else ""
    settings = settings_of(given, targets=() if name else given.words, replay=replay)
    form = _form(given)
    if given.has("--check"):
        from memtop.cli.commands import check

        return check(given, settings)
    if program is not None:
        from memtop.cli.commands import launched

        return launched(program, settings, form)
    if name == "demo":
        from memtop.cli.commands import demo

        return demo(given, settings, form)
    if not form:
        from memtop.cli import screen

        return screen.run(settings)
    from memtop.cli import batch

    return batch.run(settings, form)


def _form(given: Given) -> str:
    """``json``, ``csv`` or ``text``; empty for a screen."""
    if given.has("--json"):
        return "json"
    if given.has("--csv"):
        return "csv"
    return "text" if given.has("--batch") or not sys.stdout.isatty() else ""
