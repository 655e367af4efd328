"""What memtop does before anything else."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from memtop import preflight
from memtop.errors import Unavailable, UsageError

ROOT = Path(__file__).resolve().parent.parent


def test_it_makes_itself_the_first_victim() -> None:
    code = (
        "from memtop.preflight import make_first_victim\n"
        "print(make_first_victim() is not None, open('/proc/self/oom_score_adj').read().strip())"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "True 1000\n"


def test_it_is_the_first_victim_before_anything_large_is_imported() -> None:
    """What it imports may be what fills the container."""
    code = (
        "import sys\n"
        "from memtop import __main__, preflight\n"
        "preflight.make_first_victim = lambda: print(*sys.modules)\n"
        "sys.argv = ['memtop', '-V']\n"
        "__main__.main()\n"
    )
    imported = subprocess.check_output([sys.executable, "-S", "-c", code], text=True, cwd=ROOT).splitlines()[0].split()
    own = {name for name in imported if name.startswith("memtop")}
    assert own == {"memtop", "memtop.__main__", "memtop.preflight", "memtop.errors"}
    assert len(set(imported) - own) < 60, "hardly more than Python itself needs"


def test_memtop_locks_no_memory() -> None:
    """Locked pages are those that the kernel cannot give to the processes that are watched."""
    command = [sys.executable, "-m", "memtop", "--json", "-d", "60", str(os.getpid())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout is not None
        child.stdout.readline()
        status = Path(f"/proc/{child.pid}/status").read_text()
        child.terminate()
    assert "VmLck:\t       0 kB" in status


@pytest.mark.parametrize("limit_bytes", [-1, preflight.LEAST_BYTES, preflight.SCREEN_BYTES])
def test_enough_addresses_are_no_reason_not_to_run(limit_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (limit_bytes, -1))
    preflight.check_memory()


@pytest.mark.parametrize("limit_bytes", [0, 60 << 20, preflight.LEAST_BYTES - 1])
def test_too_small_a_limit_on_addresses_is_said(limit_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (limit_bytes, -1))
    with pytest.raises(Unavailable, match=r"not enough memory: .* \(ulimit -v\) is \d+ MiB"):
        preflight.check_memory()


def test_it_says_what_the_score_was_before(tmp_path: Path) -> None:
    file = tmp_path / "oom_score_adj"
    file.write_text("-17\n")
    assert preflight.make_first_victim(file) == -17
    assert file.read_text() == "1000"


def test_a_kernel_without_the_file_is_no_reason_not_to_run(tmp_path: Path) -> None:
    assert preflight.make_first_victim(tmp_path / "missing") is None


def test_this_machine_will_do() -> None:
    assert preflight.check_platform()


def test_another_system_is_refused_in_one_sentence() -> None:
    with pytest.raises(Unavailable, match=r"^memtop reads Linux's /proc, and this is darwin$"):
        preflight.check_platform("darwin")


def test_without_proc_it_refuses(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="is not mounted"):
        preflight.check_platform(proc=tmp_path)


def test_the_proc_of_another_pid_namespace_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "self").symlink_to(str(os.getpid() + 1))
    assert not preflight.check_platform(proc=tmp_path)


def test_setuid_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(UsageError, match="setuid"):
        preflight.check_platform()


@pytest.mark.parametrize(
    ("options", "euid", "hidden"),
    [
        ("rw,relatime", 1000, False),
        ("rw,hidepid=2", 1000, True),
        ("rw,hidepid=invisible,gid=5", 1000, True),
        ("rw,hidepid=off", 1000, False),
        ("rw,hidepid=2", 0, False),
    ],
)
def test_the_hint_appears_where_processes_are_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str, euid: int, hidden: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: euid)
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/root / ext4 rw 0 0\nproc /proc proc {options} 0 0\n")
    assert ("hidepid" in preflight.hidden_hint(mounts)) is hidden


def test_too_few_descriptors_are_said_and_the_limit_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    before, dup, copies = resource.getrlimit(resource.RLIMIT_NOFILE), os.dup, list[int]()

    def few(descriptor: int) -> int:
        if len(copies) == 5:
            raise OSError(errno.EMFILE, "x")
        copies.append(dup(descriptor))
        return copies[-1]

    monkeypatch.setattr(os, "dup", few)
    with pytest.raises(Unavailable, match=r"limit \(ulimit -n\) is \d+, and memtop needs 3 more"):
        preflight.check_descriptors(8)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before
    for copy in copies:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(copy)
