"""The argparse parsers and the help of memtop's commands, such as ``memtop record``."""

from collections.abc import Callable
from typing import Final

from memtop.cli.parser import HELP, VIEWS, Parser, flag, memtop_parser, operand, targets, value, values, with_views
from memtop.settings import USUAL_DELAY_S


def _demo() -> Parser:
    from memtop.demo.recorded_runs import GO, recorded_runs  # noqa: PLC0415 (3 ms; only for a demo)
    from memtop.demo.scenarios import scenarios  # noqa: PLC0415 (32 ms, only for a demo)

    lines = [(scenario.name, scenario.says) for scenario in scenarios()]
    lines += [(f"{GO} {run.name}", run.says) for run in recorded_runs()]
    width = max(len(name) for name, _ in lines)
    texts = [f"  {name:<{width}}  {says}" for name, says in lines]
    parser = Parser(
        "memtop demo [OPTIONS] [SCENARIO] [RUN]",
        "Start a small program, watch its memory, and explain what you see.",
        "\n".join(["scenarios (go plays recorded runs of real Go services):", *texts]),
    )
    parser.section(
        "positional arguments",
        operand("scenario", "SCENARIO", f"one of those below (default: {lines[0][0]})", "?"),
        operand("run", "RUN", f"after {GO}: the run (default: {recorded_runs()[0].name})", "?"),
    )
    parser.section("options", HELP)
    parser.set_defaults(targets=[], replay="", check=False, reset_terminal=False)
    own = ("--pid", "--filter", "--user", "--cgroup", "--unit", "--children", "--follow", "--by", "--go-url")
    forms = ("--batch", "--json", "--csv", "--no-redact", "--output")
    refused = dict.fromkeys(own, "demo shows its own processes")
    return with_views(parser, refused | dict.fromkeys(forms, "demo needs a terminal"))


def _explain() -> Parser:
    parser = Parser("memtop explain [TOPIC]", "What the numbers mean.")
    parser.section("positional arguments", operand("topic", "TOPIC", "a topic or column (default: the contents)", "?"))
    parser.section("options", HELP)
    return parser


def _machine() -> Parser:
    parser = Parser(
        "memtop machine [OPTIONS]", "Where the machine's RAM went: the parts of MemTotal, and what holds them."
    )
    parser.section("options", HELP, flag("--json", help="print one JSON object"))
    return parser


def _export() -> Parser:
    parser = Parser(
        "memtop export [OPTIONS]", "Metrics of groups of processes for Prometheus: as a server, or as a file."
    )
    parser.section(
        "options",
        HELP,
        value("--listen", metavar="ADDRESS:PORT", help="where to serve /metrics (127.0.0.1:9142)"),
        value("--textfile", metavar="DIR", help="write DIR/memtop.prom for node_exporter instead of a server"),
        value("--by", metavar="KIND", help="program (default), cgroup, container, pod, unit or user"),
        value("-f", "--filter", metavar="EXPR", help="only processes that match"),
        value("-u", "--user", metavar="NAME", help="only this user's processes"),
        value("-d", "--delay", metavar="SECS", help="time between samples, 0.1 to 60 (5)"),
        value("-n", "--iterations", metavar="N", help="stop after N samples"),
        flag("--rules", help="print alert rules for Prometheus"),
        flag("--dashboard", help="print a dashboard for Grafana"),
    )
    return parser


