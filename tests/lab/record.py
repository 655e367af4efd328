"""Records the real programs of this room, once a second, as the fixtures in tests/data/runtimes.

``python -m tests.lab.record BINARIES OUT [NAME ...]`` builds the Go services and Java programs that are missing in
the folder BINARIES and writes one NAME.ndjson.gz for each. Needs golang-go, openjdk-17-jdk-headless and
golang-github-prometheus-client-golang-dev.

A line is one second: ``t`` since the first, sizes in bytes, the body of the program's own answer as text; for the
JVM the hsperfdata file, whole in the first line and then as the words of 8 bytes that have changed.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.lab.hsperf_redaction import without_secrets

HERE: Final = Path(__file__).parent
WORD: Final = 8
_ARGUMENTS: Final = re.compile(rb'"cmdline": \[[^\]]*\]')


@dataclass(frozen=True, slots=True)
class Run:
    """One program, its settings and for how long it is watched."""

    program: str
    seconds: int = 45
    path: str = "/debug/vars"
    environ: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()

    @property
    def java(self) -> bool:
        return self.program[0].isupper()


LOW_LIMIT: Final = {"GOGC": "off", "GOMEMLIMIT": "70MiB"}
RUNS: Final[Mapping[str, Run]] = {
    "leak": Run("leak"),
    "bigger": Run("bigger"),
    "churn": Run("churn"),
    "churn_gogc50": Run("churn", 15, environ={"GOGC": "50"}),
    "churn_gogc200": Run("churn", 15, environ={"GOGC": "200"}),
    "churn_gogc400": Run("churn", 15, environ={"GOGC": "400"}),
    "churn_low_limit": Run("churn", environ=LOW_LIMIT),
    "steady": Run("steady", 60),
    "goroutines": Run("goroutines"),
    "goroutines_text": Run("goroutines", path="/tutorial"),
    "outside": Run("outside"),
    "returned": Run("returned", 40),
    "returned_free": Run("returned", 40, environ={"GODEBUG": "madvdontneed=0"}),
    "text": Run("text", path="/metrics"),
    "client": Run("client", path="/metrics"),
    "jvm_leak": Run("Leak", 60, options=("-Xmx256m", "-XX:+UseG1GC")),
    "jvm_steady": Run("Steady", 60, options=("-Xmx256m", "-XX:+UseG1GC")),
    "jvm_leak_serial": Run("Leak", 60, options=("-Xmx256m", "-XX:+UseSerialGC")),
    "jvm_steady_serial": Run("Steady", 60, options=("-Xmx256m", "-XX:+UseSerialGC")),
    "jvm_small": Run("Steady", 30, options=("-Xmx40m", "-XX:+UseSerialGC", "-XX:-UseGCOverheadLimit")),
}


def build(run: Run, binaries: Path) -> None:
    """Compile the program unless it is there."""
    if (binaries / f"{run.program}{'.class' if run.java else ''}").exists():
        return
    if run.java:
        subprocess.run(["javac", "-d", binaries, HERE / "java" / f"{run.program}.java"], check=True, timeout=120)
        return
    environ = os.environ | {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}
    sources = [str(HERE / "go" / file) for file in ("serve.go", f"{run.program}.go")]
    output = str(binaries / run.program)
    subprocess.run(["go", "build", "-o", output, *sources], check=True, timeout=300, env=environ)


def command(run: Run, binaries: Path) -> list[str]:
    """How it is started."""
    return ["java", *run.options, "-cp", str(binaries), run.program] if run.java else [str(binaries / run.program)]


def kernel_view(pid: int) -> dict[str, int]:
    """What /proc says: parts of RES, LazyFree, faults and CPU time so far."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    rollup = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()

    def size(lines: Mapping[str, str], key: str) -> int:
        return int(lines[key].split()[0]) * 1024

    return {
        "virt": size(status, "VmSize"),
        "rss": size(status, "VmRSS"),
        "anon": size(status, "RssAnon"),
        "file": size(status, "RssFile"),
        "shmem": size(status, "RssShmem"),
        "swap": size(status, "VmSwap"),
        "lazy_free": size(rollup, "LazyFree"),
        "minflt": int(stat[7]),
        "cpu_ticks": int(stat[11]) + int(stat[12]),
        "start_ticks": int(stat[19]),
    }


def go_answers(process: subprocess.Popen[str], run: Run) -> Iterator[dict[str, Any]]:
    """The body of each answer."""
    assert process.stdout is not None
    port = process.stdout.readline().split()[1]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        with opener.open(f"http://127.0.0.1:{port}{run.path}", timeout=5) as answer:
            yield {"body": _ARGUMENTS.sub(b'"cmdline": []', answer.read()).decode()}


def jvm_answers(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    """The hsperfdata file, and then what changes in it."""
    found: list[Path] = []
    deadline = time.monotonic() + 20
    while not found:
        assert time.monotonic() < deadline, "no hsperfdata file"
        found = list(Path("/tmp").glob(f"hsperfdata_*/{process.pid}"))
        time.sleep(0.2)
    before = without_secrets(found[0].read_bytes())
    yield {"whole": base64.b64encode(before).decode()}
    while True:
        now = without_secrets(found[0].read_bytes())
        changed = {
            at: now[at : at + WORD].hex()
            for at in range(0, len(now), WORD)
            if now[at : at + WORD] != before[at : at + WORD]
        }
        before = now
        yield {"changed": changed}


def record(name: str, binaries: Path, out: Path) -> None:
    """Run one program to the end of its time and write what it and the kernel said."""
    run = RUNS[name]
    build(run, binaries)
    environ = {"PATH": os.environ["PATH"], **run.environ}
    with (
        subprocess.Popen(command(run, binaries), stdout=subprocess.PIPE, text=True, env=environ) as process,
        gzip.GzipFile(out / f"{name}.ndjson.gz", "wb", 9, mtime=0) as file,
    ):
        try:
            answers = jvm_answers(process) if run.java else go_answers(process, run)
            started = time.monotonic()
            for second, answer in zip(range(run.seconds), answers, strict=False):
                line = {"t": round(time.monotonic() - started, 3), **kernel_view(process.pid), **answer}
                file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
                time.sleep(max(0.0, started + second + 1 - time.monotonic()))
                if process.poll() is not None:
                    break
        finally:
            process.kill()


def replay(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of one fixture; the JVM's files whole again, as ``hsperf``."""
    words = bytearray()
    with gzip.open(path, "rt") as file:
        for text in file:
            line = json.loads(text)
            if "whole" in line:
                words = bytearray(base64.b64decode(line.pop("whole")))
            for at, changed in line.pop("changed", {}).items():
                words[int(at) : int(at) + WORD] = bytes.fromhex(changed)
            if words:
                line["hsperf"] = bytes(words)
            yield line


if __name__ == "__main__":
    folder, target = Path(sys.argv[1]), Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    for each in sys.argv[3:] or RUNS:
        record(each, folder, target)
