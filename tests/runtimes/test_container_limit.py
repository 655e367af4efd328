"""The memory limit around a process, as the Runtime panel and JSON's judgment get it."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtop.runtimes.container_limit import Container, decode_container
from tests.runtimes.test_reading import read_runtime

V1 = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
V2 = "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
NONE = "9223372036854771712\n"
"""What version 1 writes where there is no limit."""


@pytest.mark.parametrize(
    ("member", "mounts", "files", "found"),
    [
        (
            "0::/pod/box",
            V2,
            {
                "cgroup.controllers": "memory",
                "pod/box/memory.max": "max",
                "pod/memory.max": "700",
                "memory.max": "900",
                "pod/box/memory.stat": "anon 5",
            },
            Container(700, 5),
        ),
        ("0::/box", V2, {"cgroup.controllers": "cpu", "box/memory.max": "700"}, Container(None, None)),
        ("0::/../box", V2, {"cgroup.controllers": "memory", "memory.max": "700"}, Container(None, None)),
        (
            "4:memory:/job\n0::/",
            V1,
            {
                "memory/job/memory.limit_in_bytes": "200",
                "memory/memory.limit_in_bytes": NONE,
                "memory/job/memory.stat": "rss 1\ntotal_rss 6",
            },
            Container(200, 6),
        ),
        ("4:memory:/job", V1, {"memory/job/memory.limit_in_bytes": NONE}, Container(None, None)),
    ],
    ids=["the least of the chain", "no memory controller", "outside of the namespace", "version 1", "no limit"],
)
def test_the_limit_around_a_process(
    tmp_path: Path, member: str, mounts: str, files: dict[str, str], found: Container
) -> None:
    tree = {"proc/5/cgroup": member + "\n", "proc/self/mountinfo": mounts}
    for name, text in (tree | {f"sys/fs/cgroup/{name}": text for name, text in files.items()}).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert decode_container(read_runtime(f"{tmp_path}/", "proc/5/runtime/container")) == found
