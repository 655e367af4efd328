"""A new runtime is one package and one line: a toy one reaches the panel, JSON and the facts of topics."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from memtop.engine.engine import Engine
from memtop.errors import NotRecorded
from memtop.model.frame import Frame
from memtop.model.request import Request
from memtop.runtimes.native.runtime import MappedRuntime, NativeTracker
from memtop.runtimes.protocol import Access, Conditions, ProcessContext, ReadingMoment, Tracker, Wanted
from memtop.runtimes.registry import Registry
from memtop.runtimes.view import Shown
from memtop.sources.live.runtime_access import read_runtime
from memtop.tui.panels.runtime import body_lines, head_lines
from tests.fakes import FakeProcess, FakeSource
from tests.requests import request

PID = 42


def read_limit(access: Access, pid: int, argument: str) -> bytes:
    """TOY_LIMIT of its environment, and nothing else."""
    variables = access.read(f"proc/{pid}/environ", 4096).split(b"\0")
    return next((each.partition(b"=")[2] for each in variables if each.startswith(b"TOY_LIMIT=")), b"")


class ToyTracker(NativeTracker):
    """Its setting, beside the identity."""

    limit = ""

    def wanted(self, now: Conditions) -> Sequence[Wanted]:
        return (Wanted("toy-limit"),)

    def take(self, name: str, data: bytes, begun: ReadingMoment, context: ProcessContext) -> None:
        self.limit = data.decode()

    def sentences(self, shown: Shown) -> list[str]:
        return [f"Toy holds back at {self.limit}."]

    def facts(self) -> dict[str, str]:
        return {"toy_limit": self.limit}

    def to_json(self, *, fresh: bool) -> dict[str, object] | None:
        found = super().to_json(fresh=fresh)
        return None if found is None else found | {"settings": {"TOY_LIMIT": self.limit}}


class Toy(MappedRuntime):
    """The runtime: one line of the registry."""

    def track(self) -> Tracker:
        return ToyTracker(self)


TOY = Toy("toy", "Toy", "libtoy", r"libtoy\.so\.(\d+)", readers={"toy-limit": read_limit})


@pytest.fixture
def tree(tmp_path: Path) -> str:
    """A file system in which process 42 maps libtoy."""
    folder = tmp_path / "proc" / str(PID)
    folder.mkdir(parents=True)
    (folder / "maps").write_text("7f0000000000-7f0000001000 r--p 00000000 00:00 1 /opt/lib/libtoy.so.7\n")
    (folder / "exe").symlink_to("/opt/bin/app")
    (folder / "environ").write_bytes(b"SECRET=hunter2\0TOY_LIMIT=64m\0")
    return f"{tmp_path}/"


def frame_of(tree: str, asked: Request, process: FakeProcess) -> Frame:
    """The frame after its readings have come, made by detection and readers of the toy."""
    registry, source = Registry(TOY), FakeSource(process)
    for name in ("identity", "toy-limit"):
        path = f"proc/{PID}/runtime/{name}"
        source.files[path] = read_runtime(registry.read, tree, path)
    with closing(source):
        engine = Engine(source, registry=registry)
        for _ in range(5):
            frame = engine.step(asked)
        assert frame is not None
        return frame


def test_a_new_runtime_is_in_the_panel_and_in_the_topics(tree: str) -> None:
    process = FakeProcess(PID)
    detail = frame_of(tree, request(focus=process.key, panel="runtime"), process).detail
    assert detail is not None
    assert detail.runtime is not None
    assert [line.text for line in head_lines(detail, 80)] == ["Toy 7"]
    assert [line.text for line in body_lines(detail, 80)] == ["Toy holds back at 64m."]
    assert dict(detail.runtime.facts) == {"toy_limit": "64m"}


def test_a_new_runtime_is_in_the_json(tree: str) -> None:
    process = FakeProcess(PID)
    frame = frame_of(tree, request(only=frozenset({PID}), runtimes=True), process)
    found = json.loads(json.dumps(frame.runtimes[process.key]))
    assert found == {
        "name": "toy",
        "version": "7",
        "settings": {"TOY_LIMIT": "64m"},
        "heap": None,
        "heap_age_s": None,
        "heap_trouble": None,
    }


def test_a_setting_that_was_recorded_later_than_the_identity_is_found_in_a_replay(tree: str) -> None:
    process = FakeProcess(PID)
    registry, source = Registry(TOY), FakeSource(process)
    source.files[f"proc/{PID}/runtime/identity"] = read_runtime(registry.read, tree, f"proc/{PID}/runtime/identity")
    source.files[f"proc/{PID}/runtime/toy-limit"] = NotRecorded("not at this instant")
    engine = Engine(source, position=lambda: (0, 1), registry=registry)
    asked = request(only=frozenset({PID}), runtimes=True)
    for _ in range(3):
        engine.step(asked)
    source.files[f"proc/{PID}/runtime/toy-limit"] = b"64m"
    for _ in range(2):
        frame = engine.step(asked)
    assert frame is not None
    assert frame.runtimes[process.key]["settings"] == {"TOY_LIMIT": "64m"}
