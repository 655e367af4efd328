"""The seven troubles of the trials of triage: real processes and cgroups, and what a headline must name in each.

Every process ends when the other end of its standard input does, so that none outlives the trial. Together they hold
less than 1.5 GiB.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.cgroup_v1 import memory_cgroup

MIB: Final = 1 << 20
NOBODY: Final = 65534
_OTHERS: Final = 299
_CGROUPS: Final = 20
_LIMIT_BYTES: Final = 300 * MIB
_LOOP_LIMIT_BYTES: Final = 64 * MIB

LEAKS: Final = """
import select, sys
held, mib_per_s, most_mib = [], float(sys.argv[1]), float(sys.argv[2])
while not select.select([sys.stdin], [], [], 0.25)[0]:
    if len(held) * mib_per_s < 4 * most_mib:
        held.append(b"x" * int(mib_per_s * (1 << 18)))
"""
FILLS: Final = """
import select, sys
with open(sys.argv[1], "wb", buffering=0) as file:
    while file.tell() < 1 << 30 and not select.select([sys.stdin], [], [], 0.1)[0]:
        file.write(b"x" * (10 << 20))
"""
MISSES: Final = """
import os, select, sys
number = 0
while not select.select([sys.stdin], [], [], 0.1)[0]:
    for number in range(number, min(number + 10_000, 1_000_000)):
        try:
            os.stat(f"{sys.argv[1]}/a-file-that-is-not-there-{number:07}")
        except FileNotFoundError:
            pass
"""
RESTARTS: Final = """
import select, subprocess, sys, time
while not select.select([sys.stdin], [], [], 0.1)[0]:
    with open(sys.argv[1], "a") as file:
        print(time.monotonic(), file=file)
    subprocess.run([sys.executable, "-S", *sys.argv[2:]])
"""
FORKS: Final = """
import os, select, sys, time
began_s = time.monotonic()
while not select.select([sys.stdin], [], [], 0.4)[0]:
    if os.fork() == 0:
        held = b"x" * int((4 + 1.5 * min(40, time.monotonic() - began_s)) * (1 << 20))
        select.select([sys.stdin], [], [], 3.0)
        os._exit(0)
    while os.waitpid(-1, os.WNOHANG)[0]:
        pass
"""
_AS_NOBODY: Final = """
if [ -n "$3" ]; then
    mount --bind "$2" "$1" && mount -t tmpfs tmpfs "$3" && chmod 755 "$3" &&
        mkdir -p "$2" && mount --bind "$1" "$2" || exit
fi
shift 3
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
"""
"""In a mount namespace of its own: the interpreter may be in a folder that only its owner may enter."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong, and what says so."""

    truth: str
    named: re.Pattern[str]
    """Matches a headline that names it."""
    since_s: Callable[[], float | None] = lambda: None
    """When it could be seen first, on the monotonic clock; None for when memtop is started."""
    command: tuple[str, ...] = ()
    """What memtop is started with."""


