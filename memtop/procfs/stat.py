"""/proc/PID/stat, proc_pid_stat(5): identity, state, faults, processor time.

RSS is not taken from here: field 24 may lag by megabytes on machines with many cores; see :mod:`.statm`.
"""

from typing import NamedTuple

from memtop.errors import ParseError

KERNEL_THREAD_FLAG = 0x0020_0000
"""PF_KTHREAD of include/linux/sched.h."""
EXITING_FLAG = 0x0000_0004
"""PF_EXITING: the kernel sets it first when a process ends."""


class PidStat(NamedTuple):
    """The fields of proc_pid_stat(5) that memtop uses. Field numbers are those of the manual page."""

    pid: int
    comm: bytes
    """(2) The name, at most 15 bytes for a program. It may hold any byte but NUL."""
    state: str
    """(3) One letter."""
    ppid: int
    """(4)"""
    flags: int
    """(9) PF_* bits."""
    minflt: int
    """(10) Minor faults since the start, including those of ended threads."""
    majflt: int
    """(12) Major faults since the start."""
    cpu_ticks: int
    """(14) + (15): user and kernel time in clock ticks."""
    threads: int
    """(20)"""
    start_ticks: int
    """(22) Start, in clock ticks after boot."""
    start_code: int
    """(26) Code address, which exec changes; 1 without ptrace read permission."""
    arg_start: int
    """(48) Address of the arguments, which exec changes; 0 without ptrace read permission."""
    start_stack: int = 0
    """(28) Address of the stack, which exec changes unless addresses are not randomized; 0 without that permission."""
    exit_code: int = 0
    """(52) wait(2) status of a zombie; 0 without ptrace read permission."""

    @property
    def address_space_bytes(self) -> int | None:
        """The size of the address space of a 32-bit program: 4 GiB, or 3 where the kernel keeps one.

        The stack lies at its end. None for a program of 64 bits, and without permission to know.
        """
        gib = 1 << 30
        return -(-self.start_stack // gib) * gib if gib < self.start_stack < 4 * gib else None

    @property
    def kernel_thread(self) -> bool:
        """Whether this is a kernel thread, which has no memory of its own."""
        return bool(self.flags & KERNEL_THREAD_FLAG)

    @property
    def ending(self) -> bool:
        """Whether this process has ended or begun to end; from then on its cgroup is reported as the root."""
        return self.state in "ZX" or bool(self.flags & EXITING_FLAG)


def parse_stat(data: bytes) -> PidStat:
    """Parse one stat file. The name ends at the last ``)``, whatever it contains. Raises ParseError."""
    opening = data.find(b"(")
    closing = data.rfind(b")")
    if opening < 1 or closing < opening:
        raise ParseError("stat", "no name in parentheses")
    fields = data[closing + 1 :].split()
    if not fields or len(fields[0]) != 1 or not fields[0].isalpha():
        raise ParseError("stat", "no state after the name")
    try:
        stat = PidStat(
            pid=int(data[:opening]),
            comm=data[opening + 1 : closing],
            state=fields[0].decode("ascii"),
            ppid=int(fields[1]),
            flags=int(fields[6]),
            minflt=int(fields[7]),
            majflt=int(fields[9]),
            cpu_ticks=int(fields[11]) + int(fields[12]),
            threads=int(fields[17]),
            start_ticks=int(fields[19]),
            start_code=int(fields[23]),
            arg_start=int(fields[45]) if len(fields) > 45 else 0,
            start_stack=int(fields[25]) if len(fields) > 25 else 0,
            exit_code=int(fields[49]) if len(fields) > 49 else 0,
        )
    except (IndexError, ValueError) as error:
        raise ParseError("stat", f"fields after the name: {error}") from error
    counts = (stat.minflt, stat.majflt, stat.cpu_ticks, stat.threads)
    if min(counts) < 0 or max(counts) >> 63 or stat.start_ticks >> 64:
        raise ParseError("stat", "counts that no machine reaches")
    return stat
