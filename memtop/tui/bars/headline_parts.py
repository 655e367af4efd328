"""Fits the clauses of the headline, which :mod:`memtop.explain.incident_text` words, into the width of its line.

Imports neither Textual nor Rich styles, and of the sentences only what it is given: the first picture uses it too.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from itertools import islice, product
from typing import Final, NamedTuple, Protocol

from rich.cells import cell_len, set_cell_size

from memtop import units
from memtop.model.row import SystemRow
from memtop.tui.drawing.cell_text import fit, whole_words
from memtop.tui.drawing.line_parts import EDGE_CELLS, GAP_CELLS, LinePart

TARGET: Final = "headline"
"""A click on the sentence leads to what it names."""
LIST: Final = "incidents"
"""A click on the number of the others opens the list."""
_JOINT: Final = "; "
_SLACK_CELLS: Final = 8
"""A longer wording takes the place of a shorter one only where so many cells are left: numbers change their width."""
_LONG_NAME_CELLS: Final = 10
"""Name to which a longer one is shortened for the sake of the second clause."""
_BRACKETS: Final = re.compile(r" \([^()]*\)")
_CUT_NAME_CELLS: Final = (24, 20, 16, 14, 12, 10, 8)
"""Widths to which the name of a limit is cut."""
_KIND: Final = re.compile(r"\.(?:service|scope|slice)\Z")
"""The end of a unit's name that says nothing about which it is."""
_SLOWED: Final = re.compile(r"slowed by (?P<name>.+)(?P<when> in .+)")
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

    @property
    def trouble(self) -> Hashable:
        """What it is about. Its wording stays as long as this is the same."""


class Early(NamedTuple):
    """What is said after one sample."""

    clauses: tuple[str, ...]
    brief: tuple[str, ...] = ()
    who: str = ""
    more: int = 0
    trouble: Hashable = None


class _Layout(NamedTuple):
    """How a sentence is fitted into its line."""

    attempt: int
    """Which of the attempts, the longest wording first."""
    forms: tuple[int, ...]
    """The form of each clause; see :func:`_forms`."""
    text: str
    beside: bool
    """Whether there is room for the way to the list."""


class HeadlineLayout:
    """Fits one headline after another into its line, so that the wording of one trouble stays while its numbers
    change."""

    def __init__(self) -> None:
        self._about: tuple[Hashable, ...] | None = None
        self._kept: _Layout | None = None
        self._had_others = False
        """Whether there were other incidents beside this trouble."""

    def parts(
        self, said: Said, width: int, *, sign: str = "", style: str = "", live: bool = True
    ) -> tuple[list[LinePart], list[LinePart]]:
        """The sign and the clauses on the left, the last ones dropped where the line is narrow; on the right what !
        opens.

        ``live`` is False while the screen shows an earlier instant: the headline speaks of now.
        """
        others = f"! {said.more} more" if said.more else "! list"
        right = [LinePart(others, 0 if said.more else 2, LIST, "dim")] if sign else []
        lead = "" if live else "now: "
        whole = max(1, width - 2 * EDGE_CELLS - (cell_len(sign) + 1 if sign else 0) - cell_len(lead))
        room = max(1, whole - (GAP_CELLS + cell_len(right[0].text) if right else 0))
        about = said.trouble, width, live
        is_same = about == self._about
        had_others, self._had_others = is_same and self._had_others, bool(said.more) or (is_same and self._had_others)
        kept = self._kept if is_same and had_others == self._had_others else None
        self._about, self._kept = about, (found := _laid_out(said, room, whole, kept, self._had_others))
        left = [LinePart(sign, 0, TARGET, style)] if sign else []
        text = LinePart(lead + found.text, 0, TARGET, style, glued=bool(sign))
        return [*left, text], right if found.beside else []


def headline_parts(
    said: Said, width: int, *, sign: str = "", style: str = "", live: bool = True
) -> tuple[list[LinePart], list[LinePart]]:
    """One headline; see :meth:`HeadlineLayout.parts`."""
    return HeadlineLayout().parts(said, width, sign=sign, style=style, live=live)


def _laid_out(said: Said, room: int, whole: int, kept: _Layout | None, others: bool) -> _Layout:
    """The longest wording that fits; where one was shown before, that as long as it fits, unless a longer one has
    cells to spare."""
    if kept is None:
        return _sentence(said, room, whole, others)
    as_before = _again(said, kept, room, whole, others)
    if as_before is not None and _again(said, kept, room - _SLACK_CELLS, whole - _SLACK_CELLS, others) is None:
        return as_before
    return _sentence(said, max(1, room - _SLACK_CELLS), max(1, whole - _SLACK_CELLS), others)


def _sentence(said: Said, room: int, whole: int, others: bool) -> _Layout:
    """As much as fits into ``room`` cells beside the way to the list, or into ``whole`` without it.

    Who, what and when are worth more than that way, which is worth more than details. A name stays whole as long as
    the rest can be said in fewer words.
    """
    needed = min(2, len(said.clauses))
    briefly = said.brief or said.clauses
    for attempt, (clauses, shorter, cells) in enumerate(_wordings(said, room, whole, others)):
        found = _joined(clauses, cells, shorter)
        if len(found) >= min(needed, len(said.brief) or needed, len(clauses)):
            forms, texts = zip(*found, strict=True)
            return _Layout(attempt, forms, _JOINT.join(texts), cells < whole or room == whole)
    return next(
        _Layout(_CUT + attempt, (), text, beside)
        for attempt, (text, beside) in enumerate(_cut(said, briefly, room, whole))
        if text
    )


