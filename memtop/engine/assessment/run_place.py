"""Where the runs of one program are: in one cgroup, or in the containers of one pod, each of which has its own."""

from __future__ import annotations

from collections.abc import Sequence

from memtop.engine.assessment.step_input import StepInput


def run_place(chain: Sequence[str], step: StepInput) -> str:
    """Directory of the pod that a process with this chain of cgroups is in, or else of its cgroup; empty for no cgroup.

    Kubernetes restarts a container by making another one in the same pod.
    """
    pods = {path: owner.pod for path in chain if (owner := step.cgroups.owners.get(path)) is not None and owner.pod}
    if not chain or chain[0] not in pods:
        return chain[0] if chain else ""
    return next(path for path in reversed(chain) if pods.get(path) == pods[chain[0]])
