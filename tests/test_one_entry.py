"""One entry adds one: a column, a finding or a panel that the tests add to its table works everywhere at once."""

from __future__ import annotations

import io
import json

import pytest
from textual.actions import parse
from textual.widget import Widget

from memtop.analysis.findings import RULES, Rule, Weight
from memtop.analysis.severity import Severity
from memtop.columns import BY_NAME, Column, Values
from memtop.demo.recorded_runs import recorded_runs
from memtop.demo.scenarios import scenarios
from memtop.engine.engine import Engine
from memtop.explain.finding_text import finding_texts
from memtop.explain.topic_loader import topic
from memtop.headless.check import Answer, run
from memtop.headless.formats import json_writer
from memtop.headless.text_format import text_writer
from memtop.model.frame import Frame
from memtop.sampling.request import Need
from memtop.settings import Settings
from memtop.tui.app.bindings import panel_keys
from memtop.tui.bars.footer import Hint, StatusBar
from memtop.tui.drawing.text_lines import Line, TextLines
from memtop.tui.panels import switcher
from memtop.tui.panels.switcher import PanelKind, Panels, Tabs
from memtop.tui.side.side_panel import SidePanel
from memtop.tui.table.column_layout import place_columns
from memtop.view_state import View
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource, frame_after
from tests.requests import request
from tests.tui.app.test_app import board
from tests.tui.conftest import memory_stays_as_it_is, pilots_wait_until_idle, screens_cost_little  # noqa: F401 (for all tests here)
from tests.tui.frames import line

TOY_COLUMN = Column(
    "rss_kib",
    "RKIB",
    9,
    "rss_bytes",
    lambda row: "?" if row.rss_bytes is None else f"{row.rss_bytes >> 10}K",
    "RES in KiB",
    "rss",
    Need.OOM,
    values=Values.SIZE,
    importance=15,
)


@pytest.fixture
def _toy_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BY_NAME, TOY_COLUMN.key, TOY_COLUMN)


def seen(widget: Widget) -> str:
    """All that the screen shows of a widget."""
    return "\n".join(line(widget, y) for y in range(widget.region.height))


def source() -> FakeSource:
    return FakeSource(
        FakeProcess(20, b"api", rss_pages=50 * MIB_PAGES, cmdline=b"api\0"),
        FakeProcess(30, b"db", rss_pages=80 * MIB_PAGES, cmdline=b"db\0"),
    )


COLUMN_CHOSEN = Settings(
    columns=(BY_NAME["pid"], TOY_COLUMN, BY_NAME["cpu"], BY_NAME["command"]), sort=TOY_COLUMN, filter="rss_kib>60m"
)


@pytest.mark.usefixtures("_toy_column")
async def test_a_column_is_shown_sorted_filtered_and_explained_by_its_entry() -> None:
    async with board(COLUMN_CHOSEN, source()) as it:
        await it.shows(30)
        assert it.app.table.render_line(0).text.split() == ["PID", "RKIB▼", "CPU%", "COMMAND"]
        assert "81920K" in it.app.table.render_line(1).text
        assert it.app.view.sort.topic == topic("rss").name


@pytest.mark.usefixtures("_toy_column")
def test_a_column_is_in_the_text_output_and_its_readings_are_asked_for() -> None:
    ask, out = View.of(COLUMN_CHOSEN).request(), io.StringIO()
    assert ask.readings.needs_all == Need.OOM
    frame = Engine(source()).step(ask)
    assert frame is not None
    text_writer(out, COLUMN_CHOSEN.columns, None)(frame)
    assert [line.split()[:2] for line in out.getvalue().splitlines()[4:-1]] == [["PID", "RKIB"], ["30", "81920K"]]


def test_a_column_is_left_out_by_its_importance() -> None:
    columns = (BY_NAME["pid"], TOY_COLUMN, BY_NAME["oom%"], BY_NAME["oom#"], BY_NAME["command"])

    def kept(width: int) -> list[str]:
        return [place.column.key for place in place_columns(columns, width, "pid")]

    assert kept(60) == ["pid", "rss_kib", "oom%", "oom#", "command"]
    assert kept(53) == ["pid", "rss_kib", "oom%", "command"]
    assert kept(45) == ["pid", "oom%", "command"]


