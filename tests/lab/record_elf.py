"""Builds one program in many ways and keeps the slices of each file that lead to its build information.

``python -m tests.lab.record_elf WORK OUT``: needs golang-go and binutils. OUT becomes a JSON of
{name: [file size, [[offset, bytes in base64], ...]]}.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from memtop.runtimes.go.buildinfo import extract_build_info

HERE: Final = Path(__file__).parent
SECTION_FIELDS: Final = (40, 8), (58, 6)
"""Where a 64-bit ELF header says where its section headers are, their size, number and names: (offset, bytes)."""

WAYS: Final[dict[str, tuple[dict[str, str], list[str]]]] = {
    "plain": ({}, []),
    "without symbols": ({}, ["-ldflags=-s -w"]),
    "static": ({"CGO_ENABLED": "0"}, []),
    "position independent": ({}, ["-buildmode=pie"]),
    "32 bit": ({"GOARCH": "386", "CGO_ENABLED": "0"}, []),
    "big endian": ({"GOARCH": "s390x", "CGO_ENABLED": "0"}, []),
    "arm": ({"GOARCH": "arm64", "CGO_ENABLED": "0"}, []),
}


def build(way: str, work: Path) -> Path:
    """hello.go, built in one of the ways."""
    environ, options = WAYS[way]
    out = work / way.replace(" ", "_")
    subprocess.run(
        ["go", "build", "-trimpath", *options, "-o", str(out), str(HERE / "go" / "hello.go")],
        check=True,
        timeout=300,
        env=os.environ | {"GO111MODULE": "off"} | environ,
    )
    return out


def stripped(program: Path) -> Path:
    """The same file after strip(1)."""
    out = program.with_suffix(".stripped")
    subprocess.run(["strip", "-s", "-o", str(out), str(program)], check=True, timeout=60)
    return out


def headless(program: Path) -> Path:
    """The same file without its section headers."""
    data = bytearray(program.read_bytes())
    for at, size in SECTION_FIELDS:
        data[at : at + size] = bytes(size)
    out = program.with_suffix(".headless")
    out.write_bytes(data)
    return out


def slices(program: Path) -> list[object]:
    """What is read of the file on the way to its build information."""
    data = program.read_bytes()
    found: dict[int, bytes] = {}

    def read_at(offset: int, size: int) -> bytes:
        part = data[offset : offset + size]
        if len(part) > len(found.get(offset, b"")):
            found[offset] = part
        return part

    extract_build_info(read_at)
    return [len(data), [[offset, base64.b64encode(part).decode()] for offset, part in sorted(found.items())]]


def reader(recorded: list[object]) -> Callable[[int, int], bytes]:
    """A file of which only the slices are there; a read of anything else fails the test."""
    parts = {offset: base64.b64decode(text) for offset, text in recorded[1]}  # type: ignore[attr-defined]

    def read_at(offset: int, size: int) -> bytes:
        return parts[offset][:size]

    return read_at


if __name__ == "__main__":
    work, out = map(Path, sys.argv[1:])
    programs = {way: build(way, work) for way in WAYS}
    programs["stripped"] = stripped(programs["plain"])
    programs["without section headers"] = headless(programs["stripped"])
    kept = {name: slices(program) for name, program in programs.items()}
    with gzip.GzipFile(out, "wb", 9, mtime=0) as file:
        file.write(json.dumps(kept, separators=(",", ":")).encode())
