"""Reads what processes keep in memory without mapping it, in the background and within a small share of the time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from memtop.errors import AccessDenied, MemtopError, NotRecorded
from memtop.process_key import ProcessKey
from memtop.procfs.held_report import parse_held_report
from memtop.sampling.cgroup_reading import HeldMemory
from memtop.sampling.sample import ProcessSample
from memtop.sources.protocol import Source

AGAIN_S: Final = 12.0
"""Seconds after which it is read again ..."""
SOON_S: Final = 2.0
"""... and while there is some of it: a verdict needs 30 points in its first minute ..."""
SOME_BYTES: Final = 1 << 20
_MORE: Final = 8
"""... or while it has opened so many more since the last reading ..."""
DUTY: Final = 0.004
"""... or later, so that reading takes at most this share of the time."""
SELDOM_S: Final = 30.0
"""What is read more seldom does not tell whether it grows."""
KEPT_S: Final = 900.0
"""What is older says nothing. A recording has it for as long as its process."""
_SIZE: Final = 65_536
NOT_RECORDED: Final = "what it keeps in memfds, on tmpfs and in sockets was not recorded around this moment"

TOO_MANY: Final = "its open files, which are too many to look at all of them often"


@dataclass(slots=True)
class _Record:
    found: HeldMemory
    next_s: float = 0.0
    asked: str = ""


class HeldReader:
    """Reads through a Source; used in the sampler's thread."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._records: dict[ProcessKey, _Record] = {}

    def read(
        self, assessed: Iterable[ProcessKey], processes: Mapping[int, ProcessSample], now_s: float
    ) -> dict[ProcessKey, HeldMemory]:
        """One tick: what is known of each of ``assessed``."""
        before, self._records = self._records, {}
        for key in assessed:
            seen = processes.get(key.pid)
            if seen is None or seen.key != key or seen.statm is None:
                continue
            record = self._records[key] = before.get(key) or _Record(HeldMemory())
            if record.asked or now_s >= record.next_s:
                self._ask(record, seen, now_s)
        return {key: record.found for key, record in self._records.items()}

    def _ask(self, record: _Record, seen: ProcessSample, now_s: float) -> None:
        asked, record.asked = record.asked or f"{seen.folder}/held", ""
        try:
            answer = self._source.ask(asked, _SIZE)
            if answer is None:
                record.asked = asked
                return
            report = parse_held_report(answer.data)
        except NotRecorded:
            known = record.found.report
            if known is None or now_s - known.at_s > KEPT_S:
                record.found = HeldMemory(unread=NOT_RECORDED)
            return
        except MemtopError as error:
            denied = isinstance(error, AccessDenied)
            why = "no permission to look at its open files" if denied else "its open files are unreadable"
            record.found, record.next_s = HeldMemory(unread=why), now_s + AGAIN_S
            return
        if now_s - report.at_s > KEPT_S:
            record.found = HeldMemory(unread=NOT_RECORDED)
            return
        known = record.found.report
        opened = report.untold_number - known.untold_number if known is not None else 0
        is_wanted = opened >= _MORE or report.known_bytes + report.untold_bytes >= SOME_BYTES
        rest_s = max(0.9 * SOON_S if is_wanted else AGAIN_S, answer.took_s / DUTY)
        seldom = report.is_cut or rest_s > SELDOM_S
        record.found = HeldMemory(report, TOO_MANY if seldom else "")
        record.next_s = now_s + rest_s
