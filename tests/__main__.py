"""``python -m tests``: everything that is checked about this project, one line a step."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
LONGEST_S: Final = 480.0
"""A step that takes longer has failed."""
WORKERS: Final = str(len(os.sched_getaffinity(0)) + 1)
"""Processes that run tests: one more than there are processors, because tests often wait for programs they started."""


@dataclass(frozen=True, slots=True)
class Step:
    """One check."""

    name: str
    command: Sequence[str]
    talks: bool = False
    """Its output is worth reading also when all is well: it is passed on as it comes."""


def _tool(name: str) -> str:
    """A console command of this very environment, whatever PATH says."""
    return str(Path(sysconfig.get_path("scripts")) / name)


STEPS: Final = (
    Step("ruff format", (_tool("ruff"), "format", "--check", ".")),
    Step("ruff check", (_tool("ruff"), "check", ".")),
    Step("mypy", (sys.executable, "-m", "mypy")),
    Step("import contracts", (_tool("lint-imports"),)),
    # compiles the modules of a fresh checkout beside mypy; else the workers would do it, 4 s each
    Step("tests are found", (sys.executable, "-m", "pytest", "--collect-only", "-qq")),
    Step("pytest", (sys.executable, "-m", "pytest", "-rfEs", "-n", WORKERS, "--dist", "worksteal"), talks=True),
)


def run(step: Step) -> bool:
    """Run one step in the project's folder and say how it went; a failed one is shown in full."""
    began_s = time.monotonic()
    try:
        done = subprocess.run(
            step.command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=None if step.talks else subprocess.PIPE,
            stderr=None if step.talks else subprocess.STDOUT,
            timeout=LONGEST_S,
            check=False,
        )
        passed, output = done.returncode == 0, done.stdout or b""
    except subprocess.TimeoutExpired as error:
        passed, output = False, (error.stdout or b"") + f"not done after {LONGEST_S:g} s\n".encode()
    except FileNotFoundError as error:
        passed, output = False, f"{error}: install the project with its extra 'dev'\n".encode()
    verdict = f"{'passed' if passed else 'FAILED'}  {step.name:<17} {time.monotonic() - began_s:6.1f} s\n"
    sys.stdout.buffer.write((b"" if passed else output) + verdict.encode())  # whole, beside those that run meanwhile
    sys.stdout.buffer.flush()
    return passed


def main() -> int:
    """Run all steps, also after a failure; 0 when all have passed."""
    parser = argparse.ArgumentParser(prog="python -m tests", description=__doc__)
    parser.add_argument("only", nargs="*", metavar="STEP", help="; ".join(step.name for step in STEPS))
    only = parser.parse_args().only
    unknown = [name for name in only if name not in {step.name for step in STEPS}]
    if unknown:
        parser.error(f"no step {unknown[0]}")
    os.environ.pop("NO_COLOR", None)  # the tests say for themselves which colours they look at
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # pytest compiles the tests once
    began_s = time.monotonic()
    chosen = [step for step in STEPS if not only or step.name in only]
    with ThreadPoolExecutor() as pool:  # those that only look at the code, at once; the tests have the machine alone
        quiet = [step for step in chosen if not step.talks]
        failed = [step.name for step, passed in zip(quiet, pool.map(run, quiet), strict=True) if not passed]
    failed += [step.name for step in chosen if step.talks and not run(step)]
    verdict = f"FAILED: {', '.join(failed)}" if failed else "all passed"
    print(f"{verdict} in {time.monotonic() - began_s:.0f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
