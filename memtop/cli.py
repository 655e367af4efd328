"""The command line: what is asked for, which parts answer, and the exit code. Parts are wired together only here.

Nothing heavy is imported before it is known to be needed: a one-shot run must not pay for the screen.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn, TextIO

from memtop import __version__, guard, units
from memtop.columns import BY_NAME, COLUMNS, DEFAULT_COLUMNS, Column
from memtop.errors import MemtopError, ProcessGone, UsageError
from memtop.query import parse_query
from memtop.sample import RUNTIME, SHARING, Ask, Need
from memtop.settings import Settings
from memtop.text import clean
from memtop.view import View

if TYPE_CHECKING:
    from memtop.demo.step import Step
    from memtop.engine import Engine
    from memtop.frame import Frame
    from memtop.launch import Launch
    from memtop.source import Source
    from memtop.tui.app import MemtopApp

OK: Final = 0
WRONG_USAGE: Final = 2
NO_SUCH_PROCESS: Final = 3
M_ARENA_MAX: Final = -8
"""malloc.h"""
DELAY_S: Final = (0.1, 60.0)
DEMO_PANELS: Final = {"fork": SHARING, "go": RUNTIME}
"""Scenarios that are best seen with a panel open."""
SUBCOMMANDS: Final = ("demo", "explain", "regions", "replay")

_EPILOG: Final = """\
examples:
  memtop                          all processes, the largest first
  memtop 4242                     one process: its VIRT and RES as they move, explained
  memtop postgres -C              every process of that name, and their children
  memtop -f 'user=app rss>500m'   only those that match
  memtop --json -n 3 -d 0.5 4242  three samples as JSON, one object a line
  memtop -- CMD ARGS              start a program, watch it from its first page, end with its status

commands:
  memtop demo [SCENARIO]          something to look at: reserve, leak, spike, sawtooth, fork, go
  memtop explain [TOPIC]          what VIRT, RES, page faults ... mean; without a topic, the contents
  memtop regions PID              where its address space is, largest first, once
  memtop replay FILE              play a recording made with --record
"""


class _Help(argparse.RawDescriptionHelpFormatter):
    """As wide as the terminal; argparse itself imports shutil to find that out, also when no help is wanted."""

    def __init__(self, prog: str) -> None:
        width = os.get_terminal_size().columns if sys.stdout.isatty() else 80
        super().__init__(prog, width=min(100, width), max_help_position=28)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        """``-p, --pid PID`` instead of ``-p PID, --pid PID``."""
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        return f"{', '.join(action.option_strings)} {self._format_args(action, str(action.metavar))}"


class _Parser(argparse.ArgumentParser):
    """One line on stderr and exit 2 for wrong usage."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def run(argv: Sequence[str]) -> int:
    """Do what the command line says; returns the exit code."""
    try:
        if argv and argv[0] == "explain":
            return _explain(argv[1:])
        if argv and argv[0] == "regions":
            return _regions(argv[1:])
        return _main(argv)
    except ProcessGone as error:
        return _fail(error, NO_SUCH_PROCESS)
    except MemtopError as error:
        return _fail(error, WRONG_USAGE)
    except BrokenPipeError:  # the reader of our output has had enough
        _discard_output()
        return OK
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _discard_output() -> None:
    """Nobody takes what is still buffered, and Python must not try again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _writing() -> Iterator[None]:
    """Within it only output raises OSError: an output that takes no more, such as a full disk, is told in one line."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard_output()
        raise MemtopError(f"cannot write: {error.strerror}") from error


def _fail(error: MemtopError, code: int) -> int:
    print(f"memtop: {clean(str(error))}", file=sys.stderr)
    return code


def _main(argv: Sequence[str]) -> int:
    command = argv[0] if argv and argv[0] in SUBCOMMANDS else ""
    argv, program = _program(argv) if not command else (argv, None)
    options = _parser(command).parse_args(argv[1:] if command else argv)
    if not command and options.reset_terminal:
        from memtop.tui.terminal import reset_terminal  # noqa: PLC0415

        reset_terminal()
        return OK
    guard.check_platform()
    settings = _settings(options, command)
    if not command and options.check:
        return _check(options, settings)
    if program is not None:
        return _watch_program(options, settings, program)
    batch = bool(options.batch or options.json or options.csv or not sys.stdout.isatty())
    if not batch:
        return _screen(settings, getattr(options, "scenario", ""), getattr(options, "run", ""))
    if command == "demo":
        raise UsageError("demo needs a terminal")
    with closing(_source(settings)) as source:
        return _batch(options, settings, source)


