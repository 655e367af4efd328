"""Reads the limits around processes: memory cgroups, resource limits, overcommit and swap policy.

``CgroupReader`` puts together what is read at one instant. ``CgroupHomes`` finds and keeps the cgroup of each process
by means of ``CgroupFinder``. ``AllCgroups`` keeps the latest reading of every cgroup with members, and ``Turns`` says
which of them are read next. ``cgroup_files`` reads the directory of one cgroup. The values that come of it are in
:mod:`memtop.sampling.cgroup_reading`.
"""
