"""Sentences about the names on the command line: which processes each stands for."""

from __future__ import annotations

import os
from collections.abc import Iterable

from memtop.model.name_choice import NameChoice
from memtop.sanitize import clean
from memtop.units import counted


def choice_sentences(choices: Iterable[NameChoice]) -> list[str]:
    """One line for each name for which there was a choice, or which nothing has; nothing for a name that is that of
    all who contain it."""
    return [text for one in choices if (text := _sentence(one))]


def _sentence(one: NameChoice) -> str:
    name = clean(one.name)
    if not one.exact and not one.processes:
        return f"{name}: no process has a name that contains it"
    if not one.processes:
        return ""
    names = ", ".join(map(clean, one.containing))
    if one.exact:
        chosen = f"{counted(one.exact, 'process')} of exactly that name"
        contain = "contains" if one.processes == 1 else "contain"
        return f"{name}: {chosen}; {one.processes} more {contain} it ({names}): -f '{name}' lists them too"
    if all(os.path.splitext(known)[0] == one.name for known in one.containing):
        return ""  # a script or an archive is called by its name without what follows the dot
    return f"{name}: no process has exactly that name; chosen: those whose name contains it ({names})"