def _program(argv: Sequence[str]) -> tuple[Sequence[str], Sequence[str] | None]:
    """The options, and the command after ``--``; None without ``--``."""
    if "--" not in argv:
        return argv, None
    at = list(argv).index("--")
    return argv[:at], argv[at + 1 :]


def _watch_program(options: argparse.Namespace, settings: Settings, program: Sequence[str]) -> int:
    """Start a program, watch it, and end with its status."""
    from memtop.launch import Launch  # noqa: PLC0415

    if not program:
        raise UsageError("-- needs a command after it")
    if settings.pids or settings.names:
        raise UsageError("-- COMMAND watches the command alone; leave the other processes out")
    batch = bool(options.batch or options.json or options.csv or not sys.stdout.isatty())
    launch = Launch(program, quiet=not batch)
    settings = settings._replace(pids=(launch.pid,))
    if not batch:
        code = _screen(settings, launch=launch)
        return code or launch.exit_code or OK
    try:
        with closing(_source(settings)) as source:
            code = _batch(options, settings, source, launch)
    finally:
        launch.stop()
    return launch.exit_code if code == OK and launch.exit_code is not None else code


def _check(options: argparse.Namespace, settings: Settings) -> int:
    from memtop import check  # noqa: PLC0415

    if len(settings.pids) != 1 or settings.names:
        raise UsageError("--check takes one PID")
    try:
        seconds = check.USUAL_S if options.seconds is None else units.parse_duration(options.seconds)
    except ValueError as error:
        raise UsageError(f"--for: {error}") from error
    with closing(_source(settings)) as source:
        return check.run(_engine(source), settings.pids[0], seconds, settings.delay_s, sys.stdout)


def _parser(command: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=f"memtop {command}".strip(),
        description="Watch the memory of Linux processes move, and understand why.",
        epilog=None if command else _EPILOG,
        formatter_class=_Help,
        usage=None if command else "memtop [OPTIONS] [PID | NAME]...",
        allow_abbrev=False,
    )
    if command == "demo":
        from memtop.demo import scenarios  # noqa: PLC0415
        from memtop.demo.recorded import GO, recorded_runs  # noqa: PLC0415

        names = [*(scenario.name for scenario in scenarios()), GO]
        runs = ", ".join(f"{run.name} ({run.says})" for run in recorded_runs())
        parser.add_argument(
            "scenario",
            nargs="?",
            default=names[0],
            choices=names,
            metavar="SCENARIO",
            help="; ".join(f"{scenario.name}: {scenario.says}" for scenario in scenarios())
            + f"; {GO}: recorded runs of real Go services, played back",
        )
        parser.add_argument("run", nargs="?", default="", metavar="RUN", help=f"after {GO}: {runs}")
    elif command == "replay":
        parser.add_argument("replay", metavar="FILE", help="a recording made with --record")
    else:
        parser.add_argument("targets", nargs="*", metavar="PID | NAME", help="processes to watch; all without any")
        parser.add_argument("--check", action="store_true", help="exit 0 if PID is fine, 1 if growing or near a limit")
        parser.add_argument("--for", dest="seconds", metavar="SECS", help="how long --check watches (100)")
    which = parser.add_argument_group("which processes")
    which.add_argument("-p", "--pid", action="append", default=[], metavar="PID[,PID]", help="watch these")
    which.add_argument("-f", "--filter", default="", metavar="EXPR", help="text, !regex, or terms such as rss>500m")
    which.add_argument("-u", "--user", default="", metavar="NAME", help="only this user's")
    which.add_argument("-C", "--children", action="store_true", help="and their descendants")
    how = parser.add_argument_group("how they are shown")
    how.add_argument("-t", "--tree", action="store_true", help="parents and children, with subtree totals")
    how.add_argument(
        "-s", "--sort", metavar="COLUMN", help=", ".join(column.key for column in COLUMNS).replace("%", "%%")
    )
    how.add_argument("-c", "--columns", metavar="A,B,...", help="columns and their order; +NAME adds one")
    how.add_argument("-d", "--delay", default="1", metavar="SECS", help="time between samples, 0.1 to 60 (1)")
    how.add_argument("-n", "--iterations", metavar="N", help="end after N samples")
    how.add_argument("--no-color", action="store_true", help="as with NO_COLOR set")
    how.add_argument("--ascii", action="store_true", help="no characters beyond ASCII")
    how.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    out = parser.add_argument_group("without a screen (also when standard output is no terminal)")
    out.add_argument("-b", "--batch", action="store_true", help="print a table each time")
    out.add_argument("--json", action="store_true", help="print one JSON object a line")
    out.add_argument("--csv", action="store_true", help="print comma-separated values")
    out.add_argument("-o", "--output", default="", metavar="FILE", help="write there instead")
    care = parser.add_argument_group("other")
    care.add_argument("--record", default="", metavar="FILE", help="also write what is read to a new file")
    care.add_argument(
        "--go-url", action="append", default=[], metavar="[PID=]URL", help="read a Go program's metrics there"
    )
    care.add_argument("--no-smaps", action="store_true", help="never read smaps, which holds up its process a little")
    care.add_argument("--readonly", action="store_true", help="no signals, no renice")
    care.add_argument("--keep-oom-score", action="store_true", help="do not offer itself to the OOM killer first")
    if not command:
        care.add_argument("--reset-terminal", action="store_true", help="mend the terminal after a killed memtop")
    care.add_argument("-V", "--version", action="version", version=f"memtop {__version__}")
    return parser


