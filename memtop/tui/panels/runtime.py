"""The Runtime panel: where RES comes from as the program itself counts, whether it leaks, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from memtop.explain import runtime_words as words
from memtop.model.frame import Detail, Frame
from memtop.model.runtime_view import GoInside, Inside, JvmInside
from memtop.tui.chart.heap_chart import FRAME_ROWS, ROWS, heap_charts
from memtop.tui.drawing.stacked_bar import StackedBar, legend
from memtop.tui.drawing.text_lines import Line, TextLines, without_focus, wrapped

_NARROW_BELOW = 100


class RuntimePanel(VerticalScroll, can_focus=True):
    """Verdict, bar, charts and numbers."""

    def compose(self) -> ComposeResult:
        """The words over the bar, the bar, and the rest."""
        yield TextLines(id="runtime-head")
        yield StackedBar(id="runtime-bar")
        yield TextLines(id="runtime-body")

    def show_frame(self, frame: Frame) -> None:
        """Take a newer frame."""
        width = self.scrollable_content_region.width
        if width <= 0:
            return
        parts = parts_of(frame.detail)
        bar = self.query_one(StackedBar)
        bar.display = bool(parts)
        bar.show(parts)
        plain = self.app.has_class("-ascii")
        head = head_lines(frame.detail, width) or [Line(without_focus(frame))]
        room = self.scrollable_content_region.height - len(head) - len(parts[:1])
        body = body_lines(frame.detail, width, room, plain=plain)
        for name, lines in (("#runtime-head", head), ("#runtime-body", body)):
            prose = self.query_one(name, TextLines)
            prose.styles.height = max(1, len(lines))  # they scroll together, with the bar between them
            prose.show(lines)

    def caption(self, frame: Frame) -> str:
        """How old the figures are, and where they come from."""
        return words.caption(frame.detail.inside) if frame.detail is not None else ""


def parts_of(detail: Detail | None) -> list[words.Part]:
    """RES in parts; empty where its runtime does not tell them."""
    inside = detail.inside if detail is not None else None
    if inside is None:
        return []
    if inside.go is not None and inside.go.parts is not None:
        return words.go_parts(inside.go.parts)
    if inside.jvm is not None and inside.jvm.parts is not None:
        return words.jvm_parts(inside.jvm.parts)
    return []


def head_lines(detail: Detail | None, width: int) -> list[Line]:
    """What runs here, what is wrong with the readings, and the verdict."""
    if detail is None:
        return []
    inside = detail.inside
    if inside is None or inside.waiting:
        return wrapped(words.WAITING, width)
    lines = wrapped(words.title(inside), width, "dim")
    if inside.trouble and (inside.go is not None or inside.jvm is not None):
        lines += wrapped(f"No newer figures: {inside.trouble}.", width, "warning")
    elif inside.trouble:
        lines += wrapped(f"No figures: {inside.trouble}.", width, "warning")
    verdict = None
    if inside.go is not None:
        verdict = words.go_verdict(inside.go)
    elif inside.jvm is not None:
        verdict = words.jvm_verdict(inside.jvm)
    said, bad = words.limit_words(inside.go.limit) if inside.go is not None else ("", False)
    if bad:
        lines += wrapped(said, width, "danger")
    if verdict is not None:
        lines += wrapped(f"{verdict.title}. {verdict.evidence}", width, "danger" if verdict.bad else "strong")
        if verdict.bad:
            lines += wrapped(verdict.what_to_do, width)
    if said and not bad:
        lines += wrapped(said, width)
    return lines


def body_lines(detail: Detail | None, width: int, room: int = 99, *, plain: bool = False) -> list[Line]:
    """The bar in words, charts, numbers and advice; ``room`` is how many lines of it are seen without scrolling."""
    inside = detail.inside if detail is not None else None
    if detail is None or inside is None or inside.waiting:
        return []
    if inside.go is not None:
        return _of_go(detail, inside, inside.go, width, room, plain=plain)
    if inside.jvm is not None:
        return _of_jvm(detail, inside, inside.jvm, width, room, plain=plain)
    if inside.build is not None:
        said = [*words.from_outside(inside, detail)]
        said += ["Waiting for its metrics …"] if inside.url and not inside.trouble else words.how_to_get_metrics(inside)
        return _paragraphs(said, width)
    return _of_others(inside, width)


def _of_go(detail: Detail, inside: Inside, go: GoInside, width: int, room: int, *, plain: bool) -> list[Line]:
    verdict = words.go_verdict(go)
    said = [words.go_numbers(go), "" if verdict.bad else verdict.what_to_do]
    said += [words.gogc_words(go), *words.account(go, detail.row), words.freed_words(inside)]
    return _with_charts(detail, inside, "HeapAlloc", said, width=width, room=room, plain=plain)


def _of_jvm(detail: Detail, inside: Inside, jvm: JvmInside, width: int, room: int, *, plain: bool) -> list[Line]:
    verdict = words.jvm_verdict(jvm)
    said = [*words.jvm_numbers(jvm), "" if verdict.bad else verdict.what_to_do]
    return _with_charts(detail, inside, "Heap used", said, width=width, room=room, plain=plain)


def _with_charts(
    detail: Detail, inside: Inside, used: str, said: Sequence[str], *, width: int, room: int, plain: bool
) -> list[Line]:
    """Charts come right after the bar, as high as there is room; where there is none, after all words, and whole."""
    legend, sentences = _legend(detail, width, plain=plain), _paragraphs(said, width)
    rows = min(ROWS, room - len(legend) - FRAME_ROWS)
    charts = heap_charts(inside.points, used, width, rows=rows if rows > 0 else ROWS, plain=plain)
    lines = [Line(line) for line in charts]
    return [*legend, *lines, *sentences] if rows > 0 else [*legend, *sentences, *lines]


def _of_others(inside: Inside, width: int) -> list[Line]:
    said = [words.ALLOCATORS[advice] for advice in inside.advice]
    runtime = inside.native.runtime if inside.native is not None else None
    if inside.strange:
        said.append(f"Which runtime it has cannot be told: {inside.strange}.")
    elif not said and inside.native is not None:
        known = runtime is not None
        said.append(
            "Nothing about its allocator calls for a word."
            if known or inside.native.allocator is not None
            else "No runtime that memtop knows, and no allocator among its libraries (a static program shows none)."
        )
    if runtime is not None and runtime.value in words.OBJECTS:
        said.append(words.OBJECTS[runtime.value])
    return _paragraphs(said, width)


def _legend(detail: Detail, width: int, *, plain: bool) -> list[Line]:
    parts, rss = parts_of(detail), detail.row.rss_bytes
    if not parts or rss is None:
        return []
    return [Line(text) for text in legend(rss, parts, width, narrow=width < _NARROW_BELOW, plain=plain)]


def _paragraphs(sentences: Iterable[str], width: int) -> list[Line]:
    return [line for sentence in sentences if sentence for line in wrapped(sentence, width)]
