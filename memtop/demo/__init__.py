"""Demonstrations: workloads whose memory moves in a known way, with a running commentary.

A workload runs in a process of its own, ``python -m memtop.demo SCENARIO``, which ``memtop demo SCENARIO`` starts.
It reports over a pipe what it does; :class:`memtop.demo.workload.Workload` is the watching side. Whatever happens to
the watcher, nothing of a workload is left behind.
"""
