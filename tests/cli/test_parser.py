"""The command line as it may be typed: every way to write options and operands, the mistakes, and the help."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable

import pytest

from memtop.cli import parser
from memtop.cli.command_parsers import parser_of
from memtop.cli.parser import COMMANDS, Parser
from memtop.cli.settings_from_args import duration_s, pid_of, settings_of
from memtop.errors import UsageError
from memtop.model.group import By
from memtop.sources.endpoint import parse_endpoint

UNDERSTOOD: list[tuple[str, dict[str, object]]] = [
    ("-d2", {"delay": "2"}),
    ("-d 2", {"delay": "2"}),
    ("-d=2", {"delay": "2"}),
    ("--delay=2", {"delay": "2"}),
    ("--delay 2", {"delay": "2"}),
    ("-bd2", {"delay": "2", "batch": True}),
    ("-bd=2", {"delay": "2", "batch": True}),
    ("-bCd=2", {"children": True, "delay": "2", "batch": True}),
    ("-bC x", {"targets": ["x"], "children": True, "batch": True}),
    ("4242 -C", {"targets": ["4242"], "children": True}),
    ("postgres -C", {"targets": ["postgres"], "children": True}),
    ("-C postgres", {"targets": ["postgres"], "children": True}),
    ("a -b b -n 3 c", {"targets": ["a", "b", "c"], "iterations": "3", "batch": True}),
    ("-d 1 -d -3", {"delay": "-3"}),
    ("-n -3", {"iterations": "-3"}),
    ("-p -1", {"pid": ["-1"]}),
    ("-1", {"targets": ["-1"]}),
    ("- -1", {"targets": ["-", "-1"]}),
    ("-p 1,2 -p 3", {"pid": ["1,2", "3"]}),
    ("-p1,2", {"pid": ["1,2"]}),
    ("-p=1", {"pid": ["1"]}),
    ("-f 'user=app rss>500m'", {"filter": "user=app rss>500m"}),
    ("'-fuser=app rss'", {"filter": "user=app rss"}),
    ("-fuser=app", {"filter": "user=app"}),
    ("-f=-x", {"filter": "-x"}),
    ("-f-x", {"filter": "-x"}),
    ("--filter=-x", {"filter": "-x"}),
    ("--filter==x", {"filter": "=x"}),
    ("-f==x", {"filter": "=x"}),
    ("-f ''", {"filter": ""}),
    ("--filter=", {"filter": ""}),
    ("-f '!^a.*b$'", {"filter": "!^a.*b$"}),
    ("-f 'rss>500m' -t", {"filter": "rss>500m", "tree": True}),
    ("--go-url 'http://127.0.0.1:6060/a?b=c' 1", {"targets": ["1"], "go_url": ["http://127.0.0.1:6060/a?b=c"]}),
    ("--go-url=1=http://127.0.0.1:6060 --go-url 2=:6061", {"go_url": ["1=http://127.0.0.1:6060", "2=:6061"]}),
    ("-c +uss,+pss", {"columns": "+uss,+pss"}),
    ("-c+uss", {"columns": "+uss"}),
    ("-s mem%", {"sort": "mem%"}),
    ("--json -n 1 7", {"targets": ["7"], "iterations": "1", "json": True}),
    ("-n1 --json 7", {"targets": ["7"], "iterations": "1", "json": True}),
    ("-o - --csv", {"csv": True, "output": "-"}),
    ("-o f", {"output": "f"}),
    ("--record f 7", {"targets": ["7"], "record": "f"}),
    ("--record=f", {"record": "f"}),
    ("-b demo", {"targets": ["demo"], "batch": True}),
    ("x explain", {"targets": ["x", "explain"]}),
    ("--check 7 --for 10m", {"targets": ["7"], "check": True, "check_for": "10m"}),
    ("--check --for=10 7", {"targets": ["7"], "check": True, "check_for": "10"}),
    ("--reset-terminal", {"reset_terminal": True}),
    ("-V", {"version": True}),
    ("--version", {"version": True}),
    ("-bV", {"batch": True, "version": True}),
    ("-de", {"delay": "e"}),
    ("-delay 2", {"targets": ["2"], "delay": "elay"}),
    ("-tCb", {"children": True, "tree": True, "batch": True}),
    ("-tCbn3", {"children": True, "tree": True, "iterations": "3", "batch": True}),
    ("-tCbn 3", {"children": True, "tree": True, "iterations": "3", "batch": True}),
    ("a '' b", {"targets": ["a", "", "b"]}),
    ("-u root -u me", {"user": "me"}),
    ("--keep-oom-score 1", {"targets": ["1"], "keep_oom_score": True}),
    (
        "--no-color --ascii --no-mouse --readonly --no-smaps",
        {"no_color": True, "ascii": True, "no_mouse": True, "no_smaps": True, "readonly": True},
    ),
    ("'' x", {"targets": ["", "x"]}),
    ("'ä' -f 'ü'", {"targets": ["ä"], "filter": "ü"}),
    ("'-fä=ö'", {"filter": "ä=ö"}),
    ("-b 4242 -C", {"targets": ["4242"], "children": True, "batch": True}),
    ("-d .5", {"delay": ".5"}),
    ("-d -.5", {"delay": "-.5"}),
    ("-d 1e3", {"delay": "1e3"}),
    ("-d a=b", {"delay": "a=b"}),
    ("-p a=b", {"pid": ["a=b"]}),
    ("key=value", {"targets": ["key=value"]}),
    ("-n=-1", {"iterations": "-1"}),
    ("demo", {}),
    ("demo leak", {"scenario": "leak"}),
    ("demo go run", {"scenario": "go", "run": "run"}),
    ("demo -t", {"tree": True}),
    ("demo go -t run", {"scenario": "go", "run": "run", "tree": True}),
    ("demo leak -d 2", {"scenario": "leak", "delay": "2"}),
    ("demo -- -x", {"scenario": "-x"}),
    ("demo -d2 -- go -r", {"scenario": "go", "run": "-r", "delay": "2"}),
    ("explain", {}),
    ("explain rss", {"topic": "rss"}),
    ("explain -- -x", {"topic": "-x"}),
    ("regions 1", {"pid": "1"}),
    ("regions -s rss 1", {"pid": "1", "sort": "rss"}),
    ("regions 1 -s=rss", {"pid": "1", "sort": "rss"}),
    ("regions -n5 1 --json", {"pid": "1", "lines": "5", "json": True}),
    ("regions --kinds 1", {"pid": "1", "kinds": True}),
    ("regions -1", {"pid": "-1"}),
    ("regions -- 1", {"pid": "1"}),
    ("regions --lines -5 1", {"pid": "1", "lines": "-5"}),
    ("replay f", {"replay": "f"}),
    ("replay -- -f", {"replay": "-f"}),
    ("replay f --", {"replay": "f"}),
    ("replay -d 2 f", {"replay": "f", "delay": "2"}),
    ("replay f --at -2m", {"replay": "f", "at": "-2m"}),
    ("replay --at -90 f", {"replay": "f", "at": "-90"}),
    ("report f --from -2m --to -1m", {"subject": "f", "from_time": "-2m", "to": "-1m"}),
    ("replay f -b", {"replay": "f", "batch": True}),
    ("replay -n3 f --json", {"replay": "f", "iterations": "3", "json": True}),
    ("replay --json f --filter=x", {"replay": "f", "filter": "x", "json": True}),
]
"""Command lines, and what is given by them beside the defaults."""
WRONG = (
    "-f -x",
    "-f --json",
    "--del 2",
    "--js",
    "--iter 3",
    "--no",
    "-x",
    "-bx",
    "-d",
    "-d --batch",
    "-d -b",
    "--batch=yes",
    "-b=yes",
    "--batch=",
    "--nonsense",
    "--for",
    "'-Cä'",
    "-b4242",
    "---",
    "-=x",
    "--=x",
    "demo go run x",
    "demo --check",
    "demo --reset-terminal",
    "explain rss x",
    "explain -x",
    "explain -V",
    "explain --json",
    "regions",
    "regions 1 2",
    "regions -C 1",
    "replay",
    "replay f g",
    "replay f --check",
    "replay -- -a -b",
)


def parser_and_rest(line: str) -> tuple[Parser, list[str]]:
    first, *rest = shlex.split(line) or [""]
    return (parser_of(first), rest) if first in COMMANDS else (parser_of(""), shlex.split(line))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("line", "given"), UNDERSTOOD)
def test_what_a_command_line_gives(line: str, given: dict[str, object]) -> None:
    parser, argv = parser_and_rest(line)
    defaults = {"targets": [], "replay": "", "pid": [], "go_url": []}
    found = vars(parser.parse(argv)).items()
    assert {name: value for name, value in found if value not in (None, False, defaults.get(name))} == given


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("line", WRONG)
def test_wrong_usage_is_one_line(line: str) -> None:
    parser, argv = parser_and_rest(line)
    with pytest.raises(UsageError) as caught:
        parser.parse(argv)
    assert str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--del 2", "unrecognized arguments: --del"),
        ("-d", "-d/--delay: expected one argument"),
        ("--batch=yes", "-b/--batch: ignored explicit argument 'yes'"),
        ("replay", "arguments are required: FILE"),
        ("replay f g", "unrecognized arguments: g"),
        ("replay -- -a -b", "unrecognized arguments: -b"),
    ],
)
def test_a_mistake_is_named(line: str, says: str) -> None:
    parser, argv = parser_and_rest(line)
    with pytest.raises(UsageError) as caught:
        parser.parse(argv)
    assert str(caught.value).endswith(says)


def test_the_help_is_printed_even_where_the_rest_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser_of("replay").parse(["--nonsense", "--help"])
    assert capsys.readouterr().out.startswith("usage: memtop replay")


@pytest.mark.parametrize("command", ["", *COMMANDS])
@pytest.mark.parametrize("cells", [20, 80, 100, 300])
def test_the_help_names_every_option_and_stays_within_the_terminal(
    command: str, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(os, "get_terminal_size", lambda: os.terminal_size((cells, 24)))
    described = parser_of(command)
    described.epilog = None
    text = described.format_help()
    assert cells < 80 or max(map(len, text.splitlines())) <= min(cells, parser.WIDEST)
    for title, actions in described.sections.items():
        assert f"{title}:\n" in text
        for action in actions:
            shown = [", ".join(action.option_strings), "" if action.nargs == 0 else str(action.metavar)]
            assert f"  {' '.join(filter(None, shown))}" in text


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_argument_can_be_described(command: str) -> None:
    """A completion and a manual page need names, what stands for the value, and a sentence."""
    actions = [action for actions in parser_of(command).sections.values() for action in actions]
    assert {"--help"} <= {name for action in actions for name in action.option_strings}
    assert all(action.help and (action.nargs == 0 or action.metavar) for action in actions)


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--by", "colour"], "--by: no kind colour; there are cgroup, container, pod, unit, user, program"),
        (["--by", "user", "-s", "pid"], "--sort: no column pid"),
        (["--by", "user", "--unit", "x"], "cannot be combined"),
        (["--cgroup", "/a", "--unit", "x"], "cannot be combined"),
        (["--cgroup", ""], "--cgroup needs the path of a cgroup"),
        (["--by", "user", "-f", "charge>lots"], "charge> needs a size"),
    ],
)
def test_groups_that_cannot_be_listed_are_refused_in_one_line(argv: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        settings_of(parser_of("").parse(argv))


@pytest.mark.parametrize("argv", [[""], ["--json", ""], ["4242", ""], ["-p", ""], ["-p", ","]])
def test_a_shell_variable_without_a_value_does_not_mean_all_processes(argv: list[str]) -> None:
    with pytest.raises(UsageError, match="PID"):
        settings_of(parser_of("").parse(argv))


def test_groups_have_columns_of_their_own() -> None:
    settings = settings_of(parser_of("").parse(["--by", "cgroup", "-s", "charge", "-c", "+pss"]))
    assert settings.by is By.CGROUP and settings.sort is not None
    assert [column.key for column in settings.columns][-2:] == ["pss", "group"]


@pytest.mark.parametrize("check", [pid_of, lambda text: parse_endpoint(f"http://{text}:1/")])
def test_what_was_typed_is_quoted_in_part(check: Callable[[str], object]) -> None:
    with pytest.raises(UsageError) as refused:
        check("x" * 500)
    assert 10 < str(refused.value).count("x") < 100


def test_a_duration_is_bounded() -> None:
    assert duration_s("864000000s", "--for") == 10_000 * 86_400
    with pytest.raises(UsageError):
        duration_s("864000001s", "--for")
