"""The command line: parses arguments, wires the parts together (nothing else does), and sets the exit code.

Each command imports its own parts: a JSON sample does not pay 300 ms for the screen, and the help does not pay 60 ms
for sampling.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from memtop import __version__, preflight
from memtop.cli.output import discard, put
from memtop.cli.parser import COMMANDS, Parser, memtop_parser
from memtop.cli.settings_from_args import one_of, refuse_misplaced, settings_of
from memtop.errors import MemtopError, UsageError, failure_of, starved
from memtop.sanitize import clean

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

ON_THEIR_OWN: Final = ("explain", "regions", "machine", "export", "record", "report")
"""The commands that show no list of processes, in ``commands.RUN``."""
OK: Final = 0
INTERNAL_ERROR: Final = 1
INTERRUPTED: Final = 130
"""128 + SIGINT, as shells report it."""


def run(argv: Sequence[str]) -> int:
    """Run the command line. Returns the exit code."""
    codes: list[int] = []
    try:
        error = failure_of(lambda: codes.append(_run_and_flush(argv)))
    except KeyboardInterrupt:
        return INTERRUPTED
    if error is None:
        return codes[0]
    if isinstance(error, MemtopError):
        return _fail(error)
    if isinstance(error, BrokenPipeError):  # the reader of our output has closed the pipe
        discard()
        return OK
    return _give_up(error)  # the last resort: a sentence, or a report in place of a traceback


def _run_and_flush(argv: Sequence[str]) -> int:
    code = _run(argv)
    put(lambda: None)  # what a help or a version has left in the buffer
    return code


def _give_up(error: Exception) -> int:
    """The end because something ran out, or because memtop itself has failed."""
    if reason := starved(error):
        _say(reason)
        return MemtopError.exit_code
    try:
        from memtop.tui.terminal import crash_report  # noqa: PLC0415 (4 ms; when memtop fails)

        print(crash_report.write(error), file=sys.stderr)
    except (OSError, MemoryError, ImportError, SystemError) as second:  # nothing for the report: a sentence must do
        if isinstance(second, MemoryError | ImportError) and (reason := starved(second)):
            _say(reason)  # what is missing now was missing then
            return MemtopError.exit_code
        _say(starved(second) or f"internal error: {type(error).__name__}: {error}")
    return INTERNAL_ERROR


def _fail(error: MemtopError) -> int:
    _say(str(error))
    return error.exit_code


def _say(text: str) -> None:
    try:  # noqa: SIM105 (one sample does not need contextlib)
        print(f"memtop: {clean(text)}", file=sys.stderr)
    except (OSError, MemoryError):  # a full disk: the exit code must be enough
        pass


def _parser_of(command: str) -> Parser:
    if not command:
        return memtop_parser()
    from memtop.cli.command_parsers import parser_of  # noqa: PLC0415 (0.2 ms; memory that the dashboard has no use for)

    return parser_of(command)


def _run(argv: Sequence[str]) -> int:
    name, argv = (argv[0], argv[1:]) if argv and argv[0] in COMMANDS else ("", argv)
    program = None
    if not name and "--" in argv:
        at = list(argv).index("--")
        argv, program = argv[:at], argv[at + 1 :]
    try:
        given = _parser_of(name).parse(argv)
    except SystemExit:  # the help has been printed
        return OK
    except UsageError as error:
        if not name and (misplaced := next((word for word in argv if word in COMMANDS), "")):
            raise UsageError(f"{error} ({_first(misplaced)})") from None
        raise
    if not name and given.targets and given.targets[0] in COMMANDS:
        raise UsageError(f"{_first(given.targets[0])}; -f {given.targets[0]} finds processes of that name")
    if name == "replay" and not given.replay:  # otherwise it would show the live machine
        raise UsageError("replay needs the name of a recording")
    if name in ON_THEIR_OWN:
        if name != "explain":
            preflight.check_memory()
            preflight.check_descriptors()
        from memtop.cli import commands  # noqa: PLC0415 (20 ms; sampling and what else each needs, which -V and --help do not)

        return commands.RUN[name](given)
    if given.version:
        put(print, f"memtop {__version__}")
        return OK
    if given.reset_terminal:
        from memtop.tui.terminal.terminal_state import reset_terminal  # noqa: PLC0415 (1.6 ms; for this option only)

        reset_terminal()
        return OK
    if name == "replay" and given.salvage:
        from memtop.cli import commands  # noqa: PLC0415 (as above)

        return commands.salvage(given)
    preflight.check_platform()
    preflight.check_memory()
    preflight.check_descriptors()
    return _watch(name, given, program)


def _first(command: str) -> str:
    """What is said where a command does not come first."""
    return f"a command comes before all options: memtop {command} [OPTIONS]"


def _watch(name: str, given: Namespace, program: Sequence[str] | None) -> int:
    """Print or show one sample after another, with a screen or without."""
    settings = settings_of(given)
    form = _form(given)
    if not name:
        refuse_misplaced(given, starts=program is not None, has_screen=not form)
    if settings.notice and (form or given.check):
        _say(settings.notice)
    if given.check or program is not None or name == "demo":
        from memtop.cli import commands  # noqa: PLC0415 (as above)

        if given.check:
            return commands.check(given, settings)
        if program is not None:
            return commands.launched(program, given, settings, form)
        return commands.demo(given, settings, form)
    if not form:
        from memtop.cli import screen  # noqa: PLC0415 (3 ms that output without a screen does without)

        return screen.run(settings)
    from memtop.cli import batch  # noqa: PLC0415 (40 ms of sampling, which a screen imports in its own order)

    return batch.run(settings, form)


def _form(given: Namespace) -> str:
    """``json``, ``csv`` or ``text``; empty for a screen. Raises UsageError."""
    one_of(given, "--batch", "--json", "--csv")
    for option in ("--batch", "--json", "--csv", "--output") if given.check else ():
        one_of(given, "--check", option)
    if given.json:
        return "json"
    if given.csv:
        return "csv"
    return "text" if given.batch or given.output or not sys.stdout.isatty() else ""
