"""``memtop regions PID``: on real processes, and on those that may not or cannot be read."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

import pytest

from memtop.errors import AccessDenied, Blocked, MemtopError, ProcessGone, UsageError
from memtop.headless.regions import SORTS, run
from memtop.procfs.pagemap_report import PagemapReport, format_report
from memtop.sources.live import LiveSource
from memtop.sources.protocol import Source
from tests.analysis.memory_map.smaps_files import DATA, PROGRAMS, real
from tests.fakes import FakeProcess, FakeSource

MIB = 1 << 20


def stat(state: str = "S", flags: int = 0, start: int = 500, code: int = 7, threads: int = 1) -> bytes:
    fields = [state, "1", "0", "0", "0", "0", str(flags), *["0"] * 10, str(threads), "0", str(start), "0", "0", "0"]
    return b"4242 (a)\x1b[31m b) " + " ".join([*fields, str(code), *["0"] * 28]).encode()


class Changing(FakeSource):
    """One process; a list of bytes is what a file gives at one reading after the other."""

    def __init__(self, files: Mapping[str, bytes | MemtopError | list[bytes]]) -> None:
        super().__init__(FakeProcess(4242))
        self._turns = {f"proc/4242/{name}": data for name, data in files.items() if isinstance(data, list)}
        for name, content in files.items():
            if not isinstance(content, list):
                self.files[f"proc/4242/{name}"] = content

    def _content(self, path: str) -> bytes:
        turns = self._turns.get(path)
        if turns is None:
            return super()._content(path)
        return turns.pop(0) if len(turns) > 1 else turns[0]


def program(name: str) -> FakeSource:
    """A program among the fixtures."""
    room = DATA / name
    return Changing(
        {
            "stat": (room / "stat").read_bytes(),
            "cmdline": b"java\0-Xmx1g\0Shop\0",
            "smaps": gzip.decompress((room / "smaps.gz").read_bytes()),
            "mountinfo": b"25 1 0:22 / /dev/shm rw - tmpfs tmpfs rw\n26 1 0:23 / /my\\040ram rw - tmpfs x rw\n",
        }
    )


def told(source: Source, **how: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    code = run(source, 4242, out=out, err=err, **how)  # type: ignore[arg-type]
    return code, out.getvalue(), err.getvalue()


def test_the_largest_mappings_come_first_with_their_kinds() -> None:
    code, out, err = told(program("jvm"), limit=3)
    title, head, *rows = out.splitlines()
    assert (code, err) == (0, "")
    assert title.startswith("Shop (") and ", read from smaps: " in title
    assert "VIRT 3.49 GiB = 2.87 GiB reserved without access + 438 MiB no RAM behind it now + 202 MiB res" in title
    assert head.split() == ["SIZE", "RSS", "%", "PSS", "DIRTY", "SWAP", "KIND", "ADDRESS", "PERMS", "PATH"]
    assert [row[41:62].strip() for row in rows] == ["JVM classes, reserved", "JVM heap, reserved", "JVM heap"]


def test_doubt_is_said_where_stacks_and_threads_do_not_fit() -> None:
    _, _, err = told(program("redis_bgsave"))
    assert "stacks found: 5, threads: 1" in err


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_is_descending(sort: str) -> None:
    _, out, _ = told(program("redis"), sort=sort, json=True)
    values = [region[SORTS[sort]] for region in json.loads(out)["regions"]]
    assert values == sorted(values, reverse=True)


def test_kinds_are_summed() -> None:
    _, out, _ = told(program("go"), kinds=True, sort="rss", limit=1)
    assert out.splitlines()[2].split(maxsplit=7)[-1] == "Go heap"


@pytest.mark.parametrize("name", PROGRAMS)
def test_json_has_the_promised_keys_and_its_kinds_add_up(name: str) -> None:
    _, out, _ = told(program(name), json=True)
    found = json.loads(out)
    sizes = ["size_bytes", "rss_bytes", "pss_bytes", "private_dirty_bytes", "swap_bytes", "hugetlb_bytes"]
    assert list(found) == ["pid", "read", "kinds", "regions"]
    assert found["read"] == "smaps"
    assert list(found["kinds"][0]) == ["kind", "count", *sizes]
    assert list(found["regions"][0]) == ["start", "end", "perms", "kind", "path", *sizes]
    assert len(found["regions"]) == len(real(name)) == sum(kind["count"] for kind in found["kinds"])
    for size in sizes:
        assert sum(kind[size] for kind in found["kinds"]) == sum(region[size] for region in found["regions"])


def test_what_pagemap_does_not_have_and_what_was_not_read_are_null_and_no_zeros() -> None:
    maps = b"60000000-60100000 rw-p 00000000 00:00 0 [heap]\n70000000-b0000000 rw-p 00000000 00:00 0 \n"
    source = Changing(
        {"stat": stat(), "pagemap": format_report(PagemapReport(4096, 10, 5, True, [{0x81: 256}, None], maps))}
    )
    source.processes[4242].rss_pages = 3 << 18
    code, out, err = told(source, json=True)
    found = json.loads(out)
    assert (code, found["read"]) == (0, "pagemap")
    assert "1 mapping was not read" in err
    unread, heap = found["regions"]
    assert (heap["rss_bytes"], heap["pss_bytes"], heap["private_dirty_bytes"]) == (MIB, None, None)
    assert [unread[name] for name in ("rss_bytes", "swap_bytes", "hugetlb_bytes")] == [None] * 3
    _, text, _ = told(source)
    assert ", read from pagemap: VIRT" in text.splitlines()[0]
    assert "0 B no RAM behind it now + 1.00 MiB resident + 1.00 GiB of devices, the kernel, or not read" in text


def test_hostile_names_come_out_as_plain_text() -> None:
    files: dict[str, bytes | MemtopError | list[bytes]] = {
        "stat": stat(),
        "cmdline": b"python3\0a)\x1b[31m b\0",
        "smaps": b"1000-2000 rw-p 0 00:00 5   /tmp/\x1b]0;x\x07\\012\xe2\x80\xae\xff (deleted)\nRss: 4 kB\n",
    }
    _, out, _ = told(Changing(files))
    assert r"/tmp/^[]0;x^G^J\u202e\xff (deleted)" in out
    assert "a)^[[31m b" in out
    assert out.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("files", "code", "said"),
    [
        ({"stat": ProcessGone("stat")}, 3, "memtop: no process 4242\n"),
        ({"stat": stat(), "smaps": ProcessGone("smaps")}, 3, "memtop: no process 4242\n"),
        ({"stat": stat(), "smaps": b""}, 2, "the process was ending, or starting another program"),
        ({"stat": stat(flags=0x4), "statm": b"0 0 0 0 0 0 0\n"}, 0, "the process is ending and no longer holds memory"),
        ({"stat": stat(), "smaps": b"what is this\n"}, 2, "could not be parsed"),
        ({"stat": stat(), "smaps": Blocked("smaps")}, 2, "a reading hangs"),
        ({"stat": stat("Z"), "statm": b"0 0 0 0 0 0 0\n"}, 0, "a zombie has ended"),
        ({"stat": stat("S", 0x200000), "statm": b"0 0 0 0 0 0 0\n"}, 0, "a kernel thread has no memory of its own"),
        ({"stat": AccessDenied("stat")}, 4, "hidepid"),
    ],
)
def test_what_has_no_mappings_is_said_and_never_shown_as_zero(
    files: dict[str, bytes | MemtopError | list[bytes]], code: int, said: str
) -> None:
    found, out, err = told(Changing(files))
    assert (found, out) == (code, "")
    assert said in err
    _, out, _ = told(Changing(files), json=True)
    assert (out == "") == (code != 0)
    assert out == "" or json.loads(out) == {"pid": 4242, "read": None, "kinds": [], "regions": []}


def test_when_the_main_thread_has_ended_another_is_read() -> None:
    files: dict[str, bytes | MemtopError | list[bytes]] = {
        "stat": stat("Z", threads=2),
        "statm": b"0 0 0 0 0 0 0\n",
        "task/4243/statm": b"900 800 100 1 0 9 0\n",
        "task/4243/smaps": b"1000-2000 rw-p 0 00:00 0 [heap]\nRss: 4 kB\n",
    }
    source = Changing(files)
    source.threads[4242] = [4242, 4243]
    code, out, _ = told(source)
    assert code == 0
    assert "[heap]" in out


def test_a_reading_across_an_exec_is_begun_again() -> None:
    rows = [b"1000-2000 rw-p 0 00:00 0 [heap]\nRss: 4 kB\n", b"3000-4000 rw-p 0 00:00 0 [stack]\nRss: 4 kB\n"]
    _, out, _ = told(Changing({"stat": [stat(), stat(), stat(code=9)], "smaps": rows}))
    assert "[stack]" in out
    assert "[heap]" not in out


def test_huge_pages_of_the_pool_are_named_because_rss_leaves_them_out() -> None:
    pool = b"1000-2000 rw-p 0 00:00 0 [heap]\nRss: 4 kB\n400000-e00000 rw-s 0 00:10 7 /anon_hugepage (deleted)\n"
    pool += b"Rss: 0 kB\nShared_Hugetlb: 0 kB\nPrivate_Hugetlb: 10240 kB\nVmFlags: rd wr sh ht\n"
    for kinds in (False, True):
        _, out, _ = told(Changing({"stat": stat(), "smaps": pool}), kinds=kinds)
        title, _, row, *_ = out.splitlines()
        assert "10.0 MiB in huge pages" in title
        assert row.endswith("+10.0 MiB huge, not counted in RSS") and row.split()[:3] == ["10.0M", "0", "100"]
    _, out, _ = told(Changing({"stat": stat(), "smaps": pool}), json=True)
    assert [one["hugetlb_bytes"] for one in json.loads(out)["kinds"]] == [10 * MIB, 0]


@pytest.mark.parametrize(
    ("uid", "why"), [(os.geteuid() + 5, "it belongs to another user"), (os.geteuid(), "set-user-ID")]
)
def test_a_refusal_says_why_how_to_get_it_and_what_is_known_all_the_same(uid: int, why: str) -> None:
    files: dict[str, bytes | MemtopError | list[bytes]] = {
        "stat": stat(),
        "smaps": AccessDenied("smaps"),
        "status": b"Name:\tx\nUid:\t0\t%d\t0\t0\n" % uid,
        "statm": b"25600 2560 512 0 0 0 0",
    }
    code, out, err = told(Changing(files))
    assert (code, out) == (4, "")
    assert why in err
    assert "CAP_SYS_PTRACE" in err
    assert "VIRT 100 MiB, RES 10.0 MiB (anonymous 8.00 MiB)" in err
    assert "ptrace_scope" not in err


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(UsageError, match="size, rss, pss, dirty, swap"):
        run(FakeSource(), 1, sort="name")


@contextmanager
def sleeper(*command: str) -> Iterator[int]:
    """A real process that has said ``ready``, stopped so that it does not change."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGSTOP)
        try:
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
            yield process.pid
        finally:
            process.kill()


