"""Findings and exit reports as lines of the side panel, worst first, with the topic of each line."""

from __future__ import annotations

from typing import Final

from memtop.analysis.findings import Severity, Weight, weighing
from memtop.explain.finding_text import autopsy_lines, nothing_wrong, sentences_of
from memtop.explain.group_sentences import group_sentences
from memtop.explain.region_sentences import mark_sentence
from memtop.model.assessment import Assessment
from memtop.model.frame import Detail, GroupDetail
from memtop.tui.chart.axes import clock
from memtop.tui.drawing.severity_signs import DANGER_MARK, NOTE_MARK, WARNING_MARK
from memtop.tui.drawing.text_lines import Line, wrapped

MARKS: Final = {
    Severity.DANGER: (DANGER_MARK, "danger"),
    Severity.WARNING: (WARNING_MARK, "warning"),
    Severity.NOTE: (NOTE_MARK, ""),
}
_INDENT: Final = "  "


def finding_lines(detail: Detail, width: int) -> tuple[list[Line], dict[int, str]]:
    """The lines, and the topic of each line that has one. The worst finding is first.

    Changes since the mark come before all findings, because the user asked for them, and a small screen shows little
    more than the first line.
    """
    marked = wrapped(mark_sentence(detail), width, "strong") if detail.mark is not None or detail.mark_dropped else []
    found, topics = _findings(detail, width)
    topics = {len(marked) + line: name for line, name in topics.items()}
    return marked + found, topics | dict.fromkeys(range(len(marked)), "regions")


def group_lines(detail: GroupDetail, width: int) -> tuple[list[Line], dict[int, str]]:
    """The sentences about a group, the worst first, and the topic of each line."""
    lines: list[Line] = []
    topics: dict[int, str] = {}
    if detail.cursor_s is not None:
        at = clock(detail.right_edge_s + detail.cursor_s)
        lines += [*wrapped(f"As it was at {at}. End goes back to now.", width, "strong"), Line("")]
    for one in group_sentences(detail):
        mark, look = MARKS[one.severity]
        first = len(lines)
        lines += wrapped(f"{mark} {one.says}", width, look, _INDENT)
        topics.update(dict.fromkeys(range(first, len(lines)), one.topic))
    return lines, topics


def _findings(detail: Detail, width: int) -> tuple[list[Line], dict[int, str]]:
    outlook = detail.outlook
    if outlook is None:
        return [], {}
    if outlook.autopsy is not None:
        return _autopsy(outlook, width)
    lines: list[Line] = []
    topics: dict[int, str] = {}
    for finding in outlook.findings:
        words = sentences_of(finding)
        mark, look = MARKS[words.severity]
        first = len(lines)
        lines += wrapped(f"{mark} {words.says}", width, look, _INDENT)
        if words.severity > Severity.NOTE:
            for text in (words.doubt, f"Next: {words.next}" if words.next else ""):
                if text:
                    lines += wrapped(_INDENT + text, width, "dim", _INDENT)
        topics.update(dict.fromkeys(range(first, len(lines)), words.topic))
    found = outlook.findings
    is_bad = any(finding.severity > Severity.NOTE for finding in found)
    if outlook.growth is not None and not is_bad and not weighing(found, Weight.OPEN):
        ahead = wrapped(f"{NOTE_MARK} {nothing_wrong(outlook, alone=not outlook.findings)}", width, "", _INDENT)
        lines = ahead + lines
        topics = {at + len(ahead): name for at, name in topics.items()}
        topics.update(dict.fromkeys(range(len(ahead)), "verdicts"))
    return lines, topics


def _autopsy(outlook: Assessment, width: int) -> tuple[list[Line], dict[int, str]]:
    assert outlook.autopsy is not None
    lines: list[Line] = []
    bad = outlook.autopsy.oom.value in ("certain", "probable")
    for number, text in enumerate(autopsy_lines(outlook.autopsy)):
        look = ("danger" if bad else "strong") if number < 2 else ""
        mark = f"{DANGER_MARK} " if bad and number == 1 else ""
        lines += wrapped(mark + text, width, look, _INDENT)
    return lines, dict.fromkeys(range(len(lines)), "autopsy")
