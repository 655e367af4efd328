"""The argparse parser and the help of memtop itself; those of its commands are in :mod:`memtop.cli.command_parsers`."""

import argparse
import os
import re
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple, NoReturn

from memtop.cli.output import put
from memtop.columns import COLUMNS
from memtop.errors import UsageError
from memtop.settings import USUAL_DELAY_S

COMMANDS: Final = ("demo", "explain", "export", "machine", "record", "regions", "replay", "report")
"""Words that may stand first on the command line. Anything else belongs to memtop itself."""
WIDEST: Final = 100
WITHOUT_TERMINAL: Final = 80
FARTHEST: Final = 28
"""Most cells before the description of an option. A longer option gets its own line."""
WATCH: Final = "Watch the memory of Linux processes change, and understand why."
"""What memtop is for, at the head of the help."""
_EXAMPLES: Final = """\
examples:
  memtop                          all processes, largest first
  memtop 4242                     one process: VIRT and RES, and what they mean
  memtop postgres -C              all with that name, and their children
  memtop -f 'user=app rss>500m'   only those that match
  memtop --json -n 3 -d 0.5 4242  three samples as JSON, one object per line
  memtop -- CMD ARGS              start a program, watch it, exit as it does

commands (memtop COMMAND --help shows the options of each):
  memtop demo [SCENARIO]          a lesson on a live program: VIRT and RES first
  memtop explain [TOPIC]          what VIRT, RES, page faults ... mean
  memtop regions PID              print its mappings once, largest first
  memtop machine                  where the machine's RAM went, part by part
  memtop record [-o FILE] [PID]   record without a screen: a flight recorder
  memtop replay FILE | -          play a recording, even one being written
  memtop export                   metrics, alert rules, a Grafana dashboard
  memtop report FILE | PID        write a report: HTML, or Markdown for a ticket

exit codes: 0 done or fine, 1 bad (--check) or failed, 2 wrong usage or file
error, 3 no such process, 4 not permitted, 5 not known yet (--check), 6 the
program after -- still runs, 128+n ended by signal n, 141 a closed pipe
"""
_LITERAL: Final = "\0"
"""Prefix of each argument after ``--``, which keeps argparse from taking it for an option. No argument can hold a
NUL."""


class Argument(NamedTuple):
    """Arguments of ``add_argument``."""

    names: tuple[str, ...]
    help: str
    keywords: dict[str, Any]


def flag(*names: str, help: str) -> Argument:
    """An option that takes no value."""
    return Argument(names, help, {"action": "store_true"})


def value(*names: str, metavar: str, help: str, **keywords: str) -> Argument:
    """An option that takes a value. The last of several counts."""
    return Argument(names, help, {"metavar": metavar, **keywords})


def values(*names: str, metavar: str, help: str) -> Argument:
    """An option that takes a value and may be given several times."""
    return Argument(names, help, {"metavar": metavar, "action": "append", "default": []})


def operand(dest: str, metavar: str, help: str, nargs: str | None = None) -> Argument:
    """A positional argument."""
    return Argument((dest,), help, {"metavar": metavar, "nargs": nargs, "type": _without_mark})