READY = (
    sys.executable,
    "-c",
    "import sys; data = bytearray(b'x') * (20 << 20); print('ready', flush=True); sys.stdin.read()",
)


@pytest.mark.skipif(not shutil.which("pmap"), reason="pmap is not installed")
def test_sums_agree_with_pmap() -> None:
    with sleeper(*READY) as pid:
        out = io.StringIO()
        with closing(LiveSource()) as source:
            assert run(source, pid, json=True, out=out) == 0
        lines = subprocess.run(["pmap", "-X", str(pid)], capture_output=True, text=True, check=True).stdout.splitlines()
    names, sums = lines[1].split(), [line.split() for line in lines if "KB" in line][-1]
    regions = json.loads(out.getvalue())["regions"]
    for column, key in (("Size", "size_bytes"), ("Rss", "rss_bytes"), ("Pss", "pss_bytes"), ("Swap", "swap_bytes")):
        place = names.index(column) - names.index("Size")
        # other programs that begin and end meanwhile share the libraries, and so change Pss
        slack = 2048 if column == "Pss" else 0
        assert abs(sum(region[key] for region in regions) // 1024 - int(sums[place])) <= slack, column
    assert sum(region["rss_bytes"] for region in regions) > 20 * MIB


def real_run(pid: int) -> tuple[int, str, str]:
    """Of this machine."""
    out, err = io.StringIO(), io.StringIO()
    with closing(LiveSource()) as source:
        return run(source, pid, out=out, err=err), out.getvalue(), err.getvalue()


def test_a_real_process_is_read_and_a_zombie_and_one_that_is_gone_are_told_apart() -> None:
    with sleeper(*READY) as pid:
        assert real_run(pid)[0] == 0
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        code, _, err = real_run(pid)
        assert code == 0 and "zombie" in err
    assert real_run(pid)[0] == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_is_really_refused() -> None:
    code = (  # the modules are imported while it may still read them
        "import os, sys, memtop.sampling.smaps.scheduler, memtop.explain.region_sentences; "
        "import memtop.sources.live.exits, memtop.sampling.cgroups.cgroup_reader; "
        "from memtop.sources.live import LiveSource; from memtop.headless.regions import run; "
        "os.setgid(65534); os.setuid(65534); sys.exit(run(LiveSource(), os.getppid()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "belongs to another user (root)" in done.stderr


def test_mappings_that_are_empty_at_the_moment_of_an_exec_are_read_again() -> None:
    row = b"1000-2000 rw-p 0 00:00 5 \nRss: 4 kB\n"
    code, out, err = told(Changing({"stat": stat(), "smaps": [b"", row]}))
    assert (code, err) == (0, "") and "resident" in out
    sizes: list[bytes] = [b"100 50 10 1 0 50 0\n", b"0 0 0 0 0 0 0\n"]
    code, out, err = told(Changing({"stat": [stat(), stat(), stat("Z")], "statm": sizes, "smaps": b""}))
    assert (code, out) == (0, "") and "a zombie has ended" in err


def test_a_process_that_keeps_becoming_another_program_is_read_three_times() -> None:
    row = b"1000-2000 rw-p 0 00:00 5 \nRss: 4 kB\n"
    source = Changing({"stat": [stat(code=code) for code in range(1, 200)], "smaps": row})
    assert told(source)[0] == 0
    assert source.asked_ever.count("proc/4242/smaps") == 3
