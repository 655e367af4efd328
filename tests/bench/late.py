"""How far from their plan samples are taken, read off memtop's own time stamps."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime
from itertools import pairwise

from tests.bench.contestants import MEMTOP, command


def lateness(pid: int, samples: int, delay_s: float) -> list[float]:
    """Seconds by which each interval between two samples of a headless run misses the delay asked for."""
    words = command((MEMTOP, "--json", "-n", str(samples), "-d", str(delay_s), str(pid)))
    output = subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout
    at_s = [datetime.fromisoformat(json.loads(line)["at"]).timestamp() for line in output.splitlines()]
    return [abs(later - earlier - delay_s) for earlier, later in pairwise(at_s)]
