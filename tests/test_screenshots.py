"""The pictures of the README: the same recording gives the same picture, which asks nothing of the web."""

from __future__ import annotations

import re

import pytest

from tests.screenshots.__main__ import STILLS
from tests.screenshots.still import Still, picture, played
from tests.tui.conftest import memory_stays_as_it_is, pilots_wait_until_idle, screens_cost_little  # noqa: F401 (for all tests here)

BY_NAME = {still.name: still for still in STILLS}


def words(svg: str) -> str:
    """What can be read in it."""
    return " ".join(re.findall(r">([^<>]+)</text>", svg)).replace("&#160;", " ").replace("&gt;", ">")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("all", ["web-7", "queue-worker", "What is going on", "VIRT", "TREND", "? Help"]),
        ("one", ["VIRT and RES each on its own scale", "is no danger in itself"]),
        ("demo", ["4/7  Write every page", "Watch:"]),
        ("gone", ["gone since", "OOM-killed (certain)"]),
        ("help", ["Everywhere", "Sort by RES"]),
        ("tiny-30x6", ["VIRT", "RES"]),
    ],
)
async def test_a_picture_shows_its_state_and_needs_nothing_from_elsewhere(name: str, expected: list[str]) -> None:
    drawn = await picture(BY_NAME[name])
    assert [word for word in expected if word not in words(drawn)] == []
    assert "url(" not in drawn
    assert re.findall(r"https?://[^\"]+", drawn) == ["http://www.w3.org/2000/svg"]


async def test_the_same_recording_gives_the_same_picture() -> None:
    still: Still = BY_NAME["tiny-30x6"]
    first = await picture(still)
    played.cache_clear()
    assert await picture(still) == first
