"""Reports the use of tmpfs mounts, which only statvfs(2) gives. It runs on a thread that may block."""

from __future__ import annotations

import os
from typing import Final

from memtop.procfs.mountinfo import parse_mountinfo

_FIRST_PID_NAMESPACE: Final = "pid:[4026531836]"
"""PROC_PID_INIT_INO of include/linux/proc_ns.h."""
_MOST: Final = 512
"""Mounts that are looked at."""


def mounts_report(prefix: str) -> bytes:
    """The text that :mod:`memtop.procfs.mounts_report` describes. ``prefix`` is the root of the files read."""
    with open(f"{prefix}proc/self/mountinfo", "rb") as file:
        mounts = parse_mountinfo(file.read())
    lines, seen = [], set()
    for mount in [mount for mount in mounts if mount.fstype == b"tmpfs"][:_MOST]:
        try:
            found = os.statvfs(os.fsencode(prefix) + mount.point.lstrip(b"/") if prefix != "/" else mount.point)
            device = os.stat(mount.point).st_dev
        except OSError:
            continue  # not permitted, or unmounted meanwhile
        if device in seen or not found.f_blocks:
            continue  # a bind mount of the same file system; or no limit, which f_blocks does not show
        seen.add(device)
        used = (found.f_blocks - found.f_bfree) * found.f_frsize
        path = mount.point.replace(b"\\", b"\\134").replace(b"\n", b"\\012")
        lines.append(b"tmpfs %d %d %b" % (used, found.f_blocks * found.f_frsize, path))
    if any(mount.fstype == b"fuse.lxcfs" and mount.point == b"/proc/meminfo" for mount in mounts):
        lines.append(b"lxcfs")
    try:
        if os.readlink(f"{prefix}proc/self/ns/pid") != _FIRST_PID_NAMESPACE:
            lines.append(b"contained")
    except OSError:
        pass
    return b"\n".join(lines)
