"""Reads the limits around processes: memory cgroups, resource limits, overcommit and swap policy.

``CgroupReader`` decides what is read when, ``CgroupFinder`` finds the cgroup of a process, and ``cgroup_files`` reads
the directory of one cgroup; the values that come of it are in :mod:`memtop.sampling.cgroup_reading`.
"""
