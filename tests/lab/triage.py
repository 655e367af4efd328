"""Seconds from the start of memtop to a headline that names the trouble: ``python -m tests.lab.triage [NAME ...]``.

Each trial makes a trouble with real processes and cgroups, starts memtop at the same time in one terminal of each size,
presses no key, and prints what is true, what the first line said when it named that, and after how many seconds. A
trial ends within a minute, and cleans up. An exclamation mark is a trouble that was named too late, or not at all.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final, NamedTuple

import pytest

from tests.e2e.terminal import MEMTOP, Terminal
from tests.lab.troubles import TROUBLES, Trial, Trouble

MOST_S: Final = 15.0
"""A trouble is to be named so soon after it shows."""
LONGEST_S: Final = 40.0
_POLL_S: Final = 0.2
_SIZES: Final = "80x24,120x40,200x60"


class Seen(NamedTuple):
    """What the headline of one terminal said."""

    headline: str
    seconds: float | None
    """From the start to the first headline that names the trouble; None if there was none."""
    late_s: float | None
    """The same from the time at which the trouble could be seen."""
    earlier: tuple[tuple[float, str], ...]
    """What the line said before, and from when on, in seconds from the start."""

    @property
    def in_time(self) -> bool:
        """Whether it was soon enough."""
        return self.late_s is not None and self.late_s <= MOST_S


def seen_in(sizes: list[tuple[int, int]], trial: Trial, trouble: Trouble) -> list[Seen]:
    """What memtop says in a terminal of each size, until all of them have named it or it takes too long."""
    command, environ = (*trouble.command, MEMTOP), {"HOME": str(trial.folder)}
    seconds: dict[Terminal, float] = {}
    headlines: dict[Terminal, list[tuple[float, str]]] = {}
    with ExitStack() as stack:
        started_s = time.monotonic()
        terminals = [stack.enter_context(Terminal(size=size, env=environ, command=command)) for size in sizes]
        while len(seconds) < len(terminals) and time.monotonic() - started_s < LONGEST_S:
            time.sleep(_POLL_S)
            for terminal in terminals:
                if terminal not in seconds:
                    headline = terminal.screen().partition("\n")[0].strip()
                    headlines.setdefault(terminal, []).append((time.monotonic() - started_s, headline))
                    if trouble.named.search(headline):
                        seconds[terminal] = time.monotonic() - started_s
        for terminal in terminals:
            terminal.send("q")
        for terminal in terminals:
            terminal.wait_end()  # it may still write to its folder
    since_s = trouble.since_s()
    shows_s = 0.0 if since_s is None else max(0.0, since_s - started_s)
    return [
        Seen(
            headlines[one][-1][1],
            seconds.get(one),
            seconds[one] - shows_s if one in seconds else None,
            tuple(_changes(headlines[one][:-1])),
        )
        for one in terminals
    ]


def _changes(headlines: list[tuple[float, str]]) -> Iterator[tuple[float, str]]:
    """The first of those in a row that begin alike: numbers are not compared."""
    before = ""
    for at_s, headline in headlines:
        begins = re.sub(r"[\d.]+", "", headline)[:30]
        if begins != before:
            yield at_s, headline
        before = begins


def main() -> int:
    """Run the trials that were named, or all of them; 1 if one was named too late."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(TROUBLES))
    parser.add_argument("--sizes", default=_SIZES, help=f"of the terminals (default {_SIZES})")
    options = parser.parse_args()
    if unknown := set(options.names) - set(TROUBLES):
        parser.error(f"no such trial: {', '.join(sorted(unknown))}; there are {', '.join(TROUBLES)}")
    sizes = [(int(columns), int(rows)) for columns, rows in (one.split("x") for one in options.sizes.split(","))]
    failed = False
    for name in options.names or TROUBLES:
        with Trial() as trial:
            try:
                trouble = TROUBLES[name](trial)
            except pytest.skip.Exception as reason:
                print(f"{name}: left out, {reason}\n", flush=True)
                continue
            found = seen_in(sizes, trial, trouble)
        print(f"{name}: {trouble.truth}")
        print(f"  {'SIZE':<8} {'FROM START':>10} {'SINCE IT SHOWS':>14}  HEADLINE")
        for (columns, rows), one in zip(sizes, found, strict=True):
            times = [f"{value:.1f} s" if value is not None else "never" for value in (one.seconds, one.late_s)]
            sign = " " if one.in_time else "!"
            print(f"{sign} {f'{columns}x{rows}':<8} {times[0]:>10} {times[1]:>14}  {one.headline}")
            for at_s, headline in () if one.in_time else one.earlier:
                print(f"{'at':>13} {at_s:>4.1f} s it said    {headline}")
        print(flush=True)
        failed = failed or not all(one.in_time for one in found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