def _settings(options: argparse.Namespace, command: str) -> Settings:
    pids = [_pid(text) for group in options.pid for text in group.split(",") if text]
    names: list[str] = []
    for target in getattr(options, "targets", ()):
        if target.isascii() and target.isdigit():
            pids.append(_pid(target))
        elif target:
            names.append(target)
    try:
        delay_s = units.parse_duration(options.delay)
    except ValueError as error:
        raise UsageError(f"--delay: {error}") from error
    if not DELAY_S[0] <= delay_s <= DELAY_S[1]:
        raise UsageError(f"--delay must be between {DELAY_S[0]:g} and {DELAY_S[1]:g} seconds")
    parse_query(options.filter)
    settings = Settings(
        pids=tuple(dict.fromkeys(pids)),
        names=tuple(names),
        children=options.children,
        filter=options.filter,
        user=options.user,
        tree=options.tree,
        sort=None if options.sort is None else _column(options.sort, "--sort"),
        delay_s=delay_s,
        iterations=None if options.iterations is None else _count(options.iterations),
        columns=_columns(options.columns),
        readonly=options.readonly or command == "replay",
        color=not options.no_color and not os.environ.get("NO_COLOR"),
        ascii=options.ascii,
        mouse=not options.no_mouse,
        record=options.record,
        replay=getattr(options, "replay", ""),
        output=options.output,
        smaps=not options.no_smaps,
        go_urls=_go_urls(options.go_url, len(pids) + len(names)),
    )
    if settings.replay:
        return settings
    for pid in settings.pids:
        if not os.path.exists(f"/proc/{pid}"):
            raise ProcessGone(f"no such process: {pid}{guard.hidden_hint()}")
    return settings


def _pid(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**31):
        raise UsageError(f"not a process id: {text}")
    return int(text)


def _go_urls(texts: Sequence[str], targets: int) -> tuple[tuple[int | None, str], ...]:
    """Addresses by pid, each checked before anything is started."""
    if not texts:
        return ()
    from memtop.fetch import parse_endpoint  # noqa: PLC0415

    found: list[tuple[int | None, str]] = []
    for text in texts:
        before, mark, after = text.partition("=")
        pid, url = (_pid(before), after) if mark and before.isascii() and before.isdigit() else (None, text)
        if pid is None and targets != 1:
            raise UsageError("--go-url: say whose metrics these are, as in --go-url 4242=http://127.0.0.1:6060")
        try:
            parse_endpoint(url)
        except UsageError as error:
            raise UsageError(f"--go-url: {error}") from error
        found.append((pid, url))
    return tuple(found)


