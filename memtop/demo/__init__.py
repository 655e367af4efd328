"""Demonstrations: workloads whose memory moves in a known way, with a running commentary.

A workload runs in a process of its own (``python -m memtop.demo SCENARIO``, an inner matter: users say
``memtop demo SCENARIO``) and tells over a pipe what it is doing; :class:`Workload` is the watching side.
Whatever happens to the watcher, nothing of a workload is left behind.
"""

from memtop.demo.progress import Step
from memtop.demo.scenarios import DEFAULT_SCENARIO, Scenario, scenario_named, scenarios
from memtop.demo.workload import Workload

__all__ = ["DEFAULT_SCENARIO", "Scenario", "Step", "Workload", "scenario_named", "scenarios"]
