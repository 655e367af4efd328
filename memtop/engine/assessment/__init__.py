"""How it ends: verdicts, limits, victims, findings and autopsies, brought up to date at every tick.

Owned by the engine, in the sampler's thread; nothing here reads anything but samples and what the engine keeps of the
past. :class:`Assessor` is what the engine holds; the rooms behind it, from facts to judgement:

- ``scene``: one tick, as all rooms are given it
- ``lazyfree``: what processes have given back and the kernel has not taken, as a small series
- ``verdicts``: who grows, a verdict on every process
- ``witness``: what smaps and the runtime tell of the process in focus
- ``counters``: what cgroups and the machine have counted since memtop looks
- ``ceilings``: the limits over a process, and which it meets first
- ``victims``: whom the OOM killer would take
- ``case``: everything known of a process, as the findings take it
- ``study``: one process that is judged in full, from tick to tick
- ``coroner``: those that have ended, how, and who follows them
- ``marks``: the signs and numbers that all of this puts on a row of the table
"""

from memtop.engine.assessment.assessor import Assessor

__all__ = ["Assessor"]
