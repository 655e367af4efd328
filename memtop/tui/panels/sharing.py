"""The Sharing panel: memory of a process after fork (USS, PSS), and the total of its family."""

from __future__ import annotations

import os

from memtop.analysis.memory_map.moment import has_moved
from memtop.explain.region_sentences import caption, why_no_reading
from memtop.explain.sharing_sentences import sharing_sentences
from memtop.model.frame import Frame
from memtop.sampling.smaps.smaps_view import Missing, Relative, SharingView
from memtop.tui.drawing.cell_text import fit
from memtop.tui.drawing.text_lines import Line, TextLines, lines_without_focus, wrapped
from memtop.tui.panels.regions import lines_of_reason, missing_lines
from memtop.units import UNKNOWN, size

_BAR_LEAST = 12
_NAME_CELLS = (16, 10)
"""Ordinary width, and width on narrow screens."""
_NARROW_BELOW = 66


class SharingPanel(TextLines, can_focus=True):
    """Sentences, then the family as a table."""

    DEFAULT_CSS = """
    SharingPanel.-old { opacity: 60%; }
    """

    def show_frame(self, frame: Frame) -> None:
        """Take a newer frame."""
        own = frame.detail.regions if frame.detail is not None else None
        self.set_class(own is not None and own.is_old, "-old")
        width = self.scrollable_content_region.width
        if width > 0:
            self.show(sharing_lines(frame, width, plain=self.app.has_class("-ascii")))

    def caption(self, frame: Frame) -> str:
        """The age of the reading, and its cost."""
        return caption(frame.detail.regions, frame.detail.row.rss_bytes) if frame.detail is not None else ""

    def words(self, frame: Frame) -> int | None:
        """See ``Panel``."""
        view = frame.detail.sharing if frame.detail is not None else None
        if view is not None and view.relatives:
            return None
        return lines_of_reason(frame, self.scrollable_content_region.width)


def sharing_lines(frame: Frame, width: int, *, plain: bool = False) -> list[Line]:
    """The panel as lines."""
    detail = frame.detail
    if detail is None:
        return lines_without_focus(frame, width)
    view = detail.sharing
    if view is None or not view.relatives:
        return missing_lines(detail, width)
    lines: list[Line] = []
    for sentence, look in sharing_sentences(detail, view, hidden=frame.hidden):
        lines += wrapped(sentence, width, look)
    if view.own.reading is None and view.own.missing is not Missing.NOTHING:
        lines += wrapped(why_no_reading(view.own, detail.row, os.geteuid()), width)
    return [*lines, Line(""), *_table(view, width, plain=plain)]


def _table(view: SharingView, width: int, *, plain: bool) -> list[Line]:
    """One line per process: RSS, PSS, USS, the part that is still shared, and the three as a bar."""
    signs = ("#", "=", ".") if plain else ("█", "▒", "░")
    name_cells = _NAME_CELLS[width < _NARROW_BELOW]
    by_pss = not view.lacks_pss
    numbers = f"{'PID':>7} {'NAME':<{name_cells}} {'RSS':>6}"
    numbers += f" {'PSS':>6} {'USS':>6} {'SHARED':>6} {'COPYING':>9}" if by_pss else f" {'USS':>6}"
    room = width - len(numbers) - 2
    keys = ("{} USS {} rest of PSS {} rest of RSS".format(*signs), "{}USS {}PSS {}RSS".format(*signs))
    if not by_pss:
        keys = ("{0} USS {2} rest of RSS".format(*signs), "{0}USS {2}RSS".format(*signs))
    head = numbers + next((f"  {key}" for key in keys if room >= len(key)), "")
    most = max(
        ((one.member.rss_bytes if one.member else None) or one.rss_bytes or 0 for one in view.relatives), default=1
    )
    lines = [Line(head[:width], "strong")]
    for one in view.relatives:
        text = _row(one, name_cells, by_pss=by_pss)
        if room >= _BAR_LEAST and one.member is not None and len(text) <= len(numbers):
            text += "  " + _bar(one, most or 1, room, signs)
        lines.append(Line(text))
    known = view.known
    if len(view.relatives) > 1 and known.members:
        note = "" if not view.unknown else f"  {view.unknown} of {len(view.relatives)} not read"
        sums = f"{size(known.rss_sum_bytes):>6}"
        if by_pss:
            sums += f" {size(known.pss_sum_bytes):>6} {'':>6} {size(known.still_shared_bytes):>6}"
        lines.append(Line(f"{'':>7} {'together':<{name_cells}} {sums}{note}", "strong"))
    return lines


def _row(one: Relative, name_cells: int, *, by_pss: bool) -> str:
    member = one.member
    name = fit(one.name, name_cells, left=True)
    if member is None:
        why = "" if one.missing is Missing.UNREAD else f"  {one.missing.value}"
        unknown = f" {UNKNOWN:>6}" * (3 if by_pss else 1)
        return f"{one.pid:>7} {name} {size(one.rss_bytes):>6}{unknown}{why}"
    rate = one.copying.copied_bytes_per_s if one.copying is not None else None
    copying = UNKNOWN if rate is None else f"{size(rate)}/s" if rate >= 1 else "0"
    then = "  of then" if has_moved(member.rss_bytes, one.rss_bytes) else ""
    twin = "" if member.same_memory_as is None else f"  the same memory as {member.same_memory_as}"
    shares = (
        f"{size(member.pss_bytes):>6} {size(member.uss_bytes):>6} {size(member.shared_anon_bytes):>6} {copying:>9}"
        if by_pss
        else f"{size(member.uss_bytes):>6}"
    )
    return f"{one.pid:>7} {name} {size(member.rss_bytes):>6} {shares}{twin}{then}"


def _bar(one: Relative, most_bytes: int, room: int, signs: tuple[str, str, str]) -> str:
    member = one.member
    if member is None or member.rss_bytes is None:
        return ""
    uss, pss, rss = member.uss_bytes or 0, member.pss_bytes or 0, member.rss_bytes
    ends = [round(room * min(value, rss) / most_bytes) for value in (uss, max(uss, pss), rss)]
    return signs[0] * ends[0] + signs[1] * (ends[1] - ends[0]) + signs[2] * (ends[2] - ends[1])
