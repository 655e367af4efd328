"""Memory shared after fork: USS, PSS and RSS of a process and of its family.

A family is what fork made of one program: processes linked by their parents with the same executable. A worker whose
parent has ended is a child of init and is not found. A child that has called exec is another program. Processes created
with vfork or CLONE_VM share one address space. The kernel reports all of it for each of them, as RSS and as PSS, so
only one of them is counted (see :func:`same_rollup`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

from memtop.analysis.memory_map.region_kinds import RegionKind
from memtop.analysis.memory_map.regions import Regions
from memtop.procfs.smaps import Smaps
from memtop.procfs.smaps_fields import Value
from memtop.procfs.smaps_rollup import Rollup
from memtop.procfs.statm import page_bytes

SEEN_BY_OTHERS: Final = frozenset((RegionKind.SYSV, RegionKind.TMPFS, RegionKind.MEMFD, RegionKind.SHARED_ANON))
"""Memory in RAM that an object keeps, whether this process maps it or not. Shared anonymous memory exists as long as
any forked relative maps it, including pages that none of them has touched yet."""


_NOT_SUMS: Final = frozenset(("Size", "KernelPageSize", "MMUPageSize", "THPeligible", "ProtectionKey", "VmFlags"))


class Kin(NamedTuple):
    """The identity of a process, for finding its family."""

    pid: int
    ppid: int
    program: bytes
    """The executable's path, or its name if the path may not be read."""


def family(processes: Iterable[Kin], pid: int) -> tuple[int, ...]:
    """PIDs of the family of ``pid``, ascending; empty if it is not among the processes."""
    known = {process.pid: process for process in processes}
    if pid not in known:
        return ()
    children: defaultdict[int, list[int]] = defaultdict(list)
    for process in known.values():
        children[process.ppid].append(process.pid)
    program = known[pid].program
    found, queue = {pid}, [pid]
    while queue:
        one = queue.pop()
        for relative in (known[one].ppid, *children[one]):
            if relative not in found and relative in known and known[relative].program == program:
                found.add(relative)
                queue.append(relative)
    return tuple(sorted(found))


def same_rollup(one: Rollup, other: Rollup) -> bool:
    """Whether two processes seem to share one address space (vfork, CLONE_VM), by their sums.

    Their sums must be equal, and no anonymous page may be shared: after a real fork at least the pages that neither has
    written since would be. The two files are read one after the other, so a busy pair may be missed. kcmp(2) would be
    certain, but needs the right to trace both.
    """
    fields = ("Rss", "Pss", "Private_Dirty", "Private_Clean", "Anonymous")
    if any(one.number(field) != other.number(field) for field in fields):
        return False
    return bool(one.anonymous_bytes) and one.number("Shared_Dirty") == 0


class Member(NamedTuple):
    """One process of a family. Bytes; None if it may not be read or this kernel does not report it."""

    pid: int
    rss_bytes: int | None
    pss_bytes: int | None
    uss_bytes: int | None
    """Pages that no other mapping has."""
    shared_anon_bytes: int | None
    """Anonymous pages that another process also has: still shared copy on write."""
    anon_bytes: int | None
    """All anonymous pages. Shared pages count in full."""
    pss_anon_bytes: int | None
    """Its share of them, since Linux 5.4."""
    private_dirty_bytes: int | None
    same_memory_as: int | None = None
    """The PID of the process that shares its address space and is counted for both."""


def member(pid: int, rollup: Rollup, same_memory_as: int | None = None) -> Member:
    """A member from its smaps_rollup.

    The kernel does not report how many anonymous pages are shared. They are dirty after they were written, so the
    number of shared dirty pages is used, limited to all anonymous pages.
    """
    anonymous, shared = rollup.anonymous_bytes, rollup.number("Shared_Dirty")
    return Member(
        pid=pid,
        rss_bytes=rollup.rss_bytes,
        pss_bytes=rollup.pss_bytes,
        uss_bytes=rollup.uss_bytes,
        shared_anon_bytes=None if anonymous is None or shared is None else min(anonymous, shared),
        anon_bytes=anonymous,
        pss_anon_bytes=rollup.pss_anon_bytes,
        private_dirty_bytes=rollup.private_dirty_bytes,
        same_memory_as=same_memory_as,
    )


def summed(smaps: Smaps) -> Rollup:
    """The sums that smaps_rollup would give, except for its finer rounding of PSS.

    smaps has no Pss_Anon. The result is exact for mappings without a file and for those without anonymous pages. If a
    private mapping of a file has both, shared pages of either kind are assumed to have as many users.
    """
    fields: list[tuple[str, Value]] = [
        (field, sum(smaps.sizes(field)))
        for field in smaps.fields
        if field not in _NOT_SUMS and None not in smaps.numbers(field)  # a part is no sum
    ]
    if "Pss" in smaps.fields and "Anonymous" in smaps.fields and "Pss_Anon" not in smaps.fields:
        fields.append(("Pss_Anon", sum(_pss_anon(smaps))))
    return Rollup(tuple(fields))


