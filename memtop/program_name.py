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
    scripts_after: bytes = b""
    """Beginning of a word whose rest is the script."""
    verbs: frozenset[bytes] = frozenset()
    """Words after which a file is run, such as ``run``. Other words are commands of the interpreter itself."""
    files: re.Pattern[bytes] | None = None
    """What a file looks like that is run without a verb; None where every word is a file."""
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
    scripts_after=b"--module=",
)
_NODE_VALUES: Final = _words(
    "--require --import --loader --experimental-loader --conditions --env-file --env-file-if-exists --title"
    " --inspect-port --debug-port --inspect-publish-uid --unhandled-rejections --dns-result-order --disable-warning"
    " --report-directory --report-dir --report-filename --report-signal --diagnostic-dir --redirect-warnings"
    " --heapsnapshot-signal --heapsnapshot-near-heap-limit --max-http-header-size --input-type --disable-proto"
    " --experimental-default-type --trace-event-categories --trace-event-file-pattern --watch-path --icu-data-dir"
    " --openssl-config --secure-heap --secure-heap-min --tls-cipher-list --tls-keylog --use-largepages --v8-pool-size"
    " --cpu-prof-dir --cpu-prof-name --cpu-prof-interval --heap-prof-dir --heap-prof-name --heap-prof-interval"
    " --allow-fs-read --allow-fs-write --localstorage-file --test-name-pattern --test-reporter --test-concurrency"
    " --test-reporter-destination --test-shard --test-timeout"
)
"""Options of Node. Those of V8, such as --max-old-space-size, take their value after an equals sign only."""
_INTERPRETERS: Final = (
    (
        r"(?:(?:platform-)?python|pypy)[\d.]*t?(?:-dbg)?",
        _Options("WX", code="c", modules="m", long_values=_words("--check-hash-based-pycs")),
    ),
    (r"node(?:js)?", _Options("rC", code="ep", long_values=_NODE_VALUES, long_code=_words("--eval --print"))),
    (r"java", _JAVA),
    (r"ruby[\d.]*", _Options("IrEC", "FKTWx0", "e")),
    (r"perl[\d.]*", _Options("I", "MmiFlDCxVd0", "eE")),
    (r"php[\d.]*", _Options("cdz", code="rBREFS", scripts="f")),
    (r"lua(?:jit)?[\d.]*", _Options("lW", code="e")),
    (r"Rscript", _Options("g", code="e")),
    (r"R", _Options("g", code="e", scripts="f", scripts_after=b"--file=")),
    (r"[gmn]?awk|original-awk", _Options("Fv", code="Veo", scripts="f", files=re.compile(rb"(?!)"))),
    (r"tclsh[\d.]*|wish[\d.]*|mono", _Options(long_values=_words("--config -encoding"))),
    (
        r"dotnet",
        _Options(
            clusters=False,
            long_values=_words("--runtimeconfig --depsfile --fx-version --roll-forward --additionalprobingpath"),
            verbs=_words("exec"),
            files=re.compile(rb".*\.(?:dll|exe)"),
        ),
    ),
    (
        r"deno|bun",
        _Options(
            "crL",
            long_values=_words("--config --import-map --cwd --preload"),
            verbs=_words("run"),
            files=re.compile(rb".*\.[cm]?[jt]sx?"),
        ),
    ),
    (
        r"pwsh(?:-preview)?",
        _Options(
            clusters=False,
            long_values=_words(
                "-ExecutionPolicy -ep -ex -WorkingDirectory -wd -ConfigurationName -CustomPipeName -InputFormat"
                " -OutputFormat -SettingsFile -WindowStyle"
            ),
            long_code=_words("-Command -command -c -EncodedCommand -e -ec -Interactive"),
            long_programs=_words("-File -file -f"),
        ),
    ),
    (r"julia", _Options("CJHLpt", code="eE", long_values=_words("--threads --procs --sysimage --load"))),
    (r"guile[\d.]*", _Options("Ll", code="c", scripts="s")),
    (r"fish", _Options("Cdo", code="c", long_values=_words("--init-command --debug --features"))),
    (r"(?:ba|da|k|mk|z)?sh|ash", _Options("oO", code="cs", long_values=_words("--rcfile --init-file"))),
)
_CARRIERS: Final = (
    (
        r"ld-linux.*|ld-musl.*|ld\.so(?:\.\d+)?",
        _words("--library-path --inhibit-rpath --audit --preload --argv0 --glibc-hwcaps-mask --glibc-hwcaps-prepend"),
    ),
    (
        r"qemu-(?!system|img|nbd|io|ga$)\w+(?:-static)?",
        _words("-L -E -U -g -s -B -R -p -r -0 -cpu -D -d -seed -plugin -dfilter"),
    ),
    (r"valgrind(?:\.bin)?", _words("")),
    (r"busybox(?:\.\w+)?|toybox", _words("")),
)
"""What runs another program within its own process, and those of its options that take the next word."""
MOST_CARRIERS: Final = 3
"""So many may carry each other."""
_VERSION: Final = re.compile(rb"(python|pypy|ruby|perl|php|php-fpm|php-cgi|lua|tclsh|node)(?:js)?-?[\d.]*t?(?:-dbg)?")
"""Programs that several versions of are installed beside each other under names of their own."""
_TITLES: Final = {b"uWSGI": b"uwsgi", b"celeryd": b"celery"}
"""What a program calls itself in its title, where its file has another name."""
_DESCRIPTORS: Final = (b"/dev/fd/", b"/proc/self/fd/", b"/dev/stdin")
"""A script without a name: what a shell has in a pipe or a here-document."""
_RELATIVE: Final = re.compile(rb"[\w.+@-]+(?:/[\w.+@-]+)+")
_WINDOWS: Final = re.compile(rb"[A-Za-z]:\\.*")
_OPTIONS: Final = tuple((re.compile(pattern.encode()), options) for pattern, options in _INTERPRETERS)
_CARRIER_OPTIONS: Final = tuple(
    (re.compile(pattern.encode()), _Options(clusters=False, long_values=values)) for pattern, values in _CARRIERS
)