TOY_RULE = Rule(
    "large",
    "rss",
    lambda inputs: (Severity.WARNING, {"rss_bytes": inputs.rss}) if inputs.rss and inputs.rss > 60 << 20 else None,
    steady=True,
    weight=Weight.ALARMING,
)


@pytest.fixture
def _toy_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, TOY_RULE.name, TOY_RULE)
    monkeypatch.setitem(finding_texts(), TOY_RULE.name, {"says": ["It has {rss_bytes}."], "next": "Buy RAM."})


@pytest.mark.usefixtures("_toy_finding")
async def test_a_finding_is_on_the_screen_by_its_entry_and_its_text() -> None:
    async with board(source=source()) as it:
        await it.shows(30, 20)
        side = it.app.query_one(SidePanel)
        await it.until(lambda: "! It has 80.0 MiB." in seen(side), "the finding is told")
        assert "Next: Buy RAM." in seen(side)


@pytest.mark.usefixtures("_toy_finding")
def test_a_finding_is_in_json_and_check_by_its_entry() -> None:
    out, said = io.StringIO(), io.StringIO()
    json_writer(out)(frame_after(Engine(source()), request(only=frozenset({30}), outlooks=True), 2))
    (shown,) = json.loads(out.getvalue())["processes"]
    text = {"text": "It has 80.0 MiB.", "next": "Buy RAM.", "command": None}
    assert {"id": "large", "severity": "warning", **text} in shown["findings"]
    assert run(Engine(source()), 30, 1e6, 0.0, said) is Answer.BAD
    assert said.getvalue() == "db (30): It has 80.0 MiB.\n"


class ToyPanel(TextLines, can_focus=True):
    """Says how many processes there are."""

    def show_frame(self, frame: Frame) -> None:
        """Take a newer frame."""
        self.show([Line(f"{frame.total} processes in all")])

    def caption(self, frame: Frame) -> str:
        """What stands beside the tabs."""
        return "counted just now"

    def words(self, frame: Frame) -> int | None:
        """See ``Panel``."""
        return None


TOY_PANEL = PanelKind(
    "toy",
    "Toy",
    "how many there are",
    f"{__name__}:ToyPanel",
    cursor="panel-toy",
    hints=(Hint("w", "Wind up", "in_panel('focus')"),),
    topic=lambda frame: "process",
    tall=True,
)


TOY_KEY = len(switcher.PANELS) + 1


@pytest.fixture
def _toy_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(switcher.BY_NAME, TOY_PANEL.name, TOY_PANEL)


@pytest.mark.usefixtures("_toy_panel")
async def test_a_panel_has_tab_key_hints_and_topic_by_its_entry() -> None:
    async with board(source=source()) as it:
        it.app.action_panel(TOY_KEY)  # what its key does
        await it.until(lambda: "2 processes in all" in seen(it.app.query_one(Panels)), "the panel is open")
        await it.until(lambda: "Wind up" in line(it.app.query_one(StatusBar), 0), "its keys are shown")
        tabs = line(it.app.query_one(Tabs), 0)
        assert f"[{TOY_KEY} Toy]" in tabs
        assert "counted just now" in tabs
        assert it.app.topic == "process"
        assert it.app.query_one(Panels).size.height > 15, "a tall panel"


@pytest.mark.usefixtures("_toy_panel")
def test_a_panel_has_its_key_in_the_help_by_its_entry() -> None:
    key = panel_keys()[-1]
    assert (key.key, key.tooltip) == (str(TOY_KEY), "Toy: how many there are; press again to close")


@pytest.mark.parametrize("panel", switcher.PANELS, ids=lambda panel: panel.name)
async def test_the_hints_of_a_panel_name_actions_that_exist(panel: PanelKind) -> None:
    async with board(source=source()) as it:
        it.app.choose_panel(panel.name)
        await it.until(lambda: it.app.query(f"#panel-{panel.name}"), "the panel is open")
        for hint in panel.hints:
            _, name, arguments = parse(hint.action)
            assert hasattr(it.app, f"action_{name}"), hint
            if name == "in_panel":
                assert hasattr(it.app.query_one(f"#{panel.cursor}"), f"action_{parse(arguments[0])[1]}"), hint


def test_the_panel_that_a_demonstration_opens_exists() -> None:
    named = {scenario.panel for scenario in scenarios()} | {run.panel for run in recorded_runs()}
    assert named - {""} <= set(switcher.BY_NAME)
