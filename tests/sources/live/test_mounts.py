"""Mounts of tmpfs: of a machine with thousands of them only so many are looked at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memtop.sources.live.mounts import mounts_report


def test_of_very_many_mounts_some_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = b"".join(b"%d 1 0:%d / /m/%d rw - tmpfs tmpfs rw\n" % (n, n, n) for n in range(10, 5010))
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_bytes(lines)
    looked_at: list[object] = []

    def statvfs(path: object) -> os.statvfs_result:
        looked_at.append(path)
        raise PermissionError

    monkeypatch.setattr(os, "statvfs", statvfs)
    mounts_report(f"{tmp_path}/")
    assert 100 < len(looked_at) < 1000