@lru_cache(maxsize=512)
def program_name(command: bytes) -> ProgramName:
    """The program that the bytes of /proc/PID/cmdline run. The names are empty if the bytes are."""
    arguments = command.rstrip(b"\0").split(b"\0")
    if len(arguments) == 1 and b" " in arguments[0]:
        return _title(arguments[0])
    return _of_arguments(arguments)


def _of_arguments(arguments: list[bytes], carriers: int = MOST_CARRIERS) -> ProgramName:
    name, rest = _file_name(arguments[0]), arguments[1:]
    if carriers and (carrier := _options_of(name, _CARRIER_OPTIONS)) is not None:
        carried = _program_of(arguments, carrier)
        if carried is not None:
            found = _of_arguments(arguments[carried.after - 1 :], carriers - 1)
            short = b" ".join([name, found.short])
            return ProgramName(short, _known(name, *found.names), found.runs, found.own or found.short)
    options = _options_of(name.removeprefix(b"-"), _OPTIONS)
    program = None if options is None else _program_of(arguments, options)
    if program is None:
        name_only = name.removeprefix(b"-")
        return ProgramName(b" ".join([name, *rest]), _known(name_only), _without_version(name_only))
    run = program.word.removesuffix(b".__main__") if program.module else _script_name(program.word)
    flag = [b"-m"] if program.module else []
    own = b" ".join([run, *arguments[program.after :]])
    return ProgramName(b" ".join([name, *flag, own]), _known(name, run), run or name, own if run else b"")


def _options_of(name: bytes, table: tuple[tuple[re.Pattern[bytes], _Options], ...]) -> _Options | None:
    return next((options for pattern, options in table if pattern.fullmatch(name)), None)


def runs_unknown_file(command: bytes) -> bool:
    """Whether it is an interpreter whose arguments are not known, as in a recording without command lines.

    The kernel ends each argument with a NUL, and a recording without arguments has none. What such a process runs is
    not known, so it is not the same as another one.
    """
    if b"\0" in command:
        return False
    name = _file_name(command)
    return any(_options_of(name, table) is not None for table in (_OPTIONS, _CARRIER_OPTIONS))


def _title(text: bytes) -> ProgramName:
    """The title of a process that has overwritten its command line, such as ``nginx: worker process``."""
    if not text.startswith(b"/"):
        word = text.split(b" ", 1)[0].rstrip(b":")
        name = _file_name(word)
        own = name.removeprefix(b"[") if word != text else name
        runs = _TITLES.get(own, own)
        return ProgramName(text, _known(own, *[runs] * (runs != own)), _without_version(runs))
    words = text.split()
    if _options_of(_file_name(words[0]), _OPTIONS) is not None:
        return _of_arguments(words)  # Perl and others write their arguments as one text
    path, mark, options = text.partition(b" -")
    name = _file_name(path)
    first = _file_name(words[0])  # the path may have blanks in it, or be followed by what the program does
    names = _known(name) if first == name or b"/" in path.removeprefix(words[0]) else _known(first, name)
    return ProgramName(name + mark + options, names, _without_version(names[0] if names else b""))


def _without_version(name: bytes) -> bytes:
    found = _VERSION.fullmatch(name)
    return name if found is None else found[1]


def _program_of(arguments: list[bytes], options: _Options) -> _Program | None:
    """The script, module or main class; None for an interpreter that runs no file."""
    at, verb = 1, options.files is None
    while at < len(arguments):
        word = arguments[at]
        if word == b"-" or word in options.long_code:
            return None
        if word == b"--" or word in options.long_programs:
            return _at(arguments, at + 1)
        if not word.startswith((b"-", b"+")) and not (word.startswith(b"@") and options is _JAVA):
            if verb or (options.files is not None and options.files.fullmatch(word)):
                return _at(arguments, at)
            if word not in options.verbs:
                return None
            at, verb = at + 1, True
        elif options.scripts_after and word.startswith(options.scripts_after):
            return _Program(word.removeprefix(options.scripts_after), at + 1)
        elif word in options.long_values:
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
    if _WINDOWS.fullmatch(path):
        return path.rpartition(b"\\")[2] or path
    if not path.startswith((b"/", b".", b"~")) and not _RELATIVE.fullmatch(path):
        return path
    return path.rpartition(b"/")[2] or path


def _script_name(path: bytes) -> bytes:
    """The file name of a script; for that of a Python package its directory, which is the name of the package."""
    folder, _, name = path.rpartition(b"/")
    return _file_name(folder) if name == b"__main__.py" and folder.strip(b"./") else _file_name(path)


def _known(*names: bytes) -> tuple[bytes, ...]:
    return tuple(name for name in names if name)
