"""VmFlags in words."""

from __future__ import annotations

import pytest

from memtop.analysis.memory_map.vm_flags import in_words
from tests.analysis.memory_map.smaps_files import PROGRAMS, real


def test_flags_are_words_and_unknown_ones_stay() -> None:
    assert in_words(frozenset(("zz", "nr", "rd", "??"))) == [
        "readable",
        "does not count toward Committed_AS",
        "??",
        "zz",
    ]


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_flag_of_real_programs_has_words(program: str) -> None:
    assert all(len(words) > 2 for flags in set(real(program).flags) for words in in_words(flags))
