"""Assessment of processes at every tick: growth, limits, OOM rank, findings, and the cause of an exit.

The engine owns an :class:`Assessor`, in the sampler's thread. It uses only samples and the history that the engine
keeps. The modules, from facts to judgment:

- ``step_input``: the facts of one tick
- ``lazy_free``: memory given back by MADV_FREE that the kernel has not reclaimed yet, as a short series
- ``rise_tracker``: the rises of all processes, before there is a verdict
- ``sum_tracker``: the charge of its cgroup, or the sum over its fork family, as a verdict of its own
- ``growth_tracker``: the growth verdict of every process
- ``expensive_inputs``: what smaps and the runtime report about the process in focus
- ``event_counters``: events that cgroups and the machine have counted since memtop started
- ``memory_limits``: the limits of a process, and which one it reaches first
- ``oom_candidates``: the rank of a process for the OOM killer
- ``finding_inputs``: all facts about one process, as the rules of findings take them
- ``process_assessor``: one process that is assessed in full, from tick to tick
- ``exit_analysis``: how processes have ended, and which process took their place
- ``machine_trend``, ``cgroup_watch``, ``incident_inputs``: the facts that incidents of the machine are made of
- ``incident_tracker``: the incidents that stand, over all processes, cgroups and the machine
- ``event_finder``: what happens at a tick, for recordings and their timeline
- ``row_marks``: signs and numbers that assessment adds to a row of the table
"""

from memtop.engine.assessment.assessor import Assessor

__all__ = ["Assessor"]
