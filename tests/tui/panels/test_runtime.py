"""The Runtime panel over a small world: its key, its dialog, its explanations, its bar."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen
from textual.widgets import Input, Label, OptionList

from memtop.runtimes.container_limit import Container, encode_container
from memtop.runtimes.go.metrics import parse_go_metrics
from memtop.runtimes.go.reading import encode_metrics
from memtop.runtimes.identity import encode_identity
from memtop.runtimes.protocol import Identity
from memtop.runtimes.view import HeapPoint, Part
from memtop.sampling.request import Need
from memtop.tui.chart.heap_chart import heap_charts
from memtop.tui.dialogs.address_prompt import GO_THERE, NONE_KNOWN, READING, SUGGESTED, AddressPrompt
from memtop.tui.dialogs.dialog import Menu, Prompt
from memtop.tui.dialogs.topic_viewer import TopicViewer
from memtop.tui.drawing.stacked_bar import bar, legend
from memtop.tui.drawing.text_lines import TextLines
from memtop.tui.panels.runtime import RuntimePanel, body_lines, head_lines
from memtop.tui.panels.switcher import PANELS, RUNTIME
from tests.fakes import FakeSource
from tests.lab.points import lines
from tests.tui.app.test_app import Board, board, world

AT = "proc/40/runtime/"
URL = "http://127.0.0.1:6060/debug/vars"
MIB = 1 << 20
TITLES = ("HeapAlloc", "HeapObjects")
KEY = str(1 + [panel.name for panel in PANELS].index(RUNTIME))


def go_world() -> FakeSource:
    """Process 40, the first of the list, is a Go program that listens."""
    source = world()
    source.files[AT + "identity"] = encode_identity(Identity("go", build="go1.19.8\n"))
    source.files[AT + "environ"] = b""
    source.files[AT + "container"] = encode_container(Container(None, None))
    source.files[AT + "listeners"] = URL.encode()
    heap = parse_go_metrics(lines("steady")[-1]["body"].encode())
    source.files[f"{AT}metrics#{URL}"] = encode_metrics(URL, heap)
    source.processes[40].virt_pages = 1 << 20
    return source


def words(on: Board) -> str:
    detail = on.app.frame.detail if on.app.frame is not None else None
    return "\n".join(line.text for line in (*head_lines(detail, 100), *body_lines(detail, 100)))


async def ticks_until(on: Board, text: str) -> None:
    for _ in range(10):
        await on.tick()
        if text in words(on):
            return
    raise AssertionError(f"{text!r} never came: {words(on)}")


async def test_a_suggested_address_is_asked_only_when_it_is_chosen() -> None:
    async with board(source=go_world()) as on:
        await on.press(KEY)
        assert on.app.view.panel == RUNTIME
        await ticks_until(on, "U reads it")
        assert not [path for path in on.source.asked_ever if "metrics" in path]
        await on.press("U")
        assert isinstance(on.app.screen, Menu)
        await on.press("1")
        assert on.app.view.readings.go_urls == ((40, URL),)
        await on.pilot.pause()
        assert on.app.view.panel == RUNTIME
        await ticks_until(on, "No verdict yet")
        await on.press("U")
        on.app.screen.query_one(OptionList).highlighted = 2
        await on.press("enter")
        assert not on.app.view.readings.go_urls


async def test_suggested_addresses_are_read_and_offered_without_the_panel() -> None:
    async with board(source=go_world()) as on:
        await on.press("U")
        prompt = on.app.screen
        assert isinstance(prompt, AddressPrompt)
        assert READING in shown_by(prompt)
        for _ in range(3):
            await on.tick()
        await on.until(lambda: f"{SUGGESTED} {GO_THERE}" in shown_by(prompt), "they are offered")
        assert isinstance(on.app.focused, Input), "a key that is being typed chooses nothing"
        assert not [path for path in on.source.asked_ever if "metrics" in path]
        await on.press("down", "enter")
        assert on.app.view.readings.go_urls == ((40, URL),)
        assert on.app.dialog_needs is Need.NONE


async def test_the_prompt_says_that_a_program_listens_nowhere() -> None:
    source = go_world()
    source.files[AT + "listeners"] = b""
    async with board(source=source) as on:
        await on.press("U")
        for _ in range(3):
            await on.tick()
        await on.until(lambda: NONE_KNOWN in shown_by(on.app.screen), "it says so")
        await on.press("down")
        assert isinstance(on.app.focused, Input)
        await on.press("escape")
        assert on.app.dialog_needs is Need.NONE


def shown_by(screen: Screen[Any]) -> list[str]:
    return [str(label.content) for label in screen.query(".dialog Label").results(Label)]


async def test_an_address_is_typed_and_refused_where_it_is_not_this_machine() -> None:
    source = go_world()
    source.files[AT + "listeners"] = b""
    async with board(source=source) as on:
        await on.press("U")
        assert isinstance(on.app.screen, Prompt)
        line = on.app.screen.query_one(Input)
        await on.press("enter")
        assert isinstance(on.app.screen, Prompt), "what stands in the line at first has no port"
        assert not on.app.view.readings.go_urls
        line.value = "http://example.com/debug/vars"
        await on.press("enter")
        assert isinstance(on.app.screen, Prompt)
        line.value = "127.0.0.1:6060"
        await on.press("enter")
        assert on.app.view.readings.go_urls == ((40, URL),), "whole, so that next steps have it too"
        assert on.app.view.panel == RUNTIME


async def test_the_topic_opens_with_the_numbers_of_the_program() -> None:
    async with board(source=go_world()) as on:
        on.app.choose_readings(go_urls=((40, URL),))
        await on.press(KEY)
        await ticks_until(on, "No verdict yet")
        on.app.query_one(RuntimePanel).focus()
        await on.pilot.pause()
        assert on.app.topic == "go_panel"
        await on.press("e")
        assert isinstance(on.app.screen, TopicViewer)


async def test_a_process_without_a_runtime_says_so() -> None:
    source = world()
    source.files[AT + "identity"] = encode_identity(Identity())
    async with board(source=source) as on:
        await on.press(KEY)
        await ticks_until(on, "No known runtime")


async def test_a_panel_that_has_just_been_opened_says_what_is_being_read() -> None:
    async with board(source=go_world()) as on:
        await on.press(KEY)
        await on.until(lambda: on.app.query("#runtime-head"), "the panel is there")
        head = on.app.query_one("#runtime-head", TextLines)
        await on.until(lambda: head.render_line(0).text.startswith("Detecting the runtime"), "it says so")


async def test_of_python_it_says_who_can_tell_more() -> None:
    source = world()
    source.files[AT + "identity"] = encode_identity(Identity("python", "3.11"))
    async with board(source=source) as on:
        await on.press(KEY)
        await ticks_until(on, "tracemalloc compares two snapshots")


async def test_charts_are_as_high_as_there_is_room_and_never_cut() -> None:
    async with board(source=go_world()) as on:
        await on.press(KEY)
        await ticks_until(on, "U reads it")
        await on.press("U", "1")
        await ticks_until(on, "HeapAlloc")
        detail = on.app.frame.detail if on.app.frame is not None else None

        def place(room: int) -> tuple[int, int]:
            texts = [line.text for line in body_lines(detail, 100, room)]
            first = next(at for at, text in enumerate(texts) if text.startswith("HeapAlloc"))
            last = next(at for at, text in enumerate(texts) if "GC, ╹ several" in text)
            return first, last

        (first, last), (_, low) = place(99), place(6)
        assert last - first == 4
        assert low < 6
        assert place(2)[1] == len(body_lines(detail, 100, 2)) - 1


def test_the_bar_fills_its_width_and_shows_the_smallest_part() -> None:
    parts = [Part("live", "live heap", "live", 100 * MIB), Part("stacks", "stacks", "stacks", 1), *_ends()]
    for width in (9, 40, 118):
        pieces = bar(parts, width)
        assert sum(len(text) for text, _ in pieces) == width
        assert all(text for text, _ in pieces)
    assert {text[0] for text, _ in bar(parts, 40, plain=True)} == {"#", "s", "."}
    assert legend(200 * MIB, parts, 99, narrow=True, plain=True) == [
        "RES 200M = # live 100M + s stacks 1B + . files 50.0M"
    ]
    assert legend(200 * MIB, parts, 44, narrow=True, plain=True) == [
        "RES 200M = # live 100M + s stacks 1B",
        "+ . files 50.0M",
    ]


def _ends() -> list[Part]:
    return [Part("files", "binary and files", "files", 50 * MIB)]


def test_the_charts_have_a_mark_under_the_reading_that_follows_a_collection() -> None:
    points = [HeapPoint(float(at), 10 * MIB + at, 100 + at, at // 4) for at in range(20)]
    drawn = heap_charts(points, TITLES, 40, plain=True)
    assert len(drawn) == 10
    marks = drawn[4]
    assert [place for place, sign in enumerate(marks[:20]) if sign == "'"] == [4, 8, 12, 16]
    assert len(heap_charts(points, TITLES, 118)) == 5
    assert heap_charts(points[:1], TITLES, 118) == []
