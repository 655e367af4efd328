"""Ledgers of memory: parts that do not overlap and add up to a whole, for the machine, a cgroup and a process."""
