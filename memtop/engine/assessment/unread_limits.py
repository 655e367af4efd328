"""Limits of a process that are unknown: what could not be read, and what was not looked at, one clause each."""

from __future__ import annotations

from memtop.analysis.limits.memory_limits import CgroupUse, host_ceiling, is_known, swap_free_bytes, unread_files
from memtop.engine.assessment.limit_names import limit_name
from memtop.engine.assessment.step_input import StepInput
from memtop.process_key import ProcessKey
from memtop.procfs.cgroup import UNLIMITED
from memtop.procfs.limits import UNREADABLE, PidLimits
from memtop.procfs.statm import OWN_PAGE_BYTES
from memtop.procfs.status import PidStatus
from memtop.sampling.cgroup_reading import HeldMemory, MappingCount
from memtop.units import long_size

_LIMIT_FILES = ("memory.max", "memory.limit_in_bytes", "memory.current", "memory.usage_in_bytes")


def unread_limits(key: ProcessKey, step: StepInput) -> tuple[str, ...]:
    """What is unknown of the limits of a process, one clause each.

    Only if it is empty can memtop say that no limit is near.
    """
    cgroups, meminfo = step.cgroups, step.meminfo
    found = unread_cgroups(key, step)
    if meminfo is None or host_ceiling(meminfo) is None:
        found.append("this machine's memory cannot be read")
    limits, status = cgroups.limits.get(key), step.status(key)
    if limits is None:
        found.append("its resource limits were not read")
    elif limits.address_space_bytes is None or limits.data_bytes is None:
        found.append("its resource limits cannot be read")
    else:
        if limits.address_space_bytes != UNLIMITED and step.virt_bytes(key) is None:
            found.append("VIRT, which ulimit -v limits, cannot be read")
        if limits.data_bytes != UNLIMITED and (status is None or status.data_bytes is None):
            found.append("VmData, which ulimit -d limits, cannot be read")
    if cgroups.policy.overcommit is None:
        found.append("vm.overcommit_memory cannot be read")
    elif cgroups.policy.overcommit == 2 and (
        meminfo is None or None in (meminfo.committed_bytes, meminfo.commit_limit_bytes)
    ):
        found.append("CommitLimit cannot be read")
    return tuple(found)


def unread_cgroups(key: ProcessKey, step: StepInput) -> list[str]:
    """What is unknown of the memory cgroups of a process, one clause each."""
    cgroups, chain = step.cgroups, step.chain(key)
    known = step.unread.get(chain) if step.unread is not None else None
    if known is None:
        known = _unread_in_chain(key, step)
        if step.unread is not None:
            step.unread[chain] = known
    if key in cgroups.unread:
        return [cgroups.unread[key], *known]
    return list(known) if key in cgroups.chains else ["its cgroup has not been looked up", *known]


def _unread_in_chain(key: ProcessKey, step: StepInput) -> list[str]:
    """The same for all processes of a cgroup."""
    found = []
    uses = {one.path: one.use for one in step.readings(key)}
    blind = [path for path in step.chain(key) if path not in uses or not is_known(uses[path])]
    for path in step.chain(key):
        if path in blind:
            found.append(_unknown_room(limit_name(path, step), uses.get(path)))
        else:
            swaps = swap_free_bytes(step.meminfo) != 0
            found += [
                f"{name} of {limit_name(path, step)} cannot be read ({why})"
                for name, why in unread_files(uses[path], swaps=swaps)
            ]
    if (hidden := _hidden_limit_bytes(key, step)) is not None:
        whose = "it or an ancestor" if blind else "an ancestor cgroup that is not visible from here"
        found.append(f"{whose} has a limit of {long_size(hidden)}")
    return found


def _unknown_room(name: str, use: CgroupUse | None) -> str:
    """Which end of its room is unknown: the limit, or what it uses of that."""
    if use is None:
        return f"the limit of {name} has not been read"
    if use.limit_bytes is None:
        return f"the limit of {name} cannot be read{_why(use)}"
    most = f"its {long_size(use.limit_bytes)}" if use.limit_bytes < UNLIMITED else "its memory.high"
    return f"how much {name} uses of {most} cannot be read{_why(use)}"


