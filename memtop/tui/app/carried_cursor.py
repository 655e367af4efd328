"""Carries the cursor from a process to its group and back, while the list shows one kind of rows after the other."""

from __future__ import annotations

from memtop.model.detail import GroupDetail
from memtop.model.frame import Frame
from memtop.model.group import By, GroupKey
from memtop.model.row import RowKey
from memtop.process_key import ProcessKey
from memtop.tui.table.process_table import ProcessTable


class CarriedCursor:
    """Remembers which process the cursor stands for. :meth:`place` at every frame that the table shows."""

    def __init__(self) -> None:
        self._wanted: tuple[ProcessKey, int] | None = None
        """The process to move to, and the tick at which that was asked for."""
        self._stands_for: tuple[ProcessKey, RowKey] | None = None
        """The process that the cursor came from, and the row that stands for it."""

    @property
    def wanted(self) -> ProcessKey | None:
        """The process to move to, or to its group, with the next frame that lists it; None where the cursor stays."""
        return self._wanted[0] if self._wanted is not None else None

    def move_to(self, process: ProcessKey | None, frame: Frame | None) -> None:
        """Move to a process, or to its group; ``frame`` is the one on screen."""
        self._wanted = (process, frame.tick if frame is not None else -1) if process is not None else None

    def enter(self, group: GroupKey, frame: Frame | None) -> None:
        """The members of a group are listed: move to the process that it stands for."""
        if self._stands_for is not None and self._stands_for[1] == group:
            self.move_to(self._stands_for[0], frame)

    def leave(self, group: GroupKey, process: ProcessKey | None) -> None:
        """The cursor goes from a member to its group."""
        if process is not None:
            self._stands_for = process, group

    def process(self, selected: RowKey | None, group: GroupDetail | None) -> ProcessKey | None:
        """The process under the cursor; of a group the one that the cursor came from, or else its largest member."""
        if not isinstance(selected, GroupKey):
            return selected
        if self._stands_for is not None and self._stands_for[1] == selected:
            return self._stands_for[0]
        return group.largest[0].key if group is not None and group.row.key == selected and group.largest else None

    def place(self, table: ProcessTable, frame: Frame, by: By | None) -> None:
        """Move the cursor where it is wanted, if the frame has that row; ``by`` is what the view lists."""
        if self._wanted is None:
            return
        wanted, since_tick = self._wanted
        key: RowKey | None = wanted
        if frame.groups is not None:
            if any(row.key.by is not by for row in frame.groups[:1]):
                return  # it was made before the view was changed
            key = frame.group_of_member
        index = table.find(key)
        while index is None and isinstance(key, GroupKey) and key.by is By.CGROUP and key.name:
            key = GroupKey(By.CGROUP, key.name.rpartition("/")[0])  # one above it is folded
            index = table.find(key)
        if index is not None and key is not None:
            self._wanted, self._stands_for = None, (wanted, key)
            table.select(index)
        elif frame.tick > since_tick + 1:  # made for this view: the process has ended, or the filter hides it
            self._wanted = None
