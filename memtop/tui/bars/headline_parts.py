"""Fits the clauses of the headline, which :mod:`memtop.explain.incident_text` words, into the width of its line.

Imports neither Textual nor Rich styles, and of the sentences only what it is given: the first picture uses it too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final, NamedTuple, Protocol

from rich.cells import cell_len

from memtop import units
from memtop.model.frame import SystemRow
from memtop.tui.drawing.cell_text import fit, whole_words
from memtop.tui.drawing.line_parts import EDGE_CELLS, GAP_CELLS, LinePart

TARGET: Final = "headline"
"""Where a click leads."""
_JOINT: Final = "; "
_LONG_NAME_CELLS: Final = 10
"""Name to which a longer one is shortened for the sake of the second clause."""
_BRACKETS: Final = re.compile(r" \([^()]*\)")
_OF_MACHINE: Final = "this machine"
"""How the name of the limit that is the machine's memory begins."""


def early_clauses(system: SystemRow) -> tuple[str, ...]:
    """What is known after one sample."""
    return (f"{units.long_size(system.mem_available_bytes)} available", "too early to know what grows")


class Said(Protocol):
    """The headline's clauses; see ``Headline`` of ``incident_text``."""

    @property
    def clauses(self) -> Sequence[str]:
        """The most important first."""

    @property
    def brief(self) -> Sequence[str]:
        """The same in few words; empty where ``clauses`` are short."""

    @property
    def who(self) -> str:
        """The name in the first clause; empty for none."""

    @property
    def more(self) -> int:
        """Incidents beside the one that is named."""


class Early(NamedTuple):
    """What is said after one sample."""

    clauses: tuple[str, ...]
    brief: tuple[str, ...] = ()
    who: str = ""
    more: int = 0


def headline_parts(
    said: Said, width: int, *, sign: str = "", style: str = "", live: bool = True
) -> tuple[list[LinePart], list[LinePart]]:
    """The sign and the clauses on the left, the last ones dropped where the line is narrow; on the right what ! opens.

    ``live`` is False while the screen shows an earlier instant: the headline speaks of now.
    """
    others = f"! {said.more} more" if said.more else "! list"
    right = [LinePart(others, 0 if said.more else 2, TARGET, "dim")] if sign else []
    lead = "" if live else "now: "
    whole = max(1, width - 2 * EDGE_CELLS - (cell_len(sign) + 1 if sign else 0) - cell_len(lead))
    room = max(1, whole - (GAP_CELLS + cell_len(right[0].text) if right else 0))
    text, beside = _sentence(said, room, whole)
    left = [LinePart(sign, 0, TARGET, style)] if sign else []
    return [*left, LinePart(lead + text, 0, TARGET, style, glued=bool(sign))], right if beside else []


def _sentence(said: Said, room: int, whole: int) -> tuple[str, bool]:
    """As much as fits into ``room`` cells beside the way to the list, or into ``whole`` without it; and whether beside.

    Who, what and when are worth more than that way, which is worth more than details. A name stays whole as long as
    the rest can be said in fewer words.
    """
    needed = min(2, len(said.clauses))
    briefly = said.brief or said.clauses
    wordings = ((said.clauses, 0), (said.clauses, 1), (briefly, 0), (briefly, 1), (briefly, 2))
    for (clauses, shorter), cells in product(wordings, (room, whole)):
        found = _joined(clauses, cells, shorter)
        if len(found) >= min(needed, len(said.brief) or needed, len(clauses)):
            return _JOINT.join(found), cells < whole or room == whole
    if shortened := _short_name(briefly[:2], said.who, whole, _LONG_NAME_CELLS):
        return shortened, False
    for cells in (room, whole):
        for first in (said.clauses[0], briefly[0]):
            if cell_len(first) <= cells:
                return first, cells < whole or room == whole
    return _short_name(briefly[:1], said.who, whole, 1) or whole_words(briefly[0], whole), False


def _joined(clauses: Sequence[str], room: int, shorter: int) -> list[str]:
    """As many clauses as fit, later ones in a shorter form where they must be; none if the first does not fit."""
    kept: list[str] = []
    left = room
    for clause in clauses:
        forms = _forms(clause, shorter) if kept else iter((clause,))
        found = next((form for form in forms if cell_len(form) <= left), None)
        if found is None:
            break
        kept.append(found)
        left -= cell_len(found) + len(_JOINT)
    return kept


def _short_name(clauses: Sequence[str], who: str, room: int, least: int) -> str:
    """The clauses with a shortened name, its PID whole; empty if fewer than ``least`` cells of it would be left."""
    name, bracket, pid = who.partition(" (") if who.endswith(")") else (who, "", "")
    if not who or who not in clauses[0]:
        return ""
    for second in _forms(clauses[1], 2) if clauses[1:] else ("",):
        text = _JOINT.join([clauses[0], *([second] if second else [])])
        left = room - (cell_len(text) - cell_len(name))
        if left >= min(least, cell_len(name)):
            short = name if cell_len(name) <= left else fit(name, left, left=True).rstrip()
            return text.replace(who, f"{short}{bracket}{pid}", 1)
    return ""


def _forms(clause: str, shorter: int) -> Iterator[str]:
    """A clause, and without what stands in brackets; with ``shorter`` that says when a limit is full without its name:
    that time is why the line is red. It names what else fills it where the process does not."""
    yield clause
    yield _BRACKETS.sub("", clause)
    name, full, when = clause.partition(" full in ")
    if shorter and full and name:
        in_s, comma, beside = when.partition(", ")
        ends = full + in_s + ("" if beside.startswith("with ") else comma + beside)
        yield f"{'RAM' if name.startswith(_OF_MACHINE) else 'limit'}{ends}"
        if shorter > 1:
            yield ends.strip()
