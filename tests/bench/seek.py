"""How long a seek takes on the screen: ``python -m tests.bench.seek FILE [TIMES]``.

The recording is played in a terminal, paused. Times all over it, in no order, are typed after ``:``. A figure is the
time from Enter until the screen shows that instant: its clock, and processes with their RES, whichever of them the
table has in sight.
"""

from __future__ import annotations

import random
import re
import sys
import time
from statistics import median
from typing import Final

from memtop import units
from memtop.cli.composition import engine_on
from memtop.settings import Settings
from memtop.sources.recording.replay import Replay
from memtop.view_state import View
from tests.e2e.terminal import Terminal

MUST_MS: Final = 300.0
_POLL_S: Final = 0.005
_GIVE_UP_S: Final = 10.0


def main() -> int:
    """Measure and print; 1 where a seek takes too long."""
    path, times = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 24
    expected = _instants(path, times)
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
    lines = (line.split() for line in screen.splitlines())
    listed = [(words, sizes[words[0]]) for words in lines if words and words[0] in sizes]
    return bool(listed) and all(size in words for words, size in listed)


if __name__ == "__main__":
    sys.exit(main())
