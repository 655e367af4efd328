"""VmFlags of smaps in words: its two-letter codes, from proc_pid_smaps(5) and fs/proc/task_mmu.c of Linux 6.18."""

from __future__ import annotations

from typing import Final

WORDS: Final = {
    "rd": "readable",
    "wr": "writable",
    "ex": "executable",
    "sh": "shared",
    "mr": "can be made readable",
    "mw": "can be made writable",
    "me": "can be made executable",
    "ms": "can be shared",
    "gd": "grows downward, like a stack",
    "pf": "pages that the kernel does not count",
    "lo": "locked in RAM",
    "io": "memory of a device",
    "sr": "sequential reads expected",
    "rr": "random reads expected",
    "dc": "not inherited by fork",
    "de": "cannot be extended",
    "lf": "locked in RAM as it is touched",
    "ac": "counts toward Committed_AS",
    "nr": "does not count toward Committed_AS",
    "ht": "huge pages of the pool",
    "sf": "writes reach persistent memory at once",
    "ar": "flag of the processor's architecture",
    "wf": "empty after fork",
    "dd": "left out of core dumps",
    "sd": "written since the last reset",
    "mm": "may mix kernel and own pages",
    "hg": "huge pages wanted",
    "nh": "huge pages not wanted",
    "mg": "equal pages may be merged (KSM)",
    "um": "a program handles missing pages (userfaultfd)",
    "uw": "a program handles writes (userfaultfd)",
    "ui": "a program handles minor faults (userfaultfd)",
    "ss": "shadow stack of the processor",
    "dp": "can be dropped when RAM is short",
    "sl": "sealed: can be neither changed nor removed",
    "gu": "may hold guard pages",
    "bt": "branch targets are checked (arm64)",
    "mt": "memory tagging (arm64)",
}
"""Code -> meaning. Codes come and go with kernels."""


def in_words(flags: frozenset[str]) -> list[str]:
    """The flags in words, in the order of the table. Unknown codes come last, unchanged."""
    known = [words for code, words in WORDS.items() if code in flags]
    return known + sorted(code for code in flags if code not in WORDS)