def _why(use: CgroupUse) -> str:
    """The reason why a limit or use is not known, in brackets; empty if there is none."""
    reasons = dict(use.unread)
    found = next((reasons[name] for name in _LIMIT_FILES if name in reasons), "")
    return f" ({found})" if found else ""


def _hidden_limit_bytes(key: ProcessKey, step: StepInput) -> int | None:
    """The limit of an ancestor that cannot be seen from here, which version 1 reports; None if there is none."""
    leaf = step.leaf(key)
    hidden = leaf.stat.hierarchical_limit_bytes if leaf is not None and leaf.stat is not None else None
    seen = [one.limit_bytes for one in step.readings(key) if one.limit_bytes is not None]
    total = step.meminfo.total_bytes if step.meminfo is not None else None
    if hidden is None or hidden >= min([UNLIMITED, *seen, *([total] if total is not None else [])]):
        return None
    return hidden


def is_stack_mapped(limits: PidLimits, status: PidStatus) -> bool:
    """Whether the main stack has all the addresses that RLIMIT_STACK allows, which says nothing of how deep it is.

    A program may map all of it when it starts, as Ruby does. One that came there by its calls is ended by SIGSEGV.
    """
    if limits.stack_bytes in (None, UNLIMITED) or status.stack_bytes is None:
        return False
    return (limits.stack_bytes or 0) - status.stack_bytes <= OWN_PAGE_BYTES


def limits_not_looked_at(key: ProcessKey, step: StepInput) -> tuple[str, ...]:
    """Limits on mappings and threads, and on what few programs use up, of which not both ends are known."""
    cgroups, found = step.cgroups, []
    mappings = cgroups.mappings.get(key, MappingCount())
    if cgroups.policy.max_map_count is None:
        found.append("vm.max_map_count cannot be read")
    elif mappings.number is None:
        found.append(mappings.unread or "its mappings are not counted yet")
    tasks = cgroups.tasks.get(key)
    if tasks is None or tasks.unread:
        found.append(tasks.unread if tasks is not None else "the limits on threads have not been read")
    elif any(one.used is None for one in tasks.limits) or not any(
        one.name.startswith("kernel.") for one in tasks.limits
    ):
        found.append("the number of threads cannot be read")
    if tasks is not None and tasks.has_children is not False and not (step.everybody or step.plan.with_relatives):
        children = "its children copy" if tasks.has_children else "children of it may copy"
        found.append(f"what {children} of the memory that they share with it (-C watches them)")
    elif tasks is not None and tasks.has_children and not _program_is_known(key, step):
        found.append(
            "what its children copy of the memory that they share with it (no permission to find out which they are)"
        )
    held = cgroups.held.get(key, HeldMemory())
    if held.report is None or held.unread:
        found.append(held.unread or "what it keeps in memfds, on tmpfs and in sockets is not known yet")
    most, used = user_threads(key, step)
    if most is not None and used is None:
        found.append(f"how many threads its user has (ulimit -u: {most:,})")
    limits, status = cgroups.limits.get(key), step.status(key)
    if key in step.runtimes:
        found += step.runtimes[key].not_looked_at
    if limits is not None and status is not None and is_stack_mapped(limits, status):
        found.append("how much of its main stack is in use (all that ulimit -s allows is mapped, as by Ruby)")
    if limits is not None and limits.stack_bytes is None and limits != UNREADABLE:
        found.append("ulimit -s cannot be read")
    if limits not in (None, UNREADABLE) and limits.locked_bytes is None and status is not None and status.locked_bytes:
        found.append("ulimit -l cannot be read")
    return tuple(found)


def _program_is_known(key: ProcessKey, step: StepInput) -> bool:
    """Whether the kernel shows where its program lies, by which its fork relatives are known."""
    seen = step.process(key)
    return seen is not None and seen.stat is not None and seen.stat.start_code > 1


def user_threads(key: ProcessKey, step: StepInput) -> tuple[int | None, int | None]:
    """RLIMIT_NPROC where it binds, and how many threads its user has; root is exempt."""
    limits, seen = step.cgroups.limits.get(key), step.process(key)
    if limits is None or limits.processes in (None, UNLIMITED) or seen is None or seen.uid == 0:
        return None, None
    if not step.everybody or seen.uid is None:
        return limits.processes, None
    threads = (one.stat.threads for one in step.sample.processes.values() if one.uid == seen.uid and one.stat)
    return limits.processes, sum(threads)
