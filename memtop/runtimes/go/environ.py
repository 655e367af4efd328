"""GOGC, GOMEMLIMIT and GODEBUG from a process's initial environment; no other variable leaves this module.

A program may change the first two at any time (debug.SetGCPercent, debug.SetMemoryLimit): then these are not in force.
"""

from __future__ import annotations

import math
import re
from typing import Final, NamedTuple

from memtop.sanitize import clean

KEPT: Final = (b"GOGC", b"GOMEMLIMIT", b"GODEBUG")
LONGEST: Final = 64
"""Characters of a value that are kept."""
DEFAULT_GOGC: Final = 100.0
_LIMIT = re.compile(r"(\d{1,19})(B|[KMGT]iB)?\Z")
_UNITS: Final = {"B": 0, "KiB": 1, "MiB": 2, "GiB": 3, "TiB": 4}
_INT32: Final = 1 << 31


class GoSettings(NamedTuple):
    """The three variables as set, cleaned; None where not set."""

    gogc: str | None = None
    gomemlimit: str | None = None
    godebug: str | None = None

    @property
    def gogc_percent(self) -> float:
        """What Go makes of GOGC: infinite for ``off`` and negative numbers, 100 for none and for nonsense."""
        if self.gogc == "off":
            return math.inf
        match = re.fullmatch(r"([+-]?)(\d{1,10})", self.gogc or "")
        if not match or int(match[2]) >= _INT32:
            return DEFAULT_GOGC
        return math.inf if match[1] == "-" and int(match[2]) else float(match[2])

    @property
    def gomemlimit_bytes(self) -> float:
        """What Go makes of GOMEMLIMIT: infinite for none and ``off``. Go refuses to start with nonsense."""
        match = _LIMIT.match(self.gomemlimit or "")
        if not match:
            return math.inf
        size = int(match[1]) * 1024 ** _UNITS[match[2] or "B"]
        return math.inf if size >= (1 << 63) - 1 else float(size)

    def debug(self, key: str, built_in: str | None = None) -> str | None:
        """A setting of GODEBUG, the last of several; ``built_in`` is the DefaultGODEBUG of the program."""
        found = None
        for setting in f"{built_in or ''},{self.godebug or ''}".split(","):
            name, mark, value = setting.partition("=")
            if mark and name.strip() == key:
                found = value.strip()
        return found


def only_go_variables(environ: bytes) -> bytes:
    """/proc/PID/environ with nothing but the three variables in it, each cut: what may be kept and recorded.

    The first of two counts, as for getenv. A last variable that the bounded reading has cut off is cut here too.
    """
    found: dict[bytes, bytes] = {}
    for entry in environ.split(b"\0"):
        name, mark, value = entry.partition(b"=")
        if mark and name in KEPT:
            found.setdefault(name, value[: 4 * LONGEST])
    return b"\0".join(name + b"=" + found[name] for name in KEPT if name in found)


def parse_go_environ(environ: bytes) -> GoSettings:
    """The three variables of an environment, or of what :func:`only_go_variables` left of it."""
    values: dict[bytes, str] = {}
    for entry in only_go_variables(environ).split(b"\0"):
        name, _, value = entry.partition(b"=")
        values[name] = clean(value)[:LONGEST]
    return GoSettings(*(values.get(name) for name in KEPT))
