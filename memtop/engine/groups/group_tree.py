"""Tree of cgroups: with the cgroups above those that have members, each below the nearest one that is listed."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from memtop.engine.groups.charge import chain_of
from memtop.engine.groups.naming import Naming
from memtop.engine.groups.sums import Sums
from memtop.engine.tree_places import in_tree_order
from memtop.model.frame import TreePlace
from memtop.model.group import GroupKey, GroupRow
from memtop.sampling.cgroup_reading import CgroupSample


def grow_groups(
    rows: Sequence[GroupRow], folded: Container[object]
) -> tuple[tuple[GroupRow, ...], tuple[TreePlace, ...]]:
    """Rows, already in the order wanted among siblings, as a tree; what is below a folded row is left out."""
    by_path = {row.path: row for row in rows if row.path is not None}
    children: dict[GroupKey | None, list[GroupRow]] = {}
    said: dict[GroupKey, int] = {}
    for row in rows:
        above = (row.path or "").rpartition("/")[0]
        while above and above not in by_path:
            above = above.rpartition("/")[0]
        parent = by_path[above].key if above else None
        children.setdefault(parent, []).append(row)
        beginning = f"{by_path[above].name.rstrip('/')}/" if above else ""
        said[row.key] = len(beginning) if row.name.startswith(beginning) else 0
    shown, places = in_tree_order(children, lambda row: row.key, lambda row: row, folded)
    return shown, tuple(place._replace(said=said[row.key]) for row, place in zip(shown, places, strict=True))


def with_above(sums: Mapping[GroupKey, Sums], naming: Naming, cgroups: CgroupSample) -> dict[GroupKey, Sums]:
    """With the cgroups above those that have members, each with all members below it; by name."""
    own = {one.name.path: one for one in sums.values() if one.name.path is not None}
    whole: dict[GroupKey, Sums] = {}
    for path, one in own.items():
        for above in {path, *chain_of(path, cgroups)}:
            name = naming.cgroup(above)
            whole.setdefault(name.key, Sums(name)).add_all(one)
    return dict(sorted({**sums, **whole}.items(), key=lambda one: (one[1].name.name, one[0].name)))
