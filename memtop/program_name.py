"""Finds the program in a command line: its file, or for an interpreter the script, module or main class that it runs.

These functions are pure and accept any bytes. The results are as untrusted as the command line, so the caller cleans
them before they are shown.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple


class ProgramName(NamedTuple):
    """The program that a command line runs."""

    short: bytes
    """The command line without the path of its program. For an interpreter, its options and its path are left out
    too."""
    names: tuple[bytes, ...]
    """The file name of the program, followed by that of the script, or by the module or main class."""
    runs: bytes
    """What runs, the same however it is started: the script, module or main class, whatever the spelling of its
    interpreter; an interpreter without one, or a program that has a version in its name, without that version."""
    own: bytes = b""
    """``short`` without the interpreter: the script, module or main class and its arguments. Empty without an
    interpreter, and for one that runs no file."""


class _Options(NamedTuple):
    """The options of an interpreter that matter for finding the program among its arguments."""

    values: str = ""
    """Letters whose value is the rest of the word, or the next word."""
    rests: str = ""
    """Letters whose value, if any, is the rest of the word."""
    code: str = ""
    """Letters after which no file is run: the program is in the command line or on standard input."""
    scripts: str = ""
    """Letters whose value is the script."""
    modules: str = ""
    """Letters whose value is a module."""
    long_values: frozenset[bytes] = frozenset()
    """Whole words that take the next word as their value."""
    long_code: frozenset[bytes] = frozenset()
    long_programs: frozenset[bytes] = frozenset()
    """Whole words that are followed by the program."""
    clusters: bool = True
    """Whether one word may hold several letters."""


class _Program(NamedTuple):
    """The position of the program among the arguments of an interpreter."""

    word: bytes
    after: int
    """Index of the first argument that belongs to the program itself."""
    module: bool = False


def _words(text: str) -> frozenset[bytes]:
    return frozenset(text.encode().split())


_JAVA: Final = _Options(
    clusters=False,
    long_values=_words(
        "-cp -classpath --class-path -p --module-path --upgrade-module-path --add-modules --limit-modules --add-reads"
        " --add-exports --add-opens --patch-module --enable-native-access --source"
    ),
    long_programs=_words("-jar -m --module"),
)
_INTERPRETERS: Final = (
    (
        r"(?:python|pypy)[\d.]*t?(?:-dbg)?",
        _Options("WX", code="c", modules="m", long_values=_words("--check-hash-based-pycs")),
    ),
    (
        r"node(?:js)?",
        _Options(
            "rC",
            code="ep",
            long_values=_words("--require --import --loader --experimental-loader --conditions --env-file --title"),
            long_code=_words("--eval --print"),
        ),
    ),
    (r"java", _JAVA),
    (r"ruby[\d.]*", _Options("IrEC", "FKTWx0", "e")),
    (r"perl[\d.]*", _Options("I", "MmiFlDCxVd0", "eE")),
    (r"php[\d.]*", _Options("cdz", code="rBREFS", scripts="f")),
    (r"lua(?:jit)?[\d.]*", _Options("lW", code="e")),
    (r"tclsh[\d.]*|Rscript|dotnet|mono", _Options(long_values=_words("--config"))),
    (r"(?:ba|da|k|mk|z)?sh|ash", _Options("oO", code="cs", long_values=_words("--rcfile --init-file"))),
)
_VERSION: Final = re.compile(rb"(python|pypy|ruby|perl|php|php-fpm|php-cgi|lua|tclsh|node)(?:js)?-?[\d.]*t?(?:-dbg)?")
"""Programs that several versions of are installed beside each other under names of their own."""
_TITLES: Final = {b"uWSGI": b"uwsgi", b"celeryd": b"celery"}
"""What a program calls itself in its title, where its file has another name."""
_DESCRIPTORS: Final = (b"/dev/fd/", b"/proc/self/fd/", b"/dev/stdin")
"""A script without a name: what a shell has in a pipe or a here-document."""
_RELATIVE: Final = re.compile(rb"[\w.+@-]+(?:/[\w.+@-]+)+")
_OPTIONS: Final = tuple((re.compile(pattern.encode()), options) for pattern, options in _INTERPRETERS)


@lru_cache(maxsize=512)
def program_name(command: bytes) -> ProgramName:
    """The program that the bytes of /proc/PID/cmdline run. The names are empty if the bytes are."""
    arguments = command.rstrip(b"\0").split(b"\0")
    first, rest = arguments[0], arguments[1:]
    if not rest and b" " in first:
        return _title(first)
    name = _file_name(first)
    options = next((options for pattern, options in _OPTIONS if pattern.fullmatch(name.removeprefix(b"-"))), None)
    program = None if options is None else _program_of(arguments, options)
    if program is None:
        name_only = name.removeprefix(b"-")
        return ProgramName(b" ".join([name, *rest]), _known(name_only), _without_version(name_only))
    run = program.word if program.module else _file_name(program.word)
    flag = [b"-m"] if program.module else []
    own = b" ".join([run, *arguments[program.after :]])
    return ProgramName(b" ".join([name, *flag, own]), _known(name, run), run or name, own if run else b"")


def runs_unknown_file(command: bytes) -> bool:
    """Whether it is an interpreter whose arguments are not known, as in a recording without command lines.

    The kernel ends each argument with a NUL, and a recording without arguments has none. What such a process runs is
    not known, so it is not the same as another one.
    """
    if b"\0" in command:
        return False
    name = _file_name(command)
    return any(pattern.fullmatch(name) for pattern, _ in _OPTIONS)


def _title(text: bytes) -> ProgramName:
    """The title of a process that has overwritten its command line, such as ``nginx: worker process``."""
    if not text.startswith(b"/"):
        word = text.split(b" ", 1)[0].rstrip(b":")
        name = _file_name(word)
        own = name.removeprefix(b"[") if word != text else name
        return ProgramName(text, _known(name), _without_version(_TITLES.get(own, own)))
    path, mark, options = text.partition(b" -")
    name = _file_name(path)
    return ProgramName(name + mark + options, _known(name), _without_version(name))


def _without_version(name: bytes) -> bytes:
    found = _VERSION.fullmatch(name)
    return name if found is None else found[1]


def _program_of(arguments: list[bytes], options: _Options) -> _Program | None:
    """The script, module or main class; None for an interpreter that runs no file."""
    at = 1
    while at < len(arguments):
        word = arguments[at]
        if word == b"-":
            return None
        if word == b"--":
            return _at(arguments, at + 1)
        if not word.startswith((b"-", b"+")) and not (word.startswith(b"@") and options is _JAVA):
            return _at(arguments, at)
        if word in options.long_programs:
            return _at(arguments, at + 1)
        if word in options.long_code:
            return None
        if word in options.long_values:
            at += 2
        elif word.startswith(b"--") or not options.clusters:
            at += 1
        else:
            found = _cluster(arguments, at, options)
            if not isinstance(found, int):
                return found
            at = found
    return None


def _cluster(arguments: list[bytes], at: int, options: _Options) -> int | _Program | None:
    """Parse a word of single letters. Returns the index of the next word, and the program, if the word decides it."""
    word = arguments[at].decode("latin-1")
    for place, letter in enumerate(word[1:], 2):
        if letter in options.code:
            return None
        if letter in options.scripts or letter in options.modules:
            module = letter in options.modules
            if place < len(word):
                return _Program(arguments[at][place:], at + 1, module)
            return _at(arguments, at + 1, module=module)
        if letter in options.values:
            return at + 1 if place < len(word) else at + 2
        if letter in options.rests:
            break
    return at + 1


def _at(arguments: list[bytes], at: int, *, module: bool = False) -> _Program | None:
    if at >= len(arguments) or not arguments[at] or arguments[at].startswith(_DESCRIPTORS):
        return None
    return _Program(arguments[at], at + 1, module)


def _file_name(path: bytes) -> bytes:
    """The last part of a path. Text that ends in a slash or is no path, such as ``[kworker/0:1]``, stays whole."""
    if not path.startswith((b"/", b".", b"~")) and not _RELATIVE.fullmatch(path):
        return path
    return path.rpartition(b"/")[2] or path


def _known(*names: bytes) -> tuple[bytes, ...]:
    return tuple(name for name in names if name)