def _count(text: str, option: str = "--iterations") -> int:
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0):
        raise UsageError(f"{option} must be a whole number, 1 or more")
    return int(text)


def _column(name: str, option: str) -> Column:
    column = BY_NAME.get(name.lower())
    if column is None:
        raise UsageError(f"{option}: no column {name}; there are {', '.join(c.key for c in COLUMNS)}")
    return column


def _columns(text: str | None) -> tuple[Column, ...]:
    if not text:
        return DEFAULT_COLUMNS
    names = [name for name in text.split(",") if name]
    added = tuple(_column(name.lstrip("+"), "--columns") for name in names)
    if all(name.startswith("+") for name in names):
        return tuple(dict.fromkeys((*DEFAULT_COLUMNS[:-1], *added, DEFAULT_COLUMNS[-1])))
    return tuple(dict.fromkeys(added))


def _source(settings: Settings) -> Source:
    """The live machine, the live machine with a recorder, or a recording."""
    source: Source
    if settings.replay:
        from memtop.recording import Replay  # noqa: PLC0415

        source = Replay(settings.replay)
    else:
        from memtop.linux import Linux  # noqa: PLC0415

        source = Linux()
        if settings.record:
            from memtop.recording import Recorder  # noqa: PLC0415

            source = Recorder(source, settings.record)
    return source


def _engine(source: Source) -> Engine:
    from memtop.engine import Engine  # noqa: PLC0415
    from memtop.own import OwnMeter  # noqa: PLC0415

    position: Callable[[], tuple[int, int]] | None = getattr(source, "position", None)
    return Engine(source, OwnMeter(), position, lambda: getattr(source, "problem", None))


def _batch(options: argparse.Namespace, settings: Settings, source: Source, launch: Launch | None = None) -> int:
    from memtop import headless  # noqa: PLC0415

    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    signal.signal(signal.SIGHUP, lambda number, frame: sys.exit(128 + number))
    engine = _engine(source)
    if launch is not None:
        _first_look(engine, View.of(settings).ask(), launch)
    ask = View.of(settings).ask()
    ask = ask._replace(needs_all=~(Need.CGROUP | Need.VICTIM) | ask.needs, runtimes=options.json)
    make_writer: Callable[[TextIO], headless.Writer]
    if options.json:
        make_writer = headless.json_writer
    elif options.csv:
        make_writer = headless.csv_writer
    else:
        width = os.get_terminal_size().columns if sys.stdout.isatty() else None
        make_writer = partial(headless.text_writer, columns=settings.columns, width=width)
    with ExitStack() as stack:
        out = sys.stdout
        if settings.output:
            try:
                out = stack.enter_context(open(settings.output, "x", encoding="utf-8"))
            except OSError as error:
                raise UsageError(f"--output: {settings.output}: {error.strerror}") from error
        return _write_frames(engine, ask, settings, make_writer(out))


def _first_look(engine: Engine, ask: Ask, launch: Launch) -> Frame | None:
    """Take hold of the program before it begins: the first sample finds it, the second holds it until its end."""
    engine.step(ask)
    frame = engine.step(ask)
    launch.go()
    return frame


def _write_frames(engine: Engine, ask: Ask, settings: Settings, write: Callable[..., None]) -> int:
    done = 0
    planned_s = time.monotonic()
    while settings.iterations is None or done < settings.iterations:
        frame = engine.step(ask, max(0.0, time.monotonic() - planned_s) if done else 0.0)
        if frame is None:
            break
        if not frame.tick and settings.names and not settings.pids and not frame.rows:
            raise ProcessGone(f"no process matches {' '.join(settings.names)}")
        if not frame.tick and ask.only and not ask.everybody and not frame.total and not frame.hidden:
            raise ProcessGone(f"no such process: {', '.join(map(str, settings.pids))}")
        with _writing():
            write(frame)
        done += 1
        if settings.pids and not settings.names and not frame.total:
            break
        if settings.replay or done == settings.iterations:
            continue
        engine.prepare()
        planned_s = max(planned_s + settings.delay_s, time.monotonic())
        time.sleep(max(0.0, planned_s - time.monotonic()))
    return OK