class Trial:
    """A folder, and the processes and cgroups of one trial; all of them are gone at its end."""

    def __init__(self) -> None:
        self._places = ExitStack()
        """What is removed when the processes have ended."""
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self.folder = Path(
            self._places.enter_context(tempfile.TemporaryDirectory(prefix="memtop-lab-", dir="/var/tmp"))
        )
        self.folder.chmod(0o777)
        self._input, self._other_end = os.pipe()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._other_end)
        for process in self._processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        os.close(self._input)
        self._places.close()

    def run(self, *command: str, cgroup: Path | None = None) -> int:
        """Start a program, in a cgroup if one is given; its pid."""
        if cgroup is not None:
            command = ("sh", "-c", 'echo $$ >"$0" && exec "$@"', str(cgroup / "cgroup.procs"), *command)
        process = subprocess.Popen(command, stdin=self._input, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._processes.append(process)
        return process.pid

    def python(self, name: str, code: str, *arguments: object) -> tuple[str, ...]:
        """The command of a script of that name."""
        script = self.folder / name
        script.write_text(code)
        return sys.executable, "-S", str(script), *map(str, arguments)

    def cgroup(self, name: str, limit_bytes: int) -> Path:
        """A memory cgroup of version 1. Raises pytest's Skipped where none may be made."""
        return self._places.enter_context(memory_cgroup(limit_bytes, name))

    def removes(self, file: Path) -> None:
        """Remove a file when the processes have ended."""
        self._places.callback(file.unlink, missing_ok=True)


def leak(trial: Trial) -> Trouble:
    """A leak among 300 processes."""
    for _ in range(_OTHERS):
        trial.run("cat")
    pid = trial.run(*trial.python("orders-api.py", LEAKS, 4, 200))
    return Trouble(f"orders-api.py ({pid}), one of 300 processes, leaks 4 MiB/s", _process(pid))


def cgroup_leak(trial: Trial) -> Trouble:
    """A leak in one of 20 cgroups with a limit."""
    folders = [trial.cgroup(f"shop-{number}", _LIMIT_BYTES) for number in range(_CGROUPS)]
    for folder in folders:
        trial.run("cat", cgroup=folder)
    pid = trial.run(*trial.python("cart-api.py", LEAKS, 2, 280), cgroup=folders[7])
    named = re.compile(rf"\({pid}\)|{folders[7].name}\b")
    return Trouble(f"cart-api.py ({pid}) in {folders[7].name} (300 MiB), one of 20, leaks 2 MiB/s", named)


def tmpfs(trial: Trial) -> Trouble:
    """1 GiB in tmpfs that no process maps."""
    file = Path(f"/dev/shm/memtop-lab-{os.getpid()}")
    trial.removes(file)
    trial.run(*trial.python("fills.py", FILLS, file))
    return Trouble("1 GiB is written to tmpfs at 100 MiB/s; no process maps it", re.compile("tmpfs"))


def dentries(trial: Trial) -> Trouble:
    """Slab that grows by a million files that are not there."""
    missing = trial.folder / "empty"
    missing.mkdir()
    trial.run(*trial.python("misses.py", MISSES, missing))
    return Trouble("a million files that are not there are looked up, at most 100,000/s", re.compile("slab|dentries"))


def crash_loop(trial: Trial) -> Trouble:
    """A program that is OOM-killed every 8 seconds and comes back."""
    folder, starts = trial.cgroup("loop", _LOOP_LIMIT_BYTES), trial.folder / "starts"
    worker = trial.python("mailer.py", LEAKS, 7, 200)
    trial.run(*trial.python("restarts.py", RESTARTS, starts, *worker[2:]), cgroup=folder)

    def second_restart_s() -> float | None:
        times = starts.read_text().split() if starts.exists() else []
        return float(times[2]) if len(times) > 2 else None

    truth = f"mailer.py is OOM-killed in {folder.name} (64 MiB) about every 8 s and restarted"
    return Trouble(truth, re.compile(r"mailer\.py.*restarted [2-9]"), second_restart_s)


def pool(trial: Trial) -> Trouble:
    """A pool of short-lived children that grows as a whole."""
    trial.run(*trial.python("resize-pool.py", FORKS))
    truth = "resize-pool.py: eight children at a time live for 3 s each, and grow by 12 MiB/s as a whole"
    return Trouble(truth, re.compile(r"resize-pool\.py.*as a whole"))


def nobody(trial: Trial) -> Trouble:
    """A memory hog of another user, as nobody sees it."""
    pid = trial.run(*trial.python("report.py", LEAKS, 12, 600))
    command = as_nobody(trial.folder)
    return Trouble(
        f"report.py ({pid}) of another user takes 12 MiB/s; memtop runs as nobody", _process(pid), command=command
    )


TROUBLES: Final[Mapping[str, Callable[[Trial], Trouble]]] = {
    "leak": leak,
    "cgroup-leak": cgroup_leak,
    "tmpfs": tmpfs,
    "dentries": dentries,
    "crash-loop": crash_loop,
    "pool": pool,
    "nobody": nobody,
}


def _process(pid: int) -> re.Pattern[str]:
    return re.compile(rf"\({pid}\)")


def as_nobody(folder: Path) -> tuple[str, ...]:
    """The words that start a command as nobody, though the interpreter be in a folder that is closed to others."""
    base = Path(sys.base_prefix)
    closed = [one for one in (base, *base.parents) if not one.stat().st_mode & 0o001]
    bind = folder / "interpreter"
    bind.mkdir()
    return "unshare", "-m", "sh", "-c", _AS_NOBODY, "sh", str(bind), str(base), str(closed[-1]) if closed else ""
