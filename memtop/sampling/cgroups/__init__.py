"""Reads the limits of processes: memory cgroups, resource limits, overcommit and swap policy.

``CgroupReader`` puts together what is read at one instant. ``CgroupHomes`` finds and keeps the cgroup of each process
with the help of ``CgroupFinder``. ``AllCgroups`` keeps the latest reading of every cgroup with members, and ``Turns``
decides which of them are read next. ``cgroup_files`` reads the directory of one cgroup, version 1 or 2. The resulting
values are in :mod:`memtop.sampling.cgroup_reading`.
"""
