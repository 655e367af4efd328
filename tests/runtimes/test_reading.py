"""What the blocking threads read of a runtime, from real processes and from files that may be hostile."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from memtop.errors import MemtopError, ProcessGone, Unavailable
from memtop.runtimes.go.reading import decode_metrics
from memtop.runtimes.identity import decode_identity
from memtop.runtimes.jvm.reading import decode_counters
from memtop.runtimes.registry import REGISTRY
from memtop.sources.live import LiveSource
from memtop.sources.live.runtime_access import read_runtime as read_below
from memtop.sources.protocol import Answer
from memtop.sources.recording.recorder import Recorder
from memtop.sources.recording.replay import Replay
from tests.lab.points import lines

STATUS = b"Name:\tjava\nUid:\t0\t0\t0\t0\nNSpid:\t5\t1\n"


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A tree with process 5, a JVM in a container."""
    (tmp_path / "proc/5/root/tmp/hsperfdata_app").mkdir(parents=True)
    (tmp_path / "proc/5/status").write_bytes(STATUS)
    return f"{tmp_path}/"


def read_runtime(prefix: str, path: str) -> bytes:
    return read_below(REGISTRY.read, prefix, path)


def counters(root: str) -> Path:
    return Path(root, "proc/5/root/tmp/hsperfdata_app/1")


def test_this_interpreter_is_recognised() -> None:
    found = decode_identity(read_runtime("/", f"proc/{os.getpid()}/runtime/identity"))
    assert found.runtime == "python"
    assert not found.build
    assert not found.trouble


def test_of_an_environment_only_the_three_variables_leave(root: str) -> None:
    Path(root, "proc/5/environ").write_bytes(b"SECRET=hunter2\0GOGC=50\0GOMEMLIMIT=1GiB\0PATH=/bin\0")
    assert read_runtime(root, "proc/5/runtime/environ") == b"GOGC=50\0GOMEMLIMIT=1GiB"


def test_a_container_has_its_own_user_and_pid(root: str) -> None:
    counters(root).write_bytes(lines("jvm_leak")[-1]["hsperf"])
    heap = decode_counters(read_runtime(root, "proc/5/runtime/jvm"))
    assert heap.heap_used_bytes > 0
    assert heap.flags.max_heap_bytes == 256 << 20


def test_a_link_in_place_of_the_counters_is_not_followed(root: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(lines("jvm_leak")[-1]["hsperf"])
    counters(root).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unavailable, match="has no counters"):
        read_runtime(root, "proc/5/runtime/jvm")


def test_a_link_in_place_of_their_folder_is_not_followed(root: str, tmp_path: Path) -> None:
    folder = counters(root).parent
    shutil.rmtree(folder)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "1").write_bytes(lines("jvm_leak")[-1]["hsperf"])
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unavailable, match="has no counters"):
        read_runtime(root, "proc/5/runtime/jvm")


def test_a_pipe_in_place_of_the_counters_does_not_hang(root: str) -> None:
    os.mkfifo(counters(root))
    with pytest.raises(Unavailable, match="has no counters"):
        read_runtime(root, "proc/5/runtime/jvm")


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"", "the file is empty"), (b"\0" * 500, "not such a file"), (b"\xca\xfe\xc0\xc0\1\2", "cut short")],
)
def test_counters_that_make_no_sense_are_told_so(root: str, data: bytes, why: str) -> None:
    counters(root).write_bytes(data)
    with pytest.raises(Unavailable, match=why):
        read_runtime(root, "proc/5/runtime/jvm")


def test_an_executable_that_is_no_elf_file_is_trouble_and_no_error(root: str) -> None:
    Path(root, "proc/5/exe").write_bytes(b"#!/bin/sh\n")
    Path(root, "proc/5/maps").write_bytes(b"")
    assert decode_identity(read_runtime(root, "proc/5/runtime/identity")).trouble == "not an ELF file"


def test_what_is_not_there_is_one_of_our_errors(root: str) -> None:
    for name in ("environ", "listeners", "nonsense"):
        with pytest.raises(MemtopError):
            read_runtime(root, f"proc/5/runtime/{name}")
    with pytest.raises(ProcessGone):
        read_runtime(root, "proc/6/runtime/environ")


class Handler(http.server.BaseHTTPRequestHandler):
    body = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """An address that gives Handler.body, with a token in its query."""
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}/debug/vars?token=hunter2"
        found.shutdown()
        thread.join()


def asked(source: Recorder | LiveSource, path: str) -> Answer:
    assert source.ask(path) is None
    source.settle(5)
    answer = source.ask(path)
    assert answer is not None
    return answer


def test_a_recording_has_the_figures_and_neither_the_query_nor_what_else_the_program_said(
    server: str, tmp_path: Path
) -> None:
    body = json.loads(lines("leak")[-1]["body"])
    Handler.body = json.dumps({**body, "cmdline": ["leak", "--password=swordfish"]}).encode()
    file = tmp_path / "x.memtop"
    recorder = Recorder(LiveSource(runtimes=REGISTRY.read), str(file))
    path = f"proc/{os.getpid()}/runtime/metrics"
    recorder.begin()
    asked(recorder, f"{path}#{server}")
    recorder.close()
    data = file.read_bytes()
    assert b"hunter2" not in data
    assert b"swordfish" not in data
    replay = Replay(str(file))
    replay.begin()
    answer = replay.ask(path)
    replay.close()
    assert answer is not None
    found = decode_metrics(answer.data)
    url, heap = found
    assert heap.heap_alloc_bytes == body["memstats"]["HeapAlloc"]
    assert url == server.partition("?")[0]


def test_a_web_page_is_said_to_be_one(server: str) -> None:
    Handler.body = b"<!doctype html><title>404</title>"
    with pytest.raises(Unavailable, match="a web page, not metrics") as error:
        read_runtime("/", f"proc/5/runtime/metrics#{server}")
    assert "hunter2" not in str(error.value)


def test_addresses_to_suggest_are_those_of_its_own_listening_sockets(server: str) -> None:
    port = server.split(":")[2].split("/", maxsplit=1)[0]
    found = read_runtime("/", f"proc/{os.getpid()}/runtime/listeners").decode().split()
    assert f"http://127.0.0.1:{port}/debug/vars" in found
