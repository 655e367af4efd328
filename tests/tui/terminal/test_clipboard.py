"""The clipboard inside tmux: a program named tmux gets the text on standard input."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtop.tui.terminal.clipboard import give_to_tmux, in_tmux


@pytest.mark.parametrize(("accepts", "given"), [("-w", True), ("-", True), ("nothing", False)])
def test_the_text_goes_to_tmux_with_the_options_that_it_knows(
    accepts: str, given: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmux = tmp_path / "tmux"
    tmux.write_text(f'#!/bin/sh\n[ "$2" = "{accepts}" ] && exec cat > "{tmp_path}/buffer"\nexit 1\n')
    tmux.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    assert give_to_tmux("jcmd 42 GC.heap_info") is given
    assert (tmp_path / "buffer").exists() is given
    assert not given or (tmp_path / "buffer").read_text() == "jcmd 42 GC.heap_info"


def test_without_tmux_nothing_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("TMUX", raising=False)
    assert not in_tmux()
    assert not give_to_tmux("4242")