def _pss_anon(smaps: Smaps) -> Iterator[int]:
    columns = ("Rss", "Pss", "Anonymous", "Private_Clean", "Private_Dirty")
    for rss, pss, anonymous, clean, dirty in zip(*map(smaps.sizes, columns), strict=True):
        shared = rss - clean - dirty
        own = min(anonymous, clean + dirty if anonymous == rss else dirty)
        yield own + ((anonymous - own) * max(0, pss - clean - dirty) // shared if shared > 0 else 0)


def _sum(values: Iterable[int | None]) -> int | None:
    found = list(values)
    return None if None in found else sum(value for value in found if value is not None)


class Sharing(NamedTuple):
    """A family's memory. Bytes; None if that of a member is unknown."""

    members: tuple[Member, ...]

    @property
    def counted(self) -> tuple[Member, ...]:
        """One member for each address space."""
        return tuple(one for one in self.members if one.same_memory_as is None)

    @property
    def rss_sum_bytes(self) -> int | None:
        """Sum over all members, as adding up a column of RES gives."""
        return _sum(one.rss_bytes for one in self.members)

    @property
    def pss_sum_bytes(self) -> int | None:
        """The memory of the family, except for the shares of its pages that are attributed to processes outside."""
        return _sum(one.pss_bytes for one in self.counted)

    @property
    def counted_twice_bytes(self) -> int | None:
        """The amount by which the sum of RSS is too high."""
        rss, pss = self.rss_sum_bytes, self.pss_sum_bytes
        return None if rss is None or pss is None else max(0, rss - pss)

    @property
    def still_shared_bytes(self) -> int | None:
        """Anonymous pages that copy on write still saves: the sum over the members minus their memory together.

        It is also how much the family can grow if every member writes all of it.
        """
        anonymous = _sum(one.anon_bytes for one in self.counted)
        share = _sum(one.pss_anon_bytes for one in self.counted)
        return None if anonymous is None or share is None else max(0, anonymous - share)

    @property
    def worst_case_bytes(self) -> int | None:
        """The memory of the family after all of it was written."""
        pss, shared = self.pss_sum_bytes, self.still_shared_bytes
        return None if pss is None or shared is None else pss + shared


class Freed(NamedTuple):
    """What a kill would free. Bytes of RAM; swap is extra."""

    at_least_bytes: int
    """Private anonymous pages, and huge pages that no other process maps."""
    at_most_bytes: int
    """USS. It also includes clean file pages, which stay as cache until the RAM is needed, and shared memory objects,
    which stay as long as a name or a descriptor keeps them."""
    again_bytes: int = 0
    """What RES counts again of pages that the process itself maps several times."""


def freed_by_kill(regions: Regions) -> Freed | None:
    """The memory that a kill of this process would free, from its mappings. None if its own pages are unknown."""
    least = most = 0
    smaps = regions.smaps
    if "Private" in smaps.fields:  # from pagemap
        return None if None in smaps.numbers("Private") else _freed_by_pages(regions)
    if "Private_Dirty" not in smaps.fields:
        return None
    columns = (smaps.sizes(name) for name in ("Private_Clean", "Private_Dirty", "Private_Hugetlb", "Anonymous"))
    again = _mapped_again(smaps)
    for index, (kind, clean, dirty, pool, anonymous) in enumerate(zip(regions.kinds, *columns, strict=True)):
        # Pages that the process itself maps several times are private in no mapping; their shares add up to them.
        private = again.get(index, clean + dirty)
        most += private + pool
        least += pool
        if kind is RegionKind.JVM_HEAP:  # in shared memory where it is ZGC's, but nothing else can keep it
            least += private
        elif kind not in SEEN_BY_OTHERS:
            least += min(private, anonymous)
    rss = smaps.sizes("Rss")
    return Freed(least, most, sum(max(0, rss[index] - pss) for index, pss in again.items()))


def _objects(smaps: Smaps) -> dict[int, tuple[int, bytes]]:
    """Index -> (inode, name) of each shared mapping of pages of an object that another mapping has too."""
    by_object: defaultdict[tuple[int, bytes], list[int]] = defaultdict(list)
    for index, perms in enumerate(smaps.perms):
        if perms.endswith("s") and smaps.inodes[index]:
            by_object[smaps.inodes[index], smaps.names[index]].append(index)
    found = {}
    for one, indices in by_object.items():
        indices.sort(key=smaps.offsets.__getitem__)
        end, last = 0, -1  # the end of what those before have, and which of them reaches that far
        for index in indices:
            if smaps.offsets[index] < end:
                found[index] = found[last] = one
            if (own_end := smaps.offsets[index] + smaps.ends[index] - smaps.starts[index]) > end:
                end, last = own_end, index
    return found


def _mapped_again(smaps: Smaps) -> dict[int, int]:
    """Index -> PSS in bytes of those mappings."""
    pss = smaps.sizes("Pss") if "Pss" in smaps.fields else ()
    return {index: pss[index] for index in _objects(smaps)} if pss else {}


def _freed_by_pages(regions: Regions) -> Freed:
    """The same from pagemap, which has no PSS: the views of an object have as many pages as the one with most, and no
    more than the parts of the object that they show, or than all together."""
    least = most = 0
    smaps = regions.smaps
    objects, rss = _objects(smaps), smaps.sizes("Rss")
    views: defaultdict[tuple[int, bytes], list[int]] = defaultdict(list)
    columns = (smaps.sizes(name) for name in ("Private", "Private_Hugetlb", "Anonymous"))
    for index, (kind, private, pool, anonymous) in enumerate(zip(regions.kinds, *columns, strict=True)):
        least += pool
        most += pool
        if (one := objects.get(index)) is not None and kind in (RegionKind.JVM_HEAP, *SEEN_BY_OTHERS):
            views[one].append(index)
            continue
        most += private
        if kind is RegionKind.JVM_HEAP:
            least += private
        elif kind not in SEEN_BY_OTHERS:
            least += min(private, anonymous)
    for indices in views.values():
        most += min(_shown_bytes(smaps, indices), sum(rss[index] for index in indices))
        least += max((rss[index] for index in indices if regions.kinds[index] is RegionKind.JVM_HEAP), default=0)
    return Freed(least, most)


def _shown_bytes(smaps: Smaps, indices: Iterable[int]) -> int:
    """The size of the parts of an object that these mappings show, each part once."""
    shown = end = 0
    for index in sorted(indices, key=smaps.offsets.__getitem__):
        start, own_end = smaps.offsets[index], smaps.offsets[index] + smaps.ends[index] - smaps.starts[index]
        shown += max(0, own_end - max(start, end))
        end = max(end, own_end)
    return shown


class CopyRate(NamedTuple):
    """How fast copy on write ends the sharing. Per second; None if unknown."""

    private_dirty_bytes_per_s: float | None
    minflt_per_s: float | None

    @property
    def copied_bytes_per_s(self) -> float | None:
        """What this process copies.

        Each page that it copies takes it a minor fault. A page that becomes private without one was copied by the other
        processes.
        """
        if self.private_dirty_bytes_per_s is None or self.minflt_per_s is None:
            return None
        return min(self.private_dirty_bytes_per_s, self.minflt_per_s * page_bytes())


def copy_rate(
    before: Member, now: Member, seconds: float, minflt_before: int | None = None, minflt_now: int | None = None
) -> CopyRate:
    """The rate between two readings of a member, ``seconds`` (more than 0) apart."""

    def rate(first: int | None, last: int | None) -> float | None:
        return None if first is None or last is None else max(0, last - first) / seconds

    return CopyRate(rate(before.private_dirty_bytes, now.private_dirty_bytes), rate(minflt_before, minflt_now))


ESTIMATED_PSS: Final = "estimated PSS"
"""What :func:`estimated_pss_bytes` gives."""
ESTIMATE_ERROR: Final = 0.25
"""A rate that it gives differs from the true one by no more than this part of that, in 95 % of the forks of
tests/lab/forks.py."""


def estimated_pss_bytes(members: Collection[tuple[int, int]]) -> int:
    """The anonymous memory of a family from the sizes of what each member has alone and shares, in bytes.

    All shared pages are taken for pages of the member that shares most. One that copies nothing, as the parent mostly,
    shares every page that any others share. Where all of them copy, this is too low.
    """
    return sum(own for own, _ in members) + max((shared for _, shared in members), default=0)


class Parts(NamedTuple):
    """RES of a process by origin, in bytes, from status, which every user may read."""

    anon_bytes: int
    file_bytes: int
    shmem_bytes: int


class Bounds(NamedTuple):
    """Bounds of a family's memory. Bytes."""

    lower_bytes: int
    upper_bytes: int


def bounds(parts: Collection[Parts]) -> Bounds | None:
    """Bounds of a family's memory without the right to read smaps; None without any member.

    At best all anonymous memory is shared. At worst none is, while files and shared memory are, as is usual in a
    family.
    """
    if not parts:
        return None
    return Bounds(
        max(one.anon_bytes for one in parts),
        sum(one.anon_bytes for one in parts)
        + max(one.file_bytes for one in parts)
        + max(one.shmem_bytes for one in parts),
    )
