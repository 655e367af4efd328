"""GOGC, GOMEMLIMIT and GODEBUG from a process's initial environment. No other variable leaves this module.

A program may change the first two at any time (debug.SetGCPercent, debug.SetMemoryLimit). Then the values here are not
in force.
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
    """The three variables as set, cleaned; None if not set."""

    gogc: str | None = None
    gomemlimit: str | None = None
    godebug: str | None = None

    @property
    def gogc_percent(self) -> float:
        """The effective GOGC: infinite for ``off`` and negative numbers, 100 if it is unset or malformed."""
        if self.gogc == "off":
            return math.inf
        match = re.fullmatch(r"([+-]?)(\d{1,10})", self.gogc or "")
        if not match or int(match[2]) >= _INT32:
            return DEFAULT_GOGC
        return math.inf if match[1] == "-" and int(match[2]) else float(match[2])

    @property
    def gomemlimit_bytes(self) -> float:
        """The effective GOMEMLIMIT: infinite if unset or ``off``. Go does not start with a malformed value."""
        match = _LIMIT.match(self.gomemlimit or "")
        if not match:
            return math.inf
        size = int(match[1]) * 1024 ** _UNITS[match[2] or "B"]
        return math.inf if size >= (1 << 63) - 1 else float(size)

    def debug(self, key: str, built_in: str | None = None) -> str | None:
        """One setting of GODEBUG, the last of several. ``built_in`` is the DefaultGODEBUG of the program."""
        found = None
        for setting in f"{built_in or ''},{self.godebug or ''}".split(","):
            name, mark, value = setting.partition("=")
            if mark and name.strip() == key:
                found = value.strip()
        return found


def only_go_variables(environ: bytes) -> bytes:
    """Reduce /proc/PID/environ to the three variables, each cut in length, which may be kept and recorded.

    The first of two counts, as for getenv. A last variable that the bounded read has cut is cut here too.
    """
    found: dict[bytes, bytes] = {}
    for entry in environ.split(b"\0"):
        name, mark, value = entry.partition(b"=")
        if mark and name in KEPT:
            found.setdefault(name, value[: 4 * LONGEST])
    return b"\0".join(name + b"=" + found[name] for name in KEPT if name in found)


def parse_go_environ(environ: bytes) -> GoSettings:
    """Parse the three variables from an environment, or from the result of :func:`only_go_variables`."""
    values: dict[bytes, str] = {}
    for entry in only_go_variables(environ).split(b"\0"):
        name, _, value = entry.partition(b"=")
        values[name] = clean(value)[:LONGEST]
    return GoSettings(*(values.get(name) for name in KEPT))
