"""VmFlags of smaps in words: its two-letter codes, from proc_pid_smaps(5) and fs/proc/task_mmu.c of Linux 6.18."""

from __future__ import annotations

from typing import Final

WORDS: Final = {
    "rd": "may be read",
    "wr": "may be written",
    "ex": "may be run",
    "sh": "shared",
    "mr": "reading may be allowed later",
    "mw": "writing may be allowed later",
    "me": "running may be allowed later",
    "ms": "sharing may be allowed later",
    "gd": "grows downwards, as a stack",
    "pf": "pages that the kernel does not count",
    "lo": "locked in RAM",
    "io": "memory of a device",
    "sr": "will be read in order",
    "rr": "will be read at random",
    "dc": "not inherited by fork",
    "de": "cannot be extended",
    "lf": "locked in RAM as it is touched",
    "ac": "counts as promised (Committed_AS)",
    "nr": "reserved without a promise",
    "ht": "huge pages of the pool",
    "sf": "writes reach persistent memory at once",
    "ar": "flag of the processor's architecture",
    "wf": "empty after fork",
    "dd": "left out of core dumps",
    "sd": "written since the last reset",
    "mm": "pages of the kernel and its own mixed",
    "hg": "huge pages wanted",
    "nh": "huge pages not wanted",
    "mg": "equal pages may be merged (KSM)",
    "um": "missing pages are handled by a program (userfaultfd)",
    "uw": "writes are handled by a program (userfaultfd)",
    "ui": "minor faults are handled by a program (userfaultfd)",
    "ss": "shadow stack of the processor",
    "dp": "may be dropped when RAM is short",
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