class Parser(argparse.ArgumentParser):
    """The parser of one command. Wrong usage raises UsageError."""

    def __init__(self, usage: str, description: str, epilog: str = "") -> None:
        super().__init__(
            "memtop",
            usage,
            description,
            epilog.rstrip("\n"),
            formatter_class=_Formatter,
            add_help=False,
            allow_abbrev=False,
        )
        self.sections: dict[str, list[argparse.Action]] = {}
        """All arguments by the title of their group, in the order of the help."""
        self.refused: dict[str, str] = {}
        """Options of memtop that mean nothing to this command, and why."""

    def section(self, title: str, *arguments: Argument) -> None:
        """Add a group of arguments."""
        group = self.add_argument_group(title)
        self.sections[title] = [
            group.add_argument(*argument.names, help=argument.help.replace("%", "%%"), **argument.keywords)
            for argument in arguments
        ]

    def parse(self, argv: Sequence[str]) -> argparse.Namespace:
        """Read options and operands in any order. Raises UsageError; prints the help and raises SystemExit for -h."""
        at = list(argv).index("--") if "--" in argv else len(argv)
        for argument in argv[:at]:
            name = argument.partition("=")[0] if argument.startswith("--") else argument[:2]
            if name in self.refused:
                self.error(f"{name} means nothing here: {self.refused[name]}")
        # argparse of Python 3.11 loses "--" where operands and options are mixed
        literal = [_LITERAL + argument for argument in argv[at + 1 :]]
        return self.parse_intermixed_args([*self._separate(self._joined(argv[:at])), *literal])

    def error(self, message: str) -> NoReturn:
        """Raise UsageError in place of a usage on standard error and an exit."""
        raise UsageError(message.replace(_LITERAL, ""))

    def print_help(self, file: object = None) -> None:
        """Print the help on standard output. Raises MemtopError and BrokenPipeError."""
        put(print, self.format_help(), end="")

    def _joined(self, argv: Sequence[str]) -> list[str]:
        """Write ``--at -2m`` as ``--at=-2m``, because argparse takes only a plain number after a minus for a value."""
        valued = {
            name
            for actions in self.sections.values()
            for one in actions
            if one.nargs is None
            for name in one.option_strings
        }
        joined: list[str] = []
        for argument in argv:
            if joined and joined[-1] in valued and joined[-1].startswith("--") and re.match(r"-\d", argument):
                joined[-1] += f"={argument}"
            else:
                joined.append(argument)
        return joined

    def _separate(self, argv: Sequence[str]) -> list[str]:
        """Write ``-bd=2`` as ``-b -d=2``, because argparse of Python 3.11 takes it for the value ``=2``.

        Raises UsageError for digits after letters that take no value, as in ``-b4242``.
        """
        letters = "".join(
            name[1]
            for actions in self.sections.values()
            for action in actions
            for name in action.option_strings
            if action.nargs == 0 and len(name) == 2
        )
        parts: list[str] = []
        for argument in argv:
            given = argument[1:] if argument.startswith("-") else ""
            valued = given.lstrip(letters)
            # argparse of Python 3.13 would take -b4242 for -b and an operand -4242
            if valued != given and valued[:1].isdecimal():
                self.error(f"unrecognized arguments: {argument}")
            name, mark, text = given.partition("=")
            flags, last = name[:-1], name[-1:]
            if mark and flags and not flags.lstrip(letters) and (last.isalnum() or last == "_"):
                parts += [f"-{flags}", f"-{last}={text}"]
            else:
                parts.append(argument)
        return parts


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """The help in lines of at most :func:`help_width` cells."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=FARTHEST, width=help_width())

    def _format_action_invocation(self, action: argparse.Action) -> str:
        """``-p, --pid PID``, as Python 3.13 writes it; older versions of argparse repeat the value after each name."""
        if not action.option_strings:
            return super()._format_action_invocation(action)
        names = ", ".join(action.option_strings)
        return names if action.nargs == 0 else f"{names} {action.metavar}"


def help_width() -> int:
    """The number of cells in a line of help."""
    return min(WIDEST, os.get_terminal_size().columns) if sys.stdout.isatty() else WITHOUT_TERMINAL


def _without_mark(text: str) -> str:
    return text.removeprefix(_LITERAL)


HELP: Final = Argument(("-h", "--help"), "show this help and exit", {"action": "help"})
"""The option of every command."""
VIEWS: Final = (
    (
        "which processes",
        (
            values("-p", "--pid", metavar="PID[,PID]", help="only these PIDs"),
            value("-f", "--filter", metavar="EXPR", help="text, !regex, or terms such as rss>500m"),
            value("-u", "--user", metavar="NAME", help="only this user's processes"),
            value("--cgroup", metavar="PATH", help="only processes in this cgroup and below, with its chart"),
            value("--unit", metavar="NAME", help="only processes of this systemd unit, with its chart"),
            flag("-C", "--children", help="also their descendants"),
            flag("--follow", help="when one ends, continue with its successor: the same command"),
        ),
    ),
    (
        "how they are shown",
        (
            flag("-t", "--tree", help="parents and children, with subtree totals"),
            value("--by", metavar="KIND", help="groups by cgroup, container, pod, unit, user, program"),
            value("-s", "--sort", metavar="COLUMN", help=", ".join(column.key for column in COLUMNS)),
            value("-c", "--columns", metavar="A,B,...", help="columns in this order; +NAME adds one"),
            value("-d", "--delay", metavar="SECS", help=f"time between samples, 0.1 to 60 ({USUAL_DELAY_S:g})"),
            value("-n", "--iterations", metavar="N", help="stop after N samples"),
            flag("--no-color", help="no colors, as with NO_COLOR set"),
            flag("--ascii", help="only ASCII characters"),
            flag("--no-mouse", help="leave the mouse to the terminal"),
        ),
    ),
    (
        "without a screen (the default if standard output is not a terminal)",
        (
            flag("-b", "--batch", help="print a table for each sample"),
            flag("--json", help="print one JSON object per line"),
            flag("--csv", help="print comma-separated values"),
            flag("--no-redact", help="do not mask possible secrets in command lines"),
            value("-o", "--output", metavar="FILE", help="write to FILE instead"),
        ),
    ),
    (
        "other",
        (
            value("--record", metavar="FILE", help="also write a recording to a new file"),
            values("--go-url", metavar="[PID=]URL", help="read a Go program's metrics from URL"),
            flag("--no-smaps", help="never read smaps, which briefly stalls the process"),
            flag("--readonly", help="no signals, no renice"),
            flag("--keep-oom-score", help="do not make memtop the OOM killer's first choice"),
            flag("-V", "--version", help="show the version and exit"),
        ),
    ),
)
"""Titles and options of the groups that select and show processes."""


def targets() -> Argument:
    """The processes to watch."""
    return operand(
        "targets",
        "PID | NAME",
        "a PID, or the name of a program or script, or a part of it if none has exactly that name (default: all)",
        "*",
    )


def with_views(parser: Parser, refused: Mapping[str, str] = MappingProxyType({})) -> Parser:
    """Add VIEWS, without the options ``refused``: their long names, and why they mean nothing to this command."""
    for title, arguments in VIEWS:
        taken = []
        for argument in arguments:
            name = argument.names[-1]
            if name not in refused:
                taken.append(argument)
                continue
            parser.refused |= dict.fromkeys(argument.names, refused[name])
            action = argument.keywords.get("action")
            unset = {"store_true": False, "append": []}.get(str(action))
            parser.set_defaults(**{name.lstrip("-").replace("-", "_"): unset})
        if taken:
            parser.section(title, *taken)
    return parser


def memtop_parser() -> Parser:
    """The parser of memtop itself."""
    parser = Parser("memtop [OPTIONS] [PID | NAME]...", WATCH, _EXAMPLES)
    parser.section("positional arguments", targets())
    parser.section(
        "options",
        HELP,
        flag("--check", help="memtop --check PID exits with 0: fine, 1: growing or near a limit, 5: unknown"),
        value("--for", metavar="SECS", help="how long --check watches (100, up to 300 if needed)", dest="check_for"),
        flag("--reset-terminal", help="repair the terminal after memtop was killed"),
    )
    parser.section(
        "with -- CMD",
        value("--kill-after", metavar="SECS", help="send SIGKILL this long after SIGTERM when memtop ends"),
        value("--log-limit", metavar="SIZE", help="keep at most this much of its output (1G)"),
    )
    parser.set_defaults(replay="")
    return with_views(parser)
