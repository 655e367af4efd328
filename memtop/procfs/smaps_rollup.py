"""/proc/PID/smaps_rollup, proc_pid_smaps(5): sums over all mappings of a process: RSS, PSS, USS and swap."""

from __future__ import annotations

from typing import NamedTuple

from memtop.errors import ParseError
from memtop.procfs.smaps_fields import FIELD, HEADER, Value, value_of


class Rollup(NamedTuple):
    """Sums over all mappings, from smaps_rollup (Linux 4.14). Sizes in bytes; None if the line is absent."""

    fields: tuple[tuple[str, Value], ...]
    """Every field by its kernel name, including fields without an attribute here."""

    def number(self, field: str) -> int | None:
        """A field by its kernel name, in bytes; None if it is absent."""
        value = next((value for name, value in self.fields if name == field), None)
        return value if isinstance(value, int) else None

    @property
    def rss_bytes(self) -> int | None:
        """Resident pages. Shared pages count in full."""
        return self.number("Rss")

    @property
    def pss_bytes(self) -> int | None:
        """PSS: each resident page divided by the number of its mappings."""
        return self.number("Pss")

    @property
    def pss_anon_bytes(self) -> int | None:
        """The part of PSS that belongs to no file, since Linux 5.4."""
        return self.number("Pss_Anon")

    @property
    def anonymous_bytes(self) -> int | None:
        """Resident pages that belong to no file. Shared pages count in full."""
        return self.number("Anonymous")

    @property
    def private_dirty_bytes(self) -> int | None:
        """Pages that only one mapping has and that were written to."""
        return self.number("Private_Dirty")

    @property
    def private_clean_bytes(self) -> int | None:
        """Pages that only one mapping has and that are unchanged from the file."""
        return self.number("Private_Clean")

    @property
    def shared_bytes(self) -> int | None:
        """Pages that two or more mappings have, clean and dirty."""
        clean, dirty = self.number("Shared_Clean"), self.number("Shared_Dirty")
        return None if clean is None or dirty is None else clean + dirty

    @property
    def uss_bytes(self) -> int | None:
        """USS: private pages, clean and dirty, including huge pages."""
        clean, dirty = self.private_clean_bytes, self.private_dirty_bytes
        if clean is None and (private := self.number("Private")) is not None:  # from pagemap
            clean, dirty = private, 0
        return None if clean is None or dirty is None else clean + dirty + (self.number("Private_Hugetlb") or 0)

    @property
    def swap_bytes(self) -> int | None:
        """Pages on swap. Shared pages count in full."""
        return self.number("Swap")


def parse_rollup(data: bytes) -> Rollup:
    """Parse one smaps_rollup file. Raises ParseError if it has no field."""
    found: dict[str, Value] = {}
    for line in data[: data.rfind(b"\n") + 1].split(b"\n"):
        field = None if HEADER.match(line) else FIELD.match(line)
        if field:
            found.setdefault(field[1].decode("ascii"), value_of(field[1], field[2]))
    if not found:
        raise ParseError("smaps_rollup", "no line with a field")
    return Rollup(tuple(found.items()))
