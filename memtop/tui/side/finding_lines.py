"""Answers, findings, next steps and exit reports as lines of the side panel, with the topic of each line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from rich.cells import cell_len

from memtop.analysis.findings import Weight, weighing
from memtop.analysis.severity import Severity
from memtop.explain.answers import Answer, answers
from memtop.explain.exit_text import autopsy_lines, autopsy_next, exit_severity
from memtop.explain.finding_text import FindingText, nothing_wrong, sentences_of
from memtop.explain.group_sentences import group_sentences
from memtop.explain.region_sentences import mark_sentence
from memtop.explain.severity_signs import NOTE_MARK, SIGNS
from memtop.model.assessment import Assessment, ExitReport
from memtop.model.detail import Detail, GroupDetail
from memtop.model.frame import Frame
from memtop.model.row import SystemRow
from memtop.tui.colors import LOOKS
from memtop.tui.drawing.cell_text import ELLIPSIS, whole_words
from memtop.tui.drawing.text_lines import Line, led, wrapped

MARKS: Final = {severity: (SIGNS[severity], look) for severity, look in LOOKS.items()}
_INDENT: Final = "  "
MORE: Final = f"{ELLIPSIS} more"
"""What the last line says where there is more below it."""
_LEAST_GAP: Final = 2


class SideLines(NamedTuple):
    """Lines of the panel, and what belongs to them by their numbers."""

    lines: list[Line]
    topics: dict[int, str]
    """The topic of each line that has one."""
    steps: Mapping[int, str] = MappingProxyType({})
    """What to copy from each line of a next step: its command, or its sentence if it has none."""

    def then(self, below: SideLines) -> SideLines:
        """These lines above others."""
        start = len(self.lines)
        return SideLines(
            [*self.lines, *below.lines],
            self.topics | {start + at: name for at, name in below.topics.items()},
            dict(self.steps) | {start + at: text for at, text in below.steps.items()},
        )

    def cut(self, height: int, width: int) -> SideLines:
        """As many lines as fit. Blank ones are dropped first, and the last line says where the rest is."""
        kept = [number for number, line in enumerate(self.lines) if line.text or len(self.lines) <= height]
        shown = [self.lines[number] for number in kept[:height]]
        if len(kept) > height > 0:
            shown[-1] = shown[-1]._replace(text=_with_more(shown[-1].text, width))
        places = list(enumerate(kept[:height]))
        return SideLines(
            shown,
            {at: self.topics[number] for at, number in places if number in self.topics},
            {at: self.steps[number] for at, number in places if number in self.steps},
        )


def _with_more(text: str, width: int) -> str:
    """A line below which there is more: said at its right end where there is room, so that no word looks cut."""
    gap = width - cell_len(text) - len(MORE)
    if gap >= _LEAST_GAP:
        return f"{text}{' ' * gap}{MORE}"
    return text if text.endswith(ELLIPSIS) else whole_words(f"{text} {ELLIPSIS}", width)


NONE: Final = SideLines([], {})
_BLANK: Final = SideLines([Line("")], {})


def paragraphs(*parts: SideLines) -> SideLines:
    """The parts that have lines, with a blank line between any two."""
    whole = NONE
    for part in parts:
        if part.lines:
            whole = whole.then(_BLANK).then(part) if whole.lines else part
    return whole


def of_one_topic(lines: list[Line], topic: str = "") -> SideLines:
    """Lines that all have one topic, or none."""
    return SideLines(lines, dict.fromkeys(range(len(lines)), topic) if topic else {})


def finding_lines(
    detail: Detail, width: int, computed_percent: int | None = None, said: Sequence[Answer] = ()
) -> SideLines:
    """The evidence: findings, the worst first, each with its doubt; then the next steps.

    Changes since the mark come before all findings, because the user asked for them. What the answers in ``said`` say
    is not repeated.
    """
    return _marked(detail, width).then(_findings(detail, width, computed_percent, said))


def full_lines(
    detail: Detail, system: SystemRow, width: int, computed_percent: int | None = None, *, demo: SideLines = NONE
) -> SideLines:
    """The three answers, the commentary of a demo, and the evidence, with a blank line between any two.

    ``computed_percent`` is how much of the past of an earlier instant was played, as long as it is.
    """
    said = answers(detail, system, computed_percent)
    evidence = finding_lines(detail, width, computed_percent, said)
    return paragraphs(_worded(said, width), demo, evidence)


def brief_lines(
    detail: Detail,
    system: SystemRow,
    width: int,
    height: int,
    computed_percent: int | None = None,
    *,
    demo: SideLines = NONE,
) -> SideLines:
    """The same in a few lines: the worst answer or finding, what to do, the other answers, then the rest.

    Each answer begins within ``height`` lines where there are so many. To that end answers give up their second lines,
    then the next step and the mark go below them, and at last the finding. In a ``demo`` all that is below its
    commentary.
    """
    outlook = detail.outlook
    if outlook is not None and outlook.autopsy is not None:
        return demo.then(_autopsy(outlook.autopsy, width, brief=True))
    said = sorted(answers(detail, system, computed_percent), key=lambda answer: -answer.severity)
    lead, step = _lead(outlook, said, width)
    marked = _marked(detail, width, lines=1)
    rest = _findings(detail, width, computed_percent, said)
    every = _worded(said, width, 1)
    if demo.lines:
        return every.then(demo).then(lead).then(step).then(marked).then(rest)
    worst = [] if lead.lines else said[:1]
    for lines_each in (None, 1):
        first = lead.then(_worded(worst, width, lines_each)).then(step).then(marked)
        others = _worded(said[len(worst) :], width, lines_each)
        if len(first.lines) + len(others.lines) <= height:
            return first.then(others).then(rest)
    above = lead if len(lead.lines) + len(every.lines) <= height else NONE
    return above.then(every).then(NONE if above.lines else lead).then(step).then(marked).then(rest)


def _lead(outlook: Assessment | None, worst_first: Sequence[Answer], width: int) -> tuple[SideLines, SideLines]:
    """The worst finding in one line, where it is worse than all answers; and the next step in another."""
    lead = step = NONE
    if outlook is None:
        return lead, step
    bad = (one for one in outlook.findings if one.severity > Severity.NOTE)
    for words in _next_steps(sentences_of(one, outlook.tools) for one in bad)[:1]:
        if not worst_first or worst_first[0].severity < words.severity:  # no answer is about it
            mark, look = MARKS[words.severity]
            lead = SideLines([Line(whole_words(f"{mark} {words.says}", width), look)], {0: words.topic})
        line = Line(whole_words(f"  Next: {words.next}", width), "strong" if words.command else "")
        step = SideLines([line], {0: words.next_topic}, {0: words.command or words.next})
    return lead, step


def _worded(said: Sequence[Answer], width: int, lines_each: int | None = None) -> SideLines:
    """Answers in their longest wording that fits a line; otherwise wrapped, or cut to one line each."""
    lines: list[Line] = []
    topics: dict[int, str] = {}
    for answer in said:
        mark, look = MARKS[answer.severity]
        first = len(lines)
        wordings = [f"{mark} {says}" for says in (answer.says, *answer.shorter)]
        fits = next((one for one in wordings if cell_len(one) <= width), wordings[-1 if lines_each else 0])
        look = look or "strong"
        lines += [Line(whole_words(fits, width), look)] if lines_each else wrapped(fits, width, look, _INDENT)
        topics.update(dict.fromkeys(range(first, len(lines)), answer.topic))
    return SideLines(lines, topics)


def group_lines(detail: GroupDetail, width: int, frame: Frame) -> SideLines:
    """The sentences about a group, the worst first."""
    lines: list[Line] = []
    topics: dict[int, str] = {}
    for one in group_sentences(detail, swaps=frame.system.swap_total_bytes != 0, computed_percent=frame.past_percent):
        mark, look = MARKS[one.severity]
        first = len(lines)
        lines += led(f"{mark} {one.says}", width, look, _INDENT)
        topics.update(dict.fromkeys(range(first, len(lines)), one.topic))
    return SideLines(lines, topics)


def _marked(detail: Detail, width: int, lines: int | None = None) -> SideLines:
    """What has changed since the mark; in one line with ``lines`` 1."""
    if detail.mark is None and not detail.mark_dropped:
        return NONE
    text = mark_sentence(detail)
    worded = [Line(whole_words(text, width), "strong")] if lines == 1 else wrapped(text, width, "strong")
    return of_one_topic(worded, "regions")


def _next_steps(worded: Iterable[FindingText]) -> list[FindingText]:
    """Those of some findings that name a next step, the worst first, each step once."""
    steps: dict[str, FindingText] = {}
    for words in worded:
        if words.severity > Severity.NOTE and words.next:
            steps.setdefault(words.next, words)
    return list(steps.values())


def _findings(detail: Detail, width: int, computed_percent: int | None, said: Sequence[Answer]) -> SideLines:
    outlook = detail.outlook
    if outlook is None:
        return NONE
    if outlook.autopsy is not None:
        return _autopsy(outlook.autopsy, width, brief=False)
    lines: list[Line] = []
    topics: dict[int, str] = {}
    in_short = {answer.finding for answer in said}
    worded = [sentences_of(one, outlook.tools, answered=one.name in in_short) for one in outlook.findings]
    for words in worded:
        if not words.says:
            continue
        mark, look = MARKS[words.severity]
        first = len(lines)
        lines += led(f"{mark} {words.says}", width, look, _INDENT)
        if words.severity > Severity.NOTE:
            lines += wrapped(_INDENT + words.doubt, width, "dim", _INDENT) if words.doubt else []
        topics.update(dict.fromkeys(range(first, len(lines)), words.topic))
    steps: dict[int, str] = {}
    for words in _next_steps(worded):
        first = len(lines)
        lines += wrapped(f"Next: {words.next}", width, "strong" if words.command else "", _INDENT)
        topics.update(dict.fromkeys(range(first, len(lines)), words.next_topic))
        steps.update(dict.fromkeys(range(first, len(lines)), words.command or words.next))
    found = SideLines(lines, topics, steps)
    is_bad = any(finding.severity > Severity.NOTE for finding in outlook.findings)
    if outlook.growth is not None and not is_bad and not weighing(outlook.findings, Weight.OPEN):
        alone = not outlook.findings
        says = nothing_wrong(outlook, alone=alone, computed_percent=computed_percent, answered=len(said) > 1)
        fine = wrapped(f"{NOTE_MARK} {says}", width, "", _INDENT) if says else []
        return of_one_topic(fine, "verdicts").then(found)
    return found


def _autopsy(autopsy: ExitReport, width: int, *, brief: bool) -> SideLines:
    """How it ended, what to do, and the rest. ``brief``: each sentence in one line."""
    lines: list[Line] = []
    steps: dict[int, str] = {}
    severity, step = exit_severity(autopsy), autopsy_next(autopsy)
    (sign, look), worst = MARKS[severity], 1 if autopsy.is_oom else 0
    texts = autopsy_lines(autopsy)
    if brief and cell_len(texts[0]) > width:
        texts = autopsy_lines(autopsy, brief=True)
    for number, text in enumerate([*texts[:2], *([f"Next: {step}"] if step else []), *texts[2:]]):
        is_worst = look and number == worst
        said, style = (f"{sign} {text}", look) if is_worst else (text, "strong" if number < 2 else "")
        first = len(lines)
        lines += [Line(whole_words(said, width), style)] if brief else wrapped(said, width, style, _INDENT)
        if step and number == 2:
            steps = dict.fromkeys(range(first, len(lines)), step)
    return SideLines(lines, dict.fromkeys(range(len(lines)), "autopsy"), steps)