def _record() -> Parser:
    parser = Parser(
        "memtop record [OPTIONS] [PID | NAME]...", "Write a recording without a screen, until a signal ends it."
    )
    parser.section("positional arguments", targets())
    parser.section(
        "options",
        HELP,
        value("-o", "--output", metavar="FILE", help="a new file (default: ./memtop-DATE-TIME.memtop); - for a stream"),
        value("--keep", metavar="TIME", help="keep only the last part, such as 24h"),
        value("--max-size", metavar="SIZE", help="at most this size, such as 500M; drops the oldest part"),
        value("-d", "--delay", metavar="SECS", help=f"time between samples, 0.1 to 60 ({USUAL_DELAY_S:g})"),
        value("-n", "--iterations", metavar="N", help="stop after N samples"),
        flag("--no-cmdline", help="leave out the arguments of all programs"),
        flag("--no-smaps", help="never read smaps, which briefly stalls the process"),
        flag("--keep-oom-score", help="do not make memtop the OOM killer's first choice"),
        values("--go-url", metavar="[PID=]URL", help="read a Go program's metrics from URL"),
    )
    title, selection = VIEWS[0]
    parser.section(title, *selection)
    parser.set_defaults(tree=False, by=None, sort=None, columns=None, readonly=True, no_color=False, ascii=False)
    parser.set_defaults(no_mouse=False, record=None, replay="", no_redact=False)
    return parser


def _report() -> Parser:
    parser = Parser(
        "memtop report [OPTIONS] FILE | PID | NAME",
        "Write a report about a process, from a recording or after watching it.",
    )
    parser.section(
        "positional arguments",
        operand(
            "subject", "FILE | PID | NAME", "a recording, or a process to watch: its PID or the name of its program"
        ),
    )
    parser.section(
        "options",
        HELP,
        value("-o", "--output", metavar="FILE", help="write to a new file (default: standard output)"),
        flag("--markdown", help="Markdown for a ticket, without the chart, instead of HTML"),
        value("-p", "--pid", metavar="PID", help="the process in the recording (default: the one in trouble)"),
        value("--from", metavar="TIME", help="start the chart at this time of day, such as 12:03:40", dest="from_time"),
        value("--to", metavar="TIME", help="end at this time of day"),
        value("--for", metavar="SECS", help="how long to watch a process (20)", dest="for_time"),
    )
    return parser


def _regions() -> Parser:
    from memtop.headless.regions import SORTS  # noqa: PLC0415 (49 ms, only for regions)

    parser = Parser("memtop regions [OPTIONS] PID | NAME", "Print the mappings of a process once, largest first.")
    parser.section(
        "positional arguments",
        operand("pid", "PID | NAME", "the process; a large one is read in pieces, which does not stall it"),
    )
    parser.section(
        "options",
        HELP,
        value("-s", "--sort", metavar="MEASURE", help=f"{', '.join(SORTS)} (size)"),
        value("-n", "--lines", metavar="N", help="only the largest N"),
        flag("--kinds", help="totals by kind of memory instead of mappings"),
        flag("--json", help="one JSON object"),
        flag("--smaps", help="read PSS and dirty pages even of a large process: stalls it 12 to 18 ms per GiB of RES"),
    )
    return parser


def _replay() -> Parser:
    parser = Parser("memtop replay [OPTIONS] FILE", "Play a recording on the screen of live processes.")
    parser.section("positional arguments", operand("replay", "FILE", "a recording; - for the stream of record -o -"))
    parser.section(
        "options",
        HELP,
        value(
            "--at",
            metavar="TIME",
            help="begin at a time of day, such as 12:03:40, at -2m (before the end), at +30s, or at the end",
        ),
        value("--salvage", metavar="OUT", help="write what can be read of a damaged FILE into a new one"),
    )
    parser.set_defaults(targets=[], check=False, reset_terminal=False)
    live = ("--record", "--go-url", "--no-smaps", "--readonly", "--keep-oom-score")
    return with_views(parser, dict.fromkeys(live, "replay reads only the recording"))


_PARSERS: Final[dict[str, Callable[[], Parser]]] = {
    "demo": _demo,
    "explain": _explain,
    "export": _export,
    "machine": _machine,
    "record": _record,
    "regions": _regions,
    "replay": _replay,
    "report": _report,
}


def parser_of(command: str) -> Parser:
    """The parser of one of COMMANDS, or of memtop itself for an empty name."""
    return _PARSERS.get(command, memtop_parser)()
