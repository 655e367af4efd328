"""What a real process keeps in memory without mapping it."""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import pytest

from memtop.errors import ProcessGone
from memtop.procfs.held_report import HeldKind, HeldPart, HeldReport, format_held_report, parse_held_report
from memtop.sources.live import LiveSource, held_memory, socket_memory

KIB: Final = 1024
SHM: Final = Path("/dev/shm")


def report(pid: int) -> HeldReport:
    with closing(LiveSource()) as source:
        assert source.ask(f"proc/{pid}/held") is None
        source.settle(10.0)
        answer = source.ask(f"proc/{pid}/held")
    assert answer is not None
    return parse_held_report(answer.data)


def gained(before: HeldReport, now: HeldReport, kind: HeldKind) -> int:
    return (now.size_bytes(kind) or 0) - (before.size_bytes(kind) or 0)


@contextmanager
def shm_file(size_bytes: int) -> Iterator[int]:
    path = SHM / f"memtop-test-{os.getpid()}"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    try:
        os.write(descriptor, bytes(size_bytes))
        yield descriptor
    finally:
        os.close(descriptor)
        path.unlink(missing_ok=True)


def test_memfds_count_what_is_allocated_once_however_often_they_are_open() -> None:
    before = report(os.getpid())
    descriptor = os.memfd_create("ring\n\\")
    again = os.dup(descriptor)
    os.write(descriptor, bytes(2048 * KIB))
    os.ftruncate(descriptor, 1 << 30)  # a size, and no memory
    now = report(os.getpid())
    os.close(descriptor)
    os.close(again)
    assert gained(before, now, HeldKind.MEMFD) == 2048 * KIB
    assert [part.name for part in now.parts if part.kind is HeldKind.MEMFD] == [b"ring\n\\"]


@pytest.mark.skipif(not os.path.ismount(SHM), reason="no tmpfs")
def test_files_on_tmpfs_count_while_they_can_be_written_and_without_a_name_always(tmp_path: Path) -> None:
    before = report(os.getpid())
    with shm_file(300 * KIB) as written, (tmp_path / "disk").open("wb", 0) as elsewhere:
        elsewhere.write(bytes(4096))
        path = SHM / f"memtop-test-{os.getpid()}"
        assert gained(before, report(os.getpid()), HeldKind.TMPFS) == 300 * KIB
        reader = os.open(path, os.O_RDONLY)
        os.dup2(reader, written)
        os.close(reader)
        assert gained(before, report(os.getpid()), HeldKind.TMPFS) == 0, "who only reads does not keep it"
        path.unlink()
        now = report(os.getpid())
        assert gained(before, now, HeldKind.UNLINKED) == 300 * KIB
        assert str(path).encode() in [part.name for part in now.parts]


def test_system_v_segments_count_for_who_created_them_though_nobody_is_attached() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    segment = libc.shmget(0, 512 * KIB, 0o1600)
    if segment < 0:
        pytest.skip("no System V shared memory")
    before = report(os.getpid())
    try:
        address = ctypes.c_void_p(libc.shmat(segment, None, 0))
        ctypes.memset(address, 1, 512 * KIB)
        libc.shmdt(address)
        assert gained(before, report(os.getpid()), HeldKind.SYSV) == 512 * KIB
    finally:
        libc.shmctl(segment, 0, None)


def filled(sender: socket.socket) -> int:
    sender.setblocking(False)
    sent = 0
    try:
        while True:
            sent += sender.send(bytes(4096))
    except BlockingIOError:
        return sent


def test_buffers_of_unix_sockets_count_once_where_both_ends_are_its_own() -> None:
    before = report(os.getpid())
    sender, receiver = socket.socketpair()
    with sender, receiver:
        sent = filled(sender)
        now = report(os.getpid())
        assert sent <= gained(before, now, HeldKind.SOCKET) < 2 * sent
        assert now.number(HeldKind.SOCKET) - before.number(HeldKind.SOCKET) == 2


def test_what_is_unread_counts_for_the_receiver_after_the_sender_has_gone() -> None:
    before = report(os.getpid())
    sender, receiver = socket.socketpair()
    with receiver:
        with sender:
            sent = filled(sender)
        assert gained(before, report(os.getpid()), HeldKind.SOCKET) >= sent


def test_buffers_of_tcp_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_memory, "NOTABLE_BYTES", 1)
    before = report(os.getpid())
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as sender:
        receiver, _ = server.accept()
        with receiver:
            assert gained(before, report(os.getpid()), HeldKind.SOCKET) + filled(sender) <= gained(
                before, report(os.getpid()), HeldKind.SOCKET
            )


def test_pipes_are_counted_and_what_is_in_them_is_not_known() -> None:
    before = report(os.getpid())
    ends = os.pipe()
    now = report(os.getpid())
    for end in ends:
        os.close(end)
    assert now.number(HeldKind.PIPE) - before.number(HeldKind.PIPE) == 1
    assert now.size_bytes(HeldKind.PIPE) is None


def test_too_many_sockets_are_unknown_and_too_many_descriptors_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_memory, "MOST", 0)
    with socket.socket():
        assert report(os.getpid()).size_bytes(HeldKind.SOCKET) is None
    assert not report(os.getpid()).is_cut
    monkeypatch.setattr(held_memory, "MOST_DESCRIPTORS", 1)
    assert report(os.getpid()).is_cut


def test_a_process_that_is_not_there_is_gone() -> None:
    with pytest.raises(ProcessGone):
        report(1 << 22)


def test_the_text_of_a_report_reads_as_it_was_written() -> None:
    parts = (HeldPart(HeldKind.MEMFD, 2, 4096, b"a b\n\\012"), HeldPart(HeldKind.PIPE, 3, None))
    held = HeldReport(12.5, parts, True, 4711)
    assert parse_held_report(format_held_report(held)) == held
    assert held.known_bytes == 4096 and held.size_bytes(HeldKind.SYSV) == 0
    assert parse_held_report(b"at 1.000\nnew 1 2 x\nmemfd x 2 \nmemfd 1 4096 cut off") == HeldReport(1.0)