def _screen(settings: Settings, demo: str = "", run: str = "", launch: Launch | None = None) -> int:
    """The dashboard. The first sample is taken and painted before Textual is imported, which takes its time."""
    if os.environ.get("TERM", "") in ("", "dumb"):
        raise UsageError("this terminal cannot show a screen (TERM); use -b, --json or --csv")
    if not settings.color:
        os.environ["NO_COLOR"] = "1"
    recorded = None
    if demo == "go":
        from memtop.demo.recorded import recorded_named  # noqa: PLC0415

        recorded = recorded_named(run)
        settings = settings._replace(replay=recorded.path, pids=(recorded.pid,), readonly=True)
    elif run:
        raise UsageError(f"demo {demo} takes no second name; recorded runs are played by demo go {run}")
    gc.disable()  # until the first frame is on screen
    _one_arena()
    from memtop.tui import lifecycle, terminal  # noqa: PLC0415

    if not terminal.speaks_utf8(os.environ):
        settings = settings._replace(ascii=True)

    def make(life: lifecycle.Life) -> MemtopApp:
        nonlocal settings
        source = _source(settings)
        life.at_end.callback(source.close)
        commentary: Callable[[], Step | None] | None = None
        if recorded is not None:
            position: Callable[[], tuple[int, int]] = source.position  # type: ignore[attr-defined]
            commentary = lambda: recorded.step_at(position()[0])  # noqa: E731
        elif demo:
            from memtop.demo import Workload  # noqa: PLC0415

            workload = Workload.start(demo)
            life.at_end.callback(workload.stop)
            commentary = workload.commentary
            settings = settings._replace(pids=(workload.pid,), children=True)
        view = View.of(settings)
        if demo in DEMO_PANELS:
            view = view._replace(panel=DEMO_PANELS[demo])
        engine = _engine(source)
        if launch is not None:
            life.at_end.callback(launch.show_output)
            life.at_end.callback(launch.stop)
        first = engine.step(view.ask()) if launch is None else _first_look(engine, view.ask(), launch)
        if first is not None and not settings.ascii:  # the early painting is not in ASCII
            from memtop.tui.early import paint  # noqa: PLC0415

            size = os.get_terminal_size(life.terminal.out_fd)
            life.terminal.show(paint(first, settings.columns, size.columns, size.lines, settings.color))
        from memtop.tui.app import MemtopApp  # noqa: PLC0415

        app = MemtopApp(engine, settings, view, first=first, life=life, commentary=commentary)
        life.at_end.callback(app.pump.stop)
        return app

    return lifecycle.run(make, mouse=settings.mouse)


def _regions(argv: Sequence[str]) -> int:
    from memtop import regions  # noqa: PLC0415

    parser = _Parser(
        prog="memtop regions",
        description="Where the address space of a process is: its mappings, largest first, once.",
        allow_abbrev=False,
    )
    parser.add_argument("pid", metavar="PID", help="the process; it is held up for about 12 ms for each GiB resident")
    parser.add_argument(
        "-s",
        "--sort",
        default="size",
        choices=[*regions.SORTS],
        metavar="MEASURE",
        help=f"{', '.join(regions.SORTS)} (size)",
    )
    parser.add_argument("-n", "--lines", metavar="N", help="only the largest N")
    parser.add_argument("--kinds", action="store_true", help="sums by kind of memory in place of mappings")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args(argv)
    guard.check_platform()
    limit = None if options.lines is None else _count(options.lines, "--lines")
    with _writing():
        return regions.run(_pid(options.pid), sort=options.sort, limit=limit, kinds=options.kinds, json=options.json)


def _one_arena() -> None:
    """Let glibc keep one heap for all threads: its own for each of ours costs 2 MB and gains nothing under the GIL."""
    import ctypes  # noqa: PLC0415

    with suppress(AttributeError):  # musl has no mallopt and no arenas
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def _explain(argv: Sequence[str]) -> int:
    from memtop.explain import command  # noqa: PLC0415

    parser = _Parser(prog="memtop explain", description="What the numbers mean.", allow_abbrev=False)
    parser.add_argument("topic", nargs="?", help="a topic; without one, the contents")
    options = parser.parse_args(argv)
    terminal = sys.stdout.isatty()
    width = min(100, os.get_terminal_size().columns) if terminal else 80
    with _writing():
        return command.run(options.topic, width, sys.stdout, terminal and not os.environ.get("NO_COLOR"))
