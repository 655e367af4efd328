"""smaps files for tests: real ones, and small ones written line by line."""

from __future__ import annotations

import gzip
from pathlib import Path

from memtop.analysis.memory_map.classification import classify
from memtop.analysis.memory_map.regions import Regions
from memtop.procfs.smaps import Smaps, parse_smaps
from memtop.procfs.status import PidStatus, parse_status

DATA = Path(__file__).parent.parent.parent / "data" / "smaps"
PROGRAMS = sorted(room.name for room in DATA.iterdir() if (room / "smaps.gz").exists())


def real(program: str) -> Smaps:
    """A real process's mappings."""
    return parse_smaps(gzip.decompress((DATA / program / "smaps.gz").read_bytes()))


def real_status(program: str) -> PidStatus:
    """Its status file."""
    return parse_status((DATA / program / "status").read_bytes())


def real_regions(program: str) -> Regions:
    """Its mappings with their kinds."""
    return classify(real(program), exe=(DATA / program / "exe").read_bytes(), tmpfs=(b"/dev/shm",))


def written(*rows: str) -> Smaps:
    """Rows such as ``1000-2000 rw-p 0 [heap] | rss=8 | rd wr``: maps, fields in KiB, flags.

    ``6@8000`` is inode 6 and the offset in it, which is 0 without one.
    """
    lines = []
    for row in rows:
        mapping, fields, flags = (part.strip() for part in (row + "||").split("|")[:3])
        addresses, perms, inode, *name = mapping.split(" ", 3)
        inode, _, offset = inode.partition("@")
        lines.append(f"{addresses} {perms} {offset or '0':0>8} 00:00 {inode} {''.join(name)}")
        values = {"Rss": "0", "Pss": "0", "Private_Dirty": "0", "Swap": "0"}
        values |= {key.title(): value for key, _, value in (field.partition("=") for field in fields.split())}
        lines += [f"{key}: {value} kB" for key, value in values.items()]
        lines.append(f"VmFlags: {flags}")
    return parse_smaps("\n".join(lines).encode() + b"\n")
