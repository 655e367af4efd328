"""Makes frames: what is shown of the engine's state for a request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from memtop.engine.frozen_view import Shown
from memtop.engine.row_selection import listed_rows
from memtop.engine.state import EngineState
from memtop.model.frame import Frame
from memtop.model.request import Request
from memtop.model.row import ProcessRow
from memtop.sampling.request import Need
from memtop.sources.protocol import OwnCost

if TYPE_CHECKING:
    from memtop.engine.detail_builder import OtherLife
    from memtop.model.detail import Detail, GroupDetail
    from memtop.model.group import GroupKey, GroupRow
    from memtop.model.machine import MachineView
    from memtop.sampling.sample import Sample


class FrameBuilder:
    """Reads the engine's state.

    ``own`` measures memtop itself. ``position`` gives the position in a replay, ``trouble`` the reason why a recording
    cannot be written.
    """

    def __init__(
        self,
        state: EngineState,
        own: Callable[[], OwnCost],
        position: Callable[[], tuple[int, int]] | None,
        trouble: Callable[[], str | None],
    ) -> None:
        self._state = state
        self._own = own
        self._position = position
        self._trouble = trouble

    def build(self, request: Request) -> Frame | None:
        """The frame for a request; None before the first sample."""
        if self._state.sample is None:
            return None
        shown = self._state.shown(request)
        sample, rows, system, past_s = shown.sample, shown.rows, shown.system, None
        if request.window.cursor_s is not None:
            from memtop.engine.past_rows import rows_at  # noqa: PLC0415 (1.7 ms; one sample has no past)

            past_s = min(request.window.cursor_s - shown.offset_s, shown.now_s)
            total_bytes = system.mem_total_bytes
            rows = rows_at(
                self._state.history, rows, past_s, boot_wall_s=self._state.boot_wall_s, total_bytes=total_bytes
            )
            system = self._state.machine.at(past_s) or system
        chosen = self._state.chosen(rows, request)
        groups: tuple[GroupRow, ...] | None = None
        listed: tuple[ProcessRow, ...] = ()
        group_of: GroupKey | None = None
        if self._state.groups is not None and request.rows.by is not None:
            from memtop.engine.groups.listing import group_of_member, list_groups, members_of  # noqa: PLC0415 (88 ms; a list of processes does without)

            if request.rows.inside is None:
                all_shown = request.rows.only is None and not request.rows.names
                ended = self._state.departed.rows if all_shown else chosen
                groups, places = list_groups(self._state.groups, chosen, request, sample, past_s, ended=ended)
                if (member := request.groups.member) is not None:
                    group_of = group_of_member(self._state.groups, request.rows.by, member, chosen, sample)
            else:
                listed, places = listed_rows(
                    members_of(self._state.groups, request.rows.inside, chosen, sample), request.rows
                )
        else:
            listed, places = listed_rows(chosen, request.rows)
        exits, self._state.exits = self._state.exits, ()
        assess_all = self._state.assessor is not None and request.readings.outlooks
        return Frame(
            tick=shown.tick,
            at_s=sample.wall_s,
            elapsed_s=shown.elapsed_s,
            late_s=self._state.late_s,
            system=system,
            rows=listed,
            tree=places,
            total=self._state.living(rows, request),
            detail=self._state.frozen.detail(partial(self._detail, request, shown, rows, past_s), request),
            own=self._own(),
            hidden=sample.hidden,
            problems=self._problems(sample, request),
            runtimes=self._state.readers.runtime_objects(row.key for row in listed)
            if request.readings.runtimes
            else {},
            shares=self._state.readers.shares(request.readings, partial(self._state.shares_wanted, request)),
            replay_position=self._position() if self._position is not None else None,
            exits=exits,
            outlooks=self._state.assessor.outlooks if self._state.assessor is not None and assess_all else {},
            incidents=self._state.assessor.incidents if self._state.assessor is not None else None,
            ended=self._state.assessor.ended if self._state.assessor is not None else (),
            machine=self._machine_view(request, shown, past_s),
            oom_victim=self._state.oom_victim,
            choices=names.choices if (names := self._state.named_rows) is not None else (),
            groups=groups,
            group=self._group_detail(request, shown, groups, chosen, past_s),
            group_of_member=group_of,
            groupings=self._state.groups.series.kinds if self._state.groups is not None else frozenset(),
        )

    def _problems(self, sample: Sample, request: Request) -> tuple[str, ...]:
        """What could not be read or written; without a screen also why addresses that were given have no metrics."""
        more = self._state.readers.runtime_problems() if request.readings.runtimes else []
        if trouble := self._trouble():
            more.append(trouble)
        return (*sample.problems, *more) if more else sample.problems

    def _machine_view(self, request: Request, shown: Shown, past_s: float | None) -> MachineView | None:
        readings = request.readings
        if Need.MACHINE not in readings.focus_needs:
            return None
        mark = self._state.readers.mark(readings.focus, shown.now_s) if readings.focus is not None else None
        return self._state.machine.view(shown.sample, shown.rows, mark.at_s if mark is not None else None, past_s)

    def _group_detail(
        self,
        request: Request,
        shown: Shown,
        groups: tuple[GroupRow, ...] | None,
        chosen: Sequence[ProcessRow],
        past_s: float | None,
    ) -> GroupDetail | None:
        """The group in focus: one of ``groups``, or that whose members are listed."""
        if self._state.groups is None or request.groups.focus is None or request.rows.by is None:
            return None
        from memtop.engine.groups.group_detail import group_detail  # noqa: PLC0415 (as above)

        assessor = self._state.assessor
        return group_detail(
            self._state.groups,
            self._state.history,
            request,
            shown.sample,
            chosen,
            past_s=past_s,
            groups=groups,
            severities_of=assessor.severities_of if assessor is not None else lambda _: {},
        )

    def _detail(self, request: Request, shown: Shown, rows: list[ProcessRow], past_s: float | None) -> Detail | None:
        focus = request.readings.focus
        if focus is None:
            return None
        row = next((row for row in rows if row.pid == focus.pid and row.key == focus), None)
        others: Sequence[OtherLife] = ()
        lives = self._state.assessor.lives(focus) if self._state.assessor is not None else None
        if lives is not None:
            from memtop.engine.other_lives import life_at, other_lives  # noqa: PLC0415 (41 ms; few programs have several)

            others = other_lives(lives, focus, shown.offset_s)
            if row is None and past_s is not None:
                row = life_at(rows, others)
        if row is None:
            return None
        from memtop.engine.detail_builder import DetailBuilder  # noqa: PLC0415 (1.8 ms; one sample has no past)

        return DetailBuilder(self._state.history, self._state.events, self._state.readers).build(
            request, shown, row, past_s, others
        )
