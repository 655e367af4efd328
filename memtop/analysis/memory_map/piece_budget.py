"""Budget for reading pagemap. It does not hold up the process, so only memtop's own CPU time limits it.

smaps is read automatically only while it is expected to hold up the process for less than 5 ms. Beyond that, pagemap is
read instead, in pieces (:mod:`memtop.procfs.pagemap`). Keep one :class:`PieceBudget` for each process.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from memtop.analysis.memory_map.read_cost import CALM_S, REST_MIN_S, Verdict, Why
from memtop.procfs.pagemap import WHOLE_BYTES

SMAPS_MAX_S: Final = 0.005
"""Longest expected stall for which smaps and smaps_rollup are read if pagemap is available."""
DUTY: Final = 0.003
"""Processor time for it in the long run, as a share of a core: a process of 1 GiB is read every 19 s. It is below half
of what any WINDOW_S may have, because a window may begin and end with a reading."""
AGAIN_S: Final = 9.9
"""Shortest rest after the second reading: a little less than ten seconds, so that every tenth tick of a second is in
time. Up to 512 MiB it is what decides."""
WINDOW_S: Final = 90.0
WINDOW_DUTY: Final = 0.01
"""The most in any window of that length, if no reading takes more than MOST_CPU_S."""
MOST_CPU_S: Final = WINDOW_DUTY * WINDOW_S / 2
"""Two such readings fit into a window. With PAGEMAP_SCAN a reading of 16 GiB takes half of it; without, 12 GiB take all
of it, and a larger process exceeds the window once."""
SECOND_AFTER_S: Final = 2.9
"""From the begin of the first reading to that of the second, so that growth is seen soon. The third waits for both. A
first reading of more than MOST_CPU_S has no such second one."""
_CPU_S_PER_GIB: Final = 0.036
"""Processor time of a reading for each GiB resident, on a quiet machine ..."""
_SAMPLED_CPU_S_PER_GIB: Final = 0.018
"""... and for what is counted by PAGEMAP_SCAN."""
PARSE_S_PER_MAPPING: Final = 13e-6
"""Processor time of parsing a reading and comparing it with the first one."""
_GIB: Final = 1 << 30


def pieces_cost_s(rss_bytes: int) -> float:
    """The processor time that a reading of a process with so much RES is expected to take."""
    sampled_bytes = max(0, rss_bytes - WHOLE_BYTES)
    return (_CPU_S_PER_GIB * (rss_bytes - sampled_bytes) + _SAMPLED_CPU_S_PER_GIB * sampled_bytes) / _GIB


class PieceBudget(NamedTuple):
    """The cost of the readings of one process. Times in seconds on one monotonic clock."""

    free_from_s: float = float("-inf")
    calm_until_s: float = float("-inf")
    """End of the rest if nothing of the process has moved since."""
    owed_s: float = 0.0
    """Rest after the first reading that was skipped."""
    readings: int = 0
    under_way: bool = False

    def begun(self) -> PieceBudget:
        """The state after a reading was started."""
        return PieceBudget(self.free_from_s, self.calm_until_s, self.owed_s, self.readings, under_way=True)

    def failed(self) -> PieceBudget:
        """The state after a reading that returned nothing and cost nothing."""
        return PieceBudget(self.free_from_s, self.calm_until_s, self.owed_s, self.readings)

    def after_smaps(self, now_s: float) -> PieceBudget:
        """The state after smaps of the process was read instead: this is no first reading anymore."""
        return self._replace(
            free_from_s=max(self.free_from_s, now_s + REST_MIN_S),
            calm_until_s=max(self.calm_until_s, now_s + CALM_S),
            readings=max(1, self.readings),
        )

    def ended(self, began_s: float, now_s: float, cpu_s: float) -> PieceBudget:
        """The state after a reading returned. ``cpu_s`` is the processor time that it took, without parsing."""
        due_s = self.owed_s + cpu_s / DUTY
        is_early = not self.readings and cpu_s <= MOST_CPU_S
        rest_s = max(0.0, began_s + SECOND_AFTER_S - now_s) if is_early else max(AGAIN_S, due_s)
        owed_s = max(0.0, due_s - rest_s)
        return PieceBudget(now_s + rest_s, now_s + max(CALM_S, rest_s), owed_s, self.readings + 1)

    def also(self, now_s: float, cpu_s: float) -> PieceBudget:
        """The state after the text of the last reading was parsed, which took more processor time.

        Tens of thousands of mappings take longer to parse than to read.
        """
        owed_s = self.owed_s + cpu_s / DUTY
        if self.readings == 1 and owed_s <= MOST_CPU_S / DUTY:  # the second one still comes early
            return self._replace(owed_s=owed_s)
        from_s = max(now_s, self.free_from_s) + owed_s
        return self._replace(free_from_s=from_s, calm_until_s=max(self.calm_until_s, from_s), owed_s=0.0)

    def may_read(self, now_s: float, *, asked: bool = False, calm: bool = False) -> Verdict:
        """Whether to read now. ``asked``: the user set a mark, which allows one reading at any time."""
        if self.under_way:
            return Verdict(Why.UNDER_WAY, 0.0)
        from_s = self.calm_until_s if calm else self.free_from_s
        if not asked and now_s < from_s:
            return Verdict(Why.RESTING, 0.0, from_s - now_s)
        return Verdict(Why.ALLOWED, 0.0)
