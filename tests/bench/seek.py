"""How long a seek takes, without a screen and on it: ``python -m tests.bench.seek [FILE] [TIMES]``.

Without FILE, an hour of 500 processes is made first, which takes some minutes. Without a screen, a player goes to times
all over the recording, in no order; the figure is the CPU time until it has the frame. On the screen, the recording is
played in a terminal, paused, and the times are typed after ``:``. A figure is the time from Enter until the screen
shows that instant: its clock, and processes with their RES, whichever of them the table has in sight.
"""

from __future__ import annotations

import os
import random
import re
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from memtop import units
from memtop.cli.composition import engine_on
from memtop.cli.playback import player_on
from memtop.settings import Settings
from memtop.sources.recording.replay import Replay
from memtop.view_state import View
from tests.bench import long_recording
from tests.e2e.terminal import Terminal

MUST_MS: Final = 300.0
_POLL_S: Final = 0.005
_GIVE_UP_S: Final = 10.0
_PIECE_S: Final = 0.03
"""How long a player works between two looks for something else to do."""
_FAST: Final = "/dev/shm"
"""Where an hour of commits does not wait for the disk."""


def main() -> int:
    """Measure and print; 1 where a seek takes too long."""
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 24
    if len(sys.argv) > 1:
        return _measured(sys.argv[1], times)
    with TemporaryDirectory(prefix="memtop-bench-", dir=_FAST if os.path.isdir(_FAST) else None) as folder:
        path = str(Path(folder) / "hour.memtop")
        long_recording.write(path, 3600, 500)
        return _measured(path, times)


def _measured(path: str, times: int) -> int:
    expected = _instants(path, times)
    without_ms = _without_a_screen(path, times)
    print(
        f"{times} seeks without a screen: median {median(without_ms):.0f} ms of CPU, longest {max(without_ms):.0f} ms",
        flush=True,
    )
    found_ms = []
    with Terminal("replay", path, size=(120, 40)) as terminal:
        terminal.wait_for(re.compile(r"\d\d:\d\d:\d\d"))
        terminal.send("Space")
        time.sleep(1.0)
        for clock, sizes in expected:
            terminal.send(":")
            terminal.wait_for("Go to a time")
            terminal.type(clock)
            time.sleep(0.3)
            began_s = time.monotonic()
            terminal.send("Enter")
            while not _shows(terminal.screen(), clock, sizes):
                if time.monotonic() > began_s + _GIVE_UP_S:
                    print(f"{clock} never came on this screen:\n{terminal.screen()}")
                    return 1
                time.sleep(_POLL_S)
            found_ms.append(1000 * (time.monotonic() - began_s))
            print(f"  {clock}  {found_ms[-1]:5.0f} ms", flush=True)
            time.sleep(3.0)  # until what precedes it was played as well: a quiet screen
        terminal.send("q")
    print(f"{len(found_ms)} seeks: median {median(found_ms):.0f} ms, longest {max(found_ms):.0f} ms ", end="")
    print(f"(must be {MUST_MS:g} or less)")
    return int(max(found_ms) > MUST_MS)


def _without_a_screen(path: str, times: int) -> list[float]:
    """CPU time of each seek, until the frame of its instant is there."""
    request = View.of(Settings()).request()
    replay = Replay(path)
    player = player_on(replay, "")
    player.step(request)
    first_s, last_s = player.span
    chance = random.Random(16)
    found_ms = []
    for part in chance.sample(range(times), times):
        player.go_to(first_s + (last_s - first_s) * part / max(1, times - 1))
        began_s, frame = time.thread_time(), None
        while frame is None:
            frame = player.work(request, time.monotonic() + _PIECE_S)
        found_ms.append(1000 * (time.thread_time() - began_s))
        while player.has_work:
            player.work(request)
    replay.close()
    return found_ms


def _instants(path: str, times: int) -> list[tuple[str, dict[str, str]]]:
    """Clock, and RES by PID, of instants all over the recording."""
    replay = Replay(path)
    total = replay.position()[1]
    chance = random.Random(16)
    found = []
    for part in chance.sample(range(times), times):
        source = replay.again()
        source.seek(max(0, (total - 1) * part // max(1, times - 1) - 1))
        frame = engine_on(source).step(View.of(Settings()).request())
        assert frame is not None
        clock = time.strftime("%H:%M:%S", time.localtime(frame.at_s))
        found.append((clock, {str(row.pid): units.size(row.rss_bytes) for row in frame.rows}))
    replay.close()
    return found


def _shows(screen: str, clock: str, sizes: dict[str, str]) -> bool:
    """Whether the table has rows of that instant, and none with another size."""
    if "Go to a time" in screen or clock not in screen:
        return False
    table = screen.partition(" PID ")[2]
    lines = (line.split() for line in table.splitlines())
    listed = [(words, sizes[words[0]]) for words in lines if words and words[0] in sizes]
    return bool(listed) and all(size in words for words, size in listed)


if __name__ == "__main__":
    sys.exit(main())
