"""Next steps for one program: the command of its own runtime or allocator, with its numbers filled in.

The table is ``next_steps.toml``. Findings whose step does not depend on the program have theirs in ``findings.toml``.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final, NamedTuple

from memtop.explain.package_files import tables_of
from memtop.runtimes.view import ToolTarget

_BASE: Final = re.compile(r"https?://[^/?#]+")


class NextStep(NamedTuple):
    """What to do about a finding."""

    says: str
    """One or two sentences; with a command, they begin after it."""
    command: str = ""
    """The command to run, with the program's own numbers; empty if there is none."""
    topic: str = ""
    """The topic that explains more; empty for that of the finding."""

    @property
    def text(self) -> str:
        """Command and sentences in one line."""
        return f"{self.command}: {self.says}" if self.command else self.says


@cache
def step_entries() -> list[dict[str, Any]]:
    """The entries of ``next_steps.toml``, in order."""
    entries: list[dict[str, Any]] = tables_of("next_steps.toml")["step"]
    return entries


def next_step(finding_name: str, target: ToolTarget | None) -> NextStep | None:
    """The first step of the table that fits the finding and the program; None if none does.

    ``target`` is None while the program's runtime is not known.
    """
    if target is None:
        return None
    for entry in step_entries():
        if finding_name in entry["findings"] and (places := _places(entry, target)) is not None:
            return NextStep(entry["says"], entry.get("command", "").format_map(places).strip(), entry["topic"])
    return None


def _places(entry: dict[str, Any], target: ToolTarget) -> dict[str, str] | None:
    """The values of the placeholders of an entry; None if it does not fit the program."""
    places = {"pid": str(target.pid)}
    if "program" in entry:
        match = re.match(entry["program"], target.command)
        if match is None:
            return None
        places |= match.groupdict()
    elif "runtime" in entry and target.runtime != entry["runtime"]:
        return None
    if "allocators" in entry and target.allocator not in entry["allocators"]:
        return None
    if "since" in entry and _numbers(target.version) < _numbers(entry["since"]):
        return None
    if "option" in entry:
        found = next((match for one in target.arguments if (match := re.fullmatch(entry["option"], one))), None)
        if found is None:
            return None
        places |= found.groupdict()
    if entry.get("address"):
        base = _BASE.match(target.address)
        if base is None:
            return None
        places["base"] = base[0]
    return places


def _numbers(version: str | None) -> tuple[int, ...]:
    """A version as numbers to compare; empty if it is not known."""
    return tuple(int(number) for number in (version or "").split(".") if number.isdecimal())