def _again(said: Said, kept: _Layout, room: int, whole: int, others: bool) -> _Layout | None:
    """The same clauses in the same forms; None where they do not fit."""
    if kept.attempt >= _CUT:
        cuts = _cut(said, said.brief or said.clauses, room, whole)
        text, beside = next(islice(cuts, kept.attempt - _CUT, None))
        return kept._replace(text=text, beside=beside) if text else None
    clauses, shorter, cells = _wordings(said, room, whole, others)[kept.attempt]
    if len(clauses) < len(kept.forms):
        return None
    forms = [[*_forms(clause, shorter)] for clause in clauses[: len(kept.forms)]]
    if any(number >= len(those) for number, those in zip(kept.forms, forms, strict=True)):
        return None
    text = _JOINT.join(those[number] for number, those in zip(kept.forms, forms, strict=True))
    return kept._replace(text=text) if cell_len(text) <= cells else None


def _wordings(said: Said, room: int, whole: int, others: bool) -> list[tuple[Sequence[str], int, int]]:
    """Clauses, how much shorter they may be said, and the cells for them, the wording that says most first: whose limit
    it is is worth more than for how long it has grown. That there are ``others`` is worth a few words."""
    briefly = said.brief or said.clauses
    full = said.clauses
    wordings = ((full, 0), (briefly, 0), (full, 1), (briefly, 1), (full, 2), (briefly, 2), (briefly, 3))
    found = [(clauses, shorter, cells) for (clauses, shorter), cells in product(wordings, (room, whole))]
    if others:
        found.sort(key=lambda one: (one[1], one[2] != room))
    return found


_CUT: Final = 14
"""Attempts that leave nothing out that is needed; the others are those of :func:`_cut`."""


def _cut(said: Said, briefly: Sequence[str], room: int, whole: int) -> Iterator[tuple[str, bool]]:
    """Texts that leave something out, or shorten a name, and whether they leave room for the way to the list. They are
    empty where they do not fit, but for the last."""
    yield _short_name(briefly[:2], said.who, whole, _LONG_NAME_CELLS), False
    for cells in (room, whole):
        for first in (said.clauses[0], briefly[0]):
            yield first if cell_len(first) <= cells else "", cells < whole or room == whole
    yield _short_name(briefly[:1], said.who, whole, 1) or whole_words(briefly[0], whole), False


def _joined(clauses: Sequence[str], room: int, shorter: int) -> list[tuple[int, str]]:
    """As many clauses as fit, later ones in a shorter form where they must be, each with the number of its form; none
    if the first does not fit."""
    kept: list[tuple[int, str]] = []
    left = room
    for clause in clauses:
        forms = enumerate(_forms(clause, shorter) if kept else (clause,))
        found = next((one for one in forms if cell_len(one[1]) <= left), None)
        if found is None:
            break
        kept.append(found)
        left -= cell_len(found[1]) + len(_JOINT)
    return kept


def _short_name(clauses: Sequence[str], who: str, room: int, least: int) -> str:
    """The clauses with a shortened name, its PID whole; empty if fewer than ``least`` cells of it would be left."""
    name, bracket, pid = who.partition(" (") if who.endswith(")") else (who, "", "")
    if not who or who not in clauses[0]:
        return ""
    for second in _forms(clauses[1], 3) if clauses[1:] else ("",):
        text = _JOINT.join([clauses[0], *([second] if second else [])])
        left = room - (cell_len(text) - cell_len(name))
        if left >= min(least, cell_len(name)):
            short = name if cell_len(name) <= left else fit(name, left, left=True).rstrip()
            return text.replace(who, f"{short}{bracket}{pid}", 1)
    return ""


def _forms(clause: str, shorter: int) -> Iterator[str]:
    """A clause, and without what stands in brackets; with ``shorter`` that says when a limit is full with the last part
    of its name, that name cut in its middle, or without it: that time is why the line is red. It names what else fills
    it where the process does not."""
    yield clause
    yield _BRACKETS.sub("", clause)
    name, full, when = clause.partition(" full in ")
    slowed = _SLOWED.fullmatch(clause)
    if shorter and full and name:
        in_s, comma, beside = when.partition(", ")
        ends = full + in_s + ("" if beside.startswith("with ") else comma + beside)
        name = _BRACKETS.sub("", name).removesuffix(" is")
        yield name + ends
        is_machine = name.startswith(_OF_MACHINE)
        if not is_machine:
            yield from (short + ends for short in _short_names(name))
        if shorter > 1:
            yield f"{'RAM' if is_machine else 'limit'}{ends}"
        if shorter > 2:
            yield ends.strip()
    elif shorter and slowed is not None:
        yield from (f"slowed by {short}{slowed['when']}" for short in _short_names(slowed["name"]))
        if shorter > 1:
            yield f"slowed{slowed['when']}"


def _short_names(name: str) -> Iterator[str]:
    """The last part of a limit's name, then as much of both its ends as fits into fewer and fewer cells: names of one
    family often differ at one end only."""
    last = name.rpartition("/")[2].rpartition(" ")[2] or name
    if last != name:
        yield last
    last = _KIND.sub("", last)
    for cells in _CUT_NAME_CELLS:
        if cell_len(last) > cells:
            tail = set_cell_size(last[::-1], (cells - 1) // 2)[::-1]
            yield fit(last, cells - cell_len(tail), left=True) + tail
