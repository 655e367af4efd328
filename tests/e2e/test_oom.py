"""A real OOM kill in a real terminal: before it the limit is named, after it how the end is known."""

from __future__ import annotations

import re

import pytest

from tests.cgroup_v1 import memory_cgroup
from tests.e2e.terminal import Terminal
from tests.test_real_oom import MIB, close, grow, grower

pytestmark = pytest.mark.usefixtures("only_oom_kills")


def test_before_the_kill_the_limit_is_named_and_after_it_the_autopsy_is_certain() -> None:
    with memory_cgroup(60 * MIB) as folder:
        child = grower(folder)
        try:
            with Terminal("-d", "0.2", str(child.pid), size=(120, 40)) as terminal:
                terminal.wait_for(re.compile(rf"% of\s.*the\s.*60\.0 MiB.*{folder.name}", re.DOTALL))
                grow(child, 1000)
                terminal.wait_for("OOM-killed (certain)")
                terminal.wait_for(folder.name)
                terminal.send("3")
                terminal.wait_for(re.compile(r"As of its end at \d\d:\d\d:\d\d"))
                terminal.send("\x1b[6~")
                terminal.wait_for("OOM-killed once")
        finally:
            close(child)


def test_a_kill_by_hand_is_not_called_oom_and_a_clean_exit_shows_its_code() -> None:
    with memory_cgroup(60 * MIB) as folder:
        for by_hand in (True, False):
            child = grower(folder)
            try:
                with Terminal("-d", "0.2", str(child.pid)) as terminal:
                    terminal.wait_for(folder.name)
                    if by_hand:
                        child.kill()
                    else:
                        grow(child, 10)
                        grow(child, 0)
                    terminal.wait_for("Not OOM-killed")
                    terminal.wait_for("signal 9" if by_hand else "code 3")
            finally:
                close(child)
