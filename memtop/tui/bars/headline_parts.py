"""Text of the headline: the sentence about the whole machine, as much of it as fits.

Imports neither Textual nor Rich styles, and of the sentences only what it is given: the first picture uses it too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from rich.cells import cell_len

from memtop import units
from memtop.explain.incident_text import FALLS
from memtop.model.frame import SystemRow
from memtop.tui.drawing.cell_text import fit
from memtop.tui.drawing.line_parts import EDGE_CELLS, GAP_CELLS, LinePart

TARGET: Final = "headline"
"""Where a click leads."""
_JOINT: Final = "; "
_BRACKETS: Final = re.compile(r" \([^()]*\)")
_OF_MACHINE: Final = "this machine"
"""How the name of the limit that is the machine's memory begins."""


def early_clauses(system: SystemRow) -> tuple[str, ...]:
    """What is known after one sample."""
    return (f"{units.long_size(system.mem_available_bytes)} available", "too early to know what grows")


def headline_parts(
    clauses: Sequence[str], width: int, *, sign: str = "", style: str = "", more: int = 0, live: bool = True
) -> tuple[list[LinePart], list[LinePart]]:
    """The sign and the clauses on the left, the last ones dropped where the line is narrow; on the right what ! opens.

    ``more`` are the incidents beside the one that is named. ``live`` is False while the screen shows an earlier
    instant: the headline speaks of now.
    """
    right = [LinePart(f"! {more} more" if more else "! list", 0 if more else 2, TARGET, "dim")] if sign else []
    lead = "" if live else "now: "
    whole = max(1, width - 2 * EDGE_CELLS - (cell_len(sign) + 1 if sign else 0) - cell_len(lead))
    room = max(1, whole - (GAP_CELLS + cell_len(right[0].text) if right else 0))
    text = _joined(clauses, room)
    # What the sentence says second, such as the limit that is met, is worth more than the way to the list, and a name
    # more than a shorter line.
    if right and cell_len(clauses[0]) > room:
        right, text = [], _joined(clauses, whole)
    elif text == clauses[0]:
        for shorter, cells in ((False, whole), (True, room), (True, whole)):
            if (found := _joined(clauses, cells, shorter=shorter)) != text:
                text, right = found, right if cells == room else []
                break
    left = [LinePart(sign, 0, TARGET, style)] if sign else []
    return [*left, LinePart(lead + text, 0, TARGET, style, glued=bool(sign))], right


def _joined(clauses: Sequence[str], room: int, *, shorter: bool = False) -> str:
    """As many clauses as fit: the first in any case, a later one in a shorter form where it must be."""
    text = clauses[0] if cell_len(clauses[0]) <= room else fit(clauses[0], room)
    for clause in clauses[1:]:
        left = room - cell_len(text) - len(_JOINT)
        found = next((form for form in _forms(clause, shorter=shorter) if cell_len(form) <= left), None)
        if found is None:
            break
        text += _JOINT + found
    return text


def _forms(clause: str, *, shorter: bool) -> Iterator[str]:
    """A clause, and without what stands in brackets; with ``shorter`` that says when a limit is full without its name:
    that time is why the line is red."""
    yield clause
    yield _BRACKETS.sub("", clause)
    name, full, when = clause.partition(" full in ")
    if shorter and full and name:
        why = " as available memory falls" if when.endswith(FALLS) else ""
        yield f"{'RAM' if name.startswith(_OF_MACHINE) else 'limit'}{full}{when.partition(',')[0]}{why}"
