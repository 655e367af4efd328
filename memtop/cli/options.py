"""The commands and their options: what ``--help`` shows, and what may be typed."""

from __future__ import annotations

from typing import Final

from memtop.cli.arguments import HELP, Command, Flag
from memtop.columns import COLUMNS

_WATCH: Final = "Watch the memory of Linux processes move, and understand why."
_EXAMPLES: Final = """\
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

exit codes: 0 done or fine, 1 bad (--check) or memtop failed, 2 cannot be done as asked,
3 no such process, 4 not permitted, 5 not known yet (--check), 128+n ended by signal n
"""
RESET_TERMINAL: Final = Flag("--reset-terminal", "mend the terminal after a killed memtop")
VERSION: Final = Flag("--version", "show program's version number and exit", letter="-V")
_CHECKS: Final = (
    Flag("--check", "exit 0: fine, 1: grows or near a limit, 5: not known"),
    Flag("--for", "how long --check watches (100, up to 300 if it must)", "SECS"),
)
_VIEWS: Final = (
    (
        "which processes",
        (
            Flag("--pid", "watch these", "PID[,PID]", "-p"),
            Flag("--filter", "text, !regex, or terms such as rss>500m", "EXPR", "-f"),
            Flag("--user", "only this user's", "NAME", "-u"),
            Flag("--children", "and their descendants", letter="-C"),
        ),
    ),
    (
        "how they are shown",
        (
            Flag("--tree", "parents and children, with subtree totals", letter="-t"),
            Flag("--sort", ", ".join(column.key for column in COLUMNS), "COLUMN", "-s"),
            Flag("--columns", "columns and their order; +NAME adds one", "A,B,...", "-c"),
            Flag("--delay", "time between samples, 0.1 to 60 (1)", "SECS", "-d"),
            Flag("--iterations", "end after N samples", "N", "-n"),
            Flag("--no-color", "as with NO_COLOR set"),
            Flag("--ascii", "no characters beyond ASCII"),
            Flag("--no-mouse", "leave the mouse to the terminal"),
        ),
    ),
    (
        "without a screen (also when standard output is no terminal)",
        (
            Flag("--batch", "print a table each time", letter="-b"),
            Flag("--json", "print one JSON object a line"),
            Flag("--csv", "print comma-separated values"),
            Flag("--output", "write there instead", "FILE", "-o"),
        ),
    ),
    (
        "other",
        (
            Flag("--record", "also write what is read to a new file", "FILE"),
            Flag("--go-url", "read a Go program's metrics there", "[PID=]URL"),
            Flag("--no-smaps", "never read smaps, which holds up its process a little"),
            Flag("--readonly", "no signals, no renice"),
            Flag("--keep-oom-score", "do not offer itself to the OOM killer first"),
            VERSION,
        ),
    ),
)


def command_named(name: str) -> Command:
    """``demo``, ``explain``, ``regions``, ``replay``, or empty for memtop itself."""
    if name == "demo":
        return _demo()
    if name == "explain":
        topic = ("topic", "a topic; without one, the contents")
        return Command("memtop explain [topic]", "What the numbers mean.", (topic,), (("options", (HELP,)),), most=1)
    if name == "regions":
        return _regions()
    if name == "replay":
        file = ("FILE", "a recording made with --record")
        return Command("memtop replay [OPTIONS] FILE", _WATCH, (file,), (("options", (HELP,)), *_VIEWS), 1, 1)
    which = ("PID | NAME", "processes to watch; all without any")
    groups = (("options", (HELP, *_CHECKS, RESET_TERMINAL)), *_VIEWS)
    return Command("memtop [OPTIONS] [PID | NAME]...", _WATCH, (which,), groups, epilog=_EXAMPLES)


def _demo() -> Command:
    from memtop.demo import scenarios  # noqa: PLC0415 (only those who want a demo)
    from memtop.demo.recorded_runs import GO, recorded_runs  # noqa: PLC0415

    started = "; ".join(f"{scenario.name}: {scenario.says}" for scenario in scenarios())
    runs = ", ".join(f"{run.name} ({run.says})" for run in recorded_runs())
    words = (
        ("SCENARIO", f"{started}; {GO}: recorded runs of real Go services, played back"),
        ("RUN", f"after {GO}: {runs}"),
    )
    usage = "memtop demo [OPTIONS] [SCENARIO] [RUN]"
    return Command(usage, _WATCH, words, (("options", (HELP,)), *_VIEWS), most=2)


def _regions() -> Command:
    from memtop.headless.regions import SORTS  # noqa: PLC0415 (only those who want regions)

    options = (
        HELP,
        Flag("--sort", f"{', '.join(SORTS)} (size)", "MEASURE", "-s"),
        Flag("--lines", "only the largest N", "N", "-n"),
        Flag("--kinds", "sums by kind of memory in place of mappings"),
        Flag("--json", "one JSON object"),
    )
    pid = ("PID", "the process; it is held up for 12 to 18 ms for each GiB resident")
    says = "Where the address space of a process is: its mappings, largest first, once."
    return Command("memtop regions [OPTIONS] PID", says, (pid,), (("options", options),), 1, 1)
