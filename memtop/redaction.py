"""Redacts secrets (passwords, keys, tokens) in command lines: in recordings, JSON and CSV; --no-redact shows them.

A value is replaced after a name that suggests a secret (``--password=V``, ``--password V``, ``API_KEY=V``,
``-Ddb.pass=V``, ``Authorization: V``), in the user part of a URL, and after the options of known programs that take a
secret (``curl -u V``, ``sshpass -p V``, ``mysql -pV``). In doubt the value is replaced: it is better to hide a keyboard
layout than to show a key.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Final, NamedTuple

HIDDEN: Final = b"***"
CACHED: Final = 2048
"""Number of command lines whose redacted form is cached. Most are the same at every sample."""

_SECRET: Final = rb"(?:pass|pwd|secret|token|key|cred|auth|cookie|dsn)"
_NAME: Final = rb"(?<![\w.-])(?=[\w.-]*?" + _SECRET + rb")[\w.-]++"
_URL_USER: Final = rb"(://[^\s:/@]{0,200}:)[^\s]{0,200}@"
_URL_TOKEN: Final = rb"(?i)(https?://)[^\s:/@]{1,200}@"
_WHOLE: Final = rb"(?is)(" + _NAME + rb"=).+\Z"
_HEADER: Final = rb"(?is)(" + _NAME + rb"[\"']?\s{0,8}:\s{0,8})[^\s].*"
_ASSIGNED: Final = rb"(?i)(" + _NAME + rb"\s{0,8}=\s{0,8})(?:\"[^\"]*+\"|'[^']*+'|[^\s&;,\"']++)"
_SPACED: Final = rb"(?i)(?<![\w.-])(--?(?=[\w.-]*?" + _SECRET + rb")[\w.-]++\s{1,8})[^\s-]\S*+"
_OPTION: Final = rb"(?i)--?(?=[\w.-]*?" + _SECRET + rb")[\w.-]++\Z"
_WORDS: Final = rb"(\s+|[;|&()]+)"
_SEPARATORS: Final = (b";", b"|", b"&", b"(", b")")


class _Program(NamedTuple):
    """Options of a program whose value is a secret although their names do not suggest it."""

    names: str
    """File names, as a regular expression."""
    letters: str = ""
    """Short options whose value follows or is attached."""
    attached: str = ""
    """Short options whose value is always attached. The word after them is something else."""
    options: tuple[str, ...] = ()
    """Long options whose value follows, directly or after ``=``."""
    after: str = ""
    """The subcommand, if only one subcommand takes secrets."""


_PROGRAMS: Final = (
    _Program("mysql[\\w-]*|mariadb[\\w-]*", attached="p"),
    _Program("curl", "uU", options=("--user", "--proxy-user")),
    _Program("https?", "a"),
    _Program("wget|aria2c|lftp|ncftp\\w*", "up", options=("--user",)),
    _Program("sshpass", "p"),
    _Program("redis-cli|valkey-cli|keydb-cli", "a"),
    _Program("redis-server", options=("--requirepass", "--masterauth")),
    _Program("mongo\\w*", "p"),
    _Program("ldap\\w+", "w"),
    _Program("smbclient|rpcclient|smbget|winexe", "U", options=("--user",)),
    _Program("sqlcmd|bcp|isql|tsql|osql", "P"),
    _Program("mosquitto_\\w+|ipmitool", "P"),
    _Program("plink|pscp|psftp", options=("-pw",)),
    _Program("cqlsh|rabbitmqadmin|influx|clickhouse\\w*|nats|arangosh", "p"),
    _Program("zip|unzip", "P"),
    _Program("7z\\w?", attached="p"),
    _Program("rar|unrar", attached="p"),
    _Program("htpasswd", "b"),
    _Program("docker|podman|buildah|nerdctl|helm|skopeo|oras|crane", "pu", after="login"),
    _Program("az|oc|cf|vault", "pt", after="login"),
    _Program("openssl", options=("-k", "-K", "-pass", "-passin", "-passout")),
    _Program("x?freerdp\\w*|rdesktop", "p"),
    _Program("svn|snmp\\w+", "AXc"),
)


class _Rule(NamedTuple):
    program: re.Pattern[bytes]
    whole: re.Pattern[bytes]
    """Matches an option whose value is the next argument."""
    joined: re.Pattern[bytes]
    """Matches an option together with its value."""
    after: bytes


def _rules(programs: Iterable[_Program]) -> Iterator[_Rule]:
    never = "(?!)"
    for program in programs:
        long = "|".join(map(re.escape, program.options)) or never
        follows = f"-[A-Za-z]*[{program.letters}]" if program.letters else never
        letters = program.letters + program.attached
        joined = f"-[{letters}]" if letters else never
        yield _Rule(
            re.compile(rf"(?:.*/)?(?:{program.names})\Z".encode(), re.S),
            re.compile(rf"(?:{long}|{follows})\Z".encode()),
            re.compile(rf"((?:{long})=|{joined})(?=.)".encode(), re.S),
            program.after.encode(),
        )


@cache
def _suspicious() -> re.Pattern[bytes]:
    """Matches every command line that may hold a secret. Most hold none; then no other pattern is compiled."""
    names = "|".join(program.names for program in _PROGRAMS).encode()
    return re.compile(_SECRET + rb"|://|(?:\A|[/\s\0;|&()])(?:" + names + rb")(?=[\s\0;|&()]|\Z)", re.I)


@cache
def _all_rules() -> tuple[_Rule, ...]:
    return tuple(_rules(_PROGRAMS))


@lru_cache(CACHED)
def scrub(argv: bytes) -> bytes:
    """Replace possible secrets with ``***`` in the NUL-separated arguments of /proc/PID/cmdline.

    A second run changes nothing.
    """
    if _suspicious().search(argv) is None:
        return argv
    arguments = argv.split(b"\0")
    known = _scrub_by_program(arguments)
    option_before = False
    for place, argument in enumerate(arguments):
        if option_before and argument and not argument.startswith(b"-"):
            known[place] = HIDDEN
        elif known[place] == argument:
            known[place] = _scrub_argument(argument)
        option_before = bool(place) and re.match(_OPTION, argument) is not None
    return b"\0".join(known)


def _scrub_by_program(words: list[bytes]) -> list[bytes]:
    """The words, with the values of secret options replaced for each known program that is named before them."""
    found: list[bytes] = []
    rules: list[_Rule] = []
    seen: set[bytes] = set()
    value_next = False
    for word in words:
        scrubbed = word
        if not word.strip():
            pass  # whitespace between two words
        elif word[:1] in _SEPARATORS:
            value_next = False
        elif not word.startswith(b"-"):
            if value_next:
                scrubbed, value_next = HIDDEN, False
            else:
                rules += [rule for rule in _all_rules() if rule not in rules and rule.program.match(word)]
                seen.add(word)
        else:
            active = [rule for rule in rules if not rule.after or rule.after in seen]
            value_next = any(rule.whole.match(word) for rule in active)
            joined = None if value_next else next(filter(None, (rule.joined.match(word) for rule in active)), None)
            if joined is not None:
                scrubbed = joined[1] + HIDDEN
        found.append(scrubbed)
    return found


def _scrub_argument(argument: bytes) -> bytes:
    scrubbed = re.sub(_URL_TOKEN, rb"\1***@", re.sub(_URL_USER, rb"\1***@", argument))
    if re.match(_WHOLE, scrubbed):
        return re.sub(_WHOLE, rb"\1***", scrubbed)
    if b" " in scrubbed:
        scrubbed = b"".join(_scrub_by_program(re.split(_WORDS, scrubbed)))
    scrubbed = re.sub(_HEADER, rb"\1***", scrubbed)
    return re.sub(_SPACED, rb"\1***", re.sub(_ASSIGNED, rb"\1***", scrubbed))
