"""Demonstrations: workloads whose memory changes in a known way, with commentary.

A workload runs in its own process, ``python -m memtop.demo SCENARIO``, which ``memtop demo SCENARIO`` starts. It
reports its steps over a pipe; :class:`memtop.demo.workload.Workload` is the watching side. Whatever happens to the
watcher, nothing of a workload is left behind.
"""
