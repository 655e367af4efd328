"""Table of languages without metrics of their own: CPython, Node, Ruby, PHP and .NET."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from memtop.runtimes.native.advice import Advice, Observed
from memtop.runtimes.native.runtime import MappedRuntime

_VERSION: Final = r"(\d{1,2}(?:\.\d{1,3}){0,2})?"
_NEAR_LIMIT_SHARE: Final = 0.85
_OUTSIDE_V8_SHARE: Final = 1.3
_NOTABLE_BYTES: Final = 50 << 20


def old_space_bytes(argv: Iterable[str]) -> int | None:
    """--max-old-space-size of a Node command line, in bytes (the option is in MiB); None if absent."""
    found = None
    for argument in argv:
        match = re.fullmatch(r"--max[-_]old[-_]space[-_]size=(\d{1,9})", argument)
        if match:
            found = int(match[1]) << 20
    return found


def advise_node(seen: Observed, argv: Sequence[str]) -> list[Advice]:
    """Whether Node is near the limit of its heap, or far beyond it."""
    limit = old_space_bytes(argv)
    if limit is None or seen.anon_bytes is None:
        return []
    if seen.anon_bytes > _OUTSIDE_V8_SHARE * limit + _NOTABLE_BYTES:
        return [Advice.NODE_OUTSIDE_HEAP]
    return [Advice.NODE_NEAR_OLD_SPACE] if seen.anon_bytes > _NEAR_LIMIT_SHARE * limit else []


CPYTHON: Final = MappedRuntime(
    "python",
    "CPython",
    "python",
    rf"libpython{_VERSION}[dmu]*\.so|python{_VERSION}[dmut]*\Z",
    objects="memtop sees its pages, not its objects. tracemalloc compares two snapshots and names the lines that "
    "allocate.",
    topic="pymalloc",
    kept_by=Advice.PYMALLOC,
)
NODE: Final = MappedRuntime(
    "node",
    "Node",
    "node",
    rf"(?:node|nodejs){_VERSION}\Z|libnode\.so\.?(\d{{1,3}})?",
    objects="memtop sees its pages, not its objects. Compare two heap snapshots (node --heapsnapshot-signal=SIGUSR2).",
    topic="node_heap",
    advise=advise_node,
    own_limit="how full V8's heap is (--max-old-space-size)",
)
RUBY: Final = MappedRuntime("ruby", "Ruby", "ruby", rf"libruby-?{_VERSION}\.so|ruby{_VERSION}\Z")
PHP: Final = MappedRuntime(
    "php",
    "PHP",
    "php",
    rf"php(?:-fpm|-cgi)?{_VERSION}\Z|libphp{_VERSION}\.so",
    own_limit="how near it is to PHP's memory_limit",
)
DOTNET: Final = MappedRuntime(
    "dotnet",
    ".NET",
    "libcoreclr",
    r"libcoreclr\.so\Z",
    objects="memtop sees its pages, not its objects. Compare two heap dumps (dotnet-gcdump collect -p PID).",
    own_limit="how near .NET's heap is to GCHeapHardLimit",
)
