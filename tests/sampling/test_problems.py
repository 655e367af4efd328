"""Problems that are said once."""

from __future__ import annotations

from memtop.sampling.problems import announcer


def test_a_problem_is_said_once_however_its_counts_change_and_again_when_it_comes_back() -> None:
    said: list[str] = []
    announce = announcer(said.append)
    paused = "recording paused: the disk does not answer ({} kept in memory, {} dropped)"
    broken = "proc/vmstat: no number"
    announce([paused.format("1 sample", 0), broken])
    announce([paused.format("2 samples", 0), f"{broken} (2 times)"])
    announce([paused.format("41 samples", "1,203"), f"{broken} (3 times)"])
    assert said == [paused.format("1 sample", 0), broken]
    announce([f"{broken} (4 times)", "1 sample is missing from the recording"])
    announce([f"{broken} (5 times)", "2 samples are missing from the recording"])
    assert said[2:] == ["1 sample is missing from the recording"]
    announce([paused.format("3 samples", 2)])
    assert said[3:] == [paused.format("3 samples", 2)]
