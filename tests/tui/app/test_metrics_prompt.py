"""The addresses that are suggested for a Go program's metrics."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from memtop.process_key import ProcessKey
from memtop.runtimes.view import RuntimeView
from memtop.sampling.request import ReadingsRequest
from memtop.tui.app import metrics_prompt
from memtop.tui.app.app_state import AppState
from memtop.tui.dialogs.dialog import Choice


def test_a_program_that_listens_on_many_ports_fits_on_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = RuntimeView(suggested=tuple(f"http://127.0.0.1:{port}/debug/vars" for port in range(6000, 6100)))
    offered: list[Choice[str]] = []
    monkeypatch.setattr(metrics_prompt, "Menu", lambda title, choices, says: offered.extend(choices))
    app = SimpleNamespace(
        view=SimpleNamespace(readings=ReadingsRequest(focus=ProcessKey(42, 1))),
        settings=SimpleNamespace(replay=""),
        frame=SimpleNamespace(detail=SimpleNamespace(runtime=runtime)),
        push_screen=lambda screen, callback: None,
    )
    metrics_prompt.ask_go_url(cast(AppState, app), lambda: None)
    assert len(offered) == 9, "eight, and another address"
