"""The limits around processes, as read: memory cgroups, resource limits, and how the kernel hands memory out.

Owned by the sampler. :class:`CgroupReader` decides what is read when, ``folders`` reads one cgroup's directory, and
``reading`` has the values that come of it.
"""

from memtop.sampling.cgroups.cgroup_reader import CgroupReader
from memtop.sampling.cgroups.cgroup_reading import CgroupReading, CgroupSample, Policy

__all__ = ["CgroupReader", "CgroupReading", "CgroupSample", "Policy"]
