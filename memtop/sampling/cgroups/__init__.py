"""Readings of the limits around processes: memory cgroups, resource limits, how the kernel hands out memory.

``CgroupReader`` decides what is read when, ``cgroup_files`` reads the directory of one cgroup; the values that come of
it are in :mod:`memtop.sampling.cgroup_reading`.
"""
