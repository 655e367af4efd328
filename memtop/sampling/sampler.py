"""Makes one Sample from a Source by a SamplePlan: all processes, the machine and its cgroups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeVar

from memtop.errors import MemtopError, NotRecorded
from memtop.procfs.meminfo import parse_meminfo
from memtop.procfs.pressure import parse_pressure
from memtop.procfs.statm import page_bytes, use_page_bytes
from memtop.procfs.vmstat import parse_vmstat
from memtop.sampling.name_reader import read_cgroup_names
from memtop.sampling.problems import Problems
from memtop.sampling.process_reader import ProcessReader
from memtop.sampling.request import Need, SamplePlan
from memtop.sampling.sample import ProcessSample, Sample, SystemSample
from memtop.sources.protocol import READ_LIMIT, Source

if TYPE_CHECKING:
    from memtop.process_key import ProcessKey
    from memtop.procfs.dentry_state import DentryState
    from memtop.procfs.membership import CgroupNames
    from memtop.sampling.cgroup_reading import CgroupSample
    from memtop.sampling.cgroups.cgroup_reader import CgroupReader
    from memtop.sampling.fork_relatives import ForkRelatives
    from memtop.sampling.machine_reader import MachineReader
    from memtop.sampling.machine_reading import MachineReading

_CGROUP_NEEDS: Final = Need.CGROUP | Need.GROUPS | Need.VICTIM
_Value = TypeVar("_Value")

FAST_S: Final = 0.45
"""If samples are closer together than this ..."""
SPARED_S: Final = 0.9
"""... readings of the machine, of cgroups and of OOM scores are reused for this long, because they would cost more than
the rest."""
_ZONEINFO_SIZE: Final = 4 << 20
"""It has several lines for each zone and CPU."""


class Sampler:
    """Reads the machine through a Source, one instant at a time."""

    def __init__(self, source: Source, *, replaying: bool = False) -> None:
        """``replaying``: the source is a recording, and everything that was read at an instant is used."""
        self._source = source
        self._replaying = replaying
        self._problems = Problems()
        self._processes = ProcessReader(source, self._problems, replaying=replaying)
        self._cgroups: CgroupReader | None = None
        self._parse_dentries: Callable[[bytes], DentryState | None] | None = None
        self._machine: MachineReader | None = None
        self._relatives: ForkRelatives | None = None
        self._first = True
        self._listed: frozenset[int] = frozenset()
        """PIDs at the latest sample that looked for new children."""
        self._now_s = self._before_s = 0.0
        self._known_surroundings: tuple[SamplePlan, float, tuple[SystemSample, CgroupSample | None]] | None = None
        """Plan, time and result of the last reading of the machine and its cgroups."""

    def sample(self, plan: SamplePlan) -> Sample | None:
        """Read the next instant; None when the source has no more."""
        instant = self._source.begin()
        if instant is None:
            return None
        use_page_bytes(getattr(self._source, "page_bytes", None))
        self._before_s, self._now_s = self._now_s, instant.mono_s
        pids = self._source.pids() if plan.pids is None else sorted(plan.pids | self._relatives_of(plan))
        processes = self._processes.read(plan, pids, instant.mono_s, spares=not self._replaying and self._spares(plan))
        exits = tuple(self._source.exits())  # before watch drops those that have ended
        if children := self._new_children(plan.parents, processes):
            plan = plan._replace(watched=(*plan.watched, *children))
            processes = self._processes.settled()
        self._source.watch([pid for pid in plan.watched if pid in processes])
        gone = self._processes.gone
        system, cgroups = self._surroundings(plan, processes, again=bool(gone or exits))
        self._first = False
        names: Mapping[ProcessKey, CgroupNames] = cgroups.names if cgroups is not None else {}
        if cgroups is None and Need.MEMBERSHIP in plan.readings.row_needs:
            names = read_cgroup_names(self._source, processes.values())
        return Sample(
            wall_s=instant.wall_s,
            mono_s=instant.mono_s,
            system=system,
            processes=processes,
            cgroups=cgroups,
            names=names,
            moved=cgroups.moved if cgroups is not None else names.keys(),
            machine=self._machine_reading(plan, system, processes),
            gone=gone,
            exits=exits,
            hidden=self._processes.hidden(listed=plan.pids is None),
            problems=self._problems.sentences(),
            everybody=plan.pids is None and getattr(self._source, "lists_all", True),
            own_pid=getattr(self._source, "own_pid", None),
            stat_pids=self._processes.stat_pids,
        )

    def prepare(self) -> None:
        """Create what the second sample needs and a single one does not. Its import would make that sample late."""
        if self._cgroups is None:
            from memtop.procfs.dentry_state import parse_dentry_state  # noqa: PLC0415 (0.2 ms; as the docstring says)
            from memtop.sampling.cgroups.cgroup_reader import CgroupReader  # noqa: PLC0415 (18 ms; as the docstring says)

            self._parse_dentries = parse_dentry_state

            self._cgroups = CgroupReader(self._source, replaying=self._replaying)

    def _relatives_of(self, plan: SamplePlan) -> frozenset[int]:
        if not plan.with_relatives or plan.pids is None:
            return frozenset()
        if self._relatives is None:
            from memtop.sampling.fork_relatives import ForkRelatives  # noqa: PLC0415 (0.3 ms; only where PIDs are asked for)

            self._relatives = ForkRelatives(self._source, replaying=self._replaying)
        return self._relatives.of(plan.pids, self._processes.pids, self._now_s)

    def _new_children(self, parents: frozenset[int], processes: dict[int, ProcessSample]) -> list[int]:
        """The descendants of ``parents`` that were not in the previous sample. They may live for a second only."""
        if not parents:
            return []
        listed, self._listed = self._listed, frozenset(processes)
        family, found = set(parents), []
        for pid in sorted(processes.keys() - listed - family):
            stat = processes[pid].stat
            if stat is not None and stat.ppid in family:
                family.add(pid)
                found.append(pid)
        return found

    def _surroundings(
        self, plan: SamplePlan, processes: dict[int, ProcessSample], *, again: bool
    ) -> tuple[SystemSample, CgroupSample | None]:
        """The machine and the cgroups: the last reading, if it is recent enough and nothing needs a newer one."""
        known = self._known_surroundings
        if known is None or not self._hold(known[2], plan, again=again):
            system = self._system(per_cpu=Need.MACHINE in plan.readings.focus_needs)
            found = system, self._limits(plan, processes, system)
            known = self._known_surroundings = plan, self._now_s, found
        return known[2]

    def _hold(self, known: tuple[SystemSample, CgroupSample | None], plan: SamplePlan, *, again: bool) -> bool:
        """Whether the last reading of the machine and its cgroups is used again.

        A recording has them at the instants at which the memtop that recorded read them, and at no others.
        """
        if self._replaying and known[0].meminfo is not None:
            try:
                self._source.read("proc/meminfo")
            except MemtopError as error:
                return isinstance(error, NotRecorded)
            return False
        return not again and self._spares(plan)

    def _spares(self, plan: SamplePlan) -> bool:
        """Whether what is needed once a second was read for the same plan so recently that it still holds."""
        known = self._known_surroundings
        if known is None or self._now_s - self._before_s >= FAST_S:
            return False
        return self._now_s - known[1] < SPARED_S and known[0] == plan

    def _limits(
        self, plan: SamplePlan, processes: dict[int, ProcessSample], system: SystemSample
    ) -> CgroupSample | None:
        """Cgroups and limits. A run of one sample reads them only on request; a recording is taken from its first one
        on, since what was read once is in no later one."""
        if self._cgroups is None:
            wanted = self._replaying or plan.watched or plan.readings.focus or plan.readings.row_needs & _CGROUP_NEEDS
            if self._first and not wanted:
                return None
            self.prepare()
        return (
            self._cgroups.read(
                plan, processes, system, self._now_s, self._processes.gone, changed=self._processes.changed
            )
            if self._cgroups is not None
            else None
        )

    def _machine_reading(
        self, plan: SamplePlan, system: SystemSample, processes: dict[int, ProcessSample]
    ) -> MachineReading | None:
        if Need.MACHINE not in plan.readings.focus_needs:
            return None
        if self._machine is None:
            from memtop.sampling.machine_reader import MachineReader  # noqa: PLC0415 (2.0 ms; few runs want it)

            self._machine = MachineReader(self._source, replaying=self._replaying)
        shmem_bytes = system.meminfo.shmem_bytes if system.meminfo is not None else None
        return self._machine.read(self._now_s, processes, shmem_bytes, once=plan.readings.once)

    def _system(self, *, per_cpu: bool) -> SystemSample:
        return SystemSample(
            self._parsed_file("proc/meminfo", parse_meminfo),
            self._parsed_file("proc/vmstat", parse_vmstat),
            self._parsed_file("proc/pressure/memory", parse_pressure),
            self._parsed_file("proc/sys/fs/dentry-state", self._parse_dentries) if self._parse_dentries else None,
            self._per_cpu_bytes() if per_cpu else None,
        )

    def _per_cpu_bytes(self) -> int | None:
        from memtop.procfs.zoneinfo import parse_per_cpu_pages  # noqa: PLC0415 (0.3 ms; few runs want it)

        pages = self._parsed_file("proc/zoneinfo", parse_per_cpu_pages, _ZONEINFO_SIZE)
        return None if pages is None else pages * page_bytes()

    def _parsed_file(self, path: str, parse: Callable[[bytes], _Value], size: int = READ_LIMIT) -> _Value | None:
        try:
            raw = self._source.read(path, size)
        except MemtopError:
            return None  # absent in this container or kernel: all its fields are unknown
        return self._problems.parse(parse, raw, path)
