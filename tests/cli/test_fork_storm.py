"""A machine on which processes come and go by the hundred, as one does that hides among them."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.children import DEADLINE_S, python

STORM = """
import os, select
print(flush=True)
while not select.select([0], [], [], 0)[0]:
    for _ in range(40):
        if not os.fork():
            os._exit(0)
    for _ in range(40):
        os.wait()
"""
"""It ends with the test, whatever that dies of."""
SAMPLES = 15


def test_a_storm_of_forks_costs_no_sample_of_the_process_asked_for() -> None:
    command = [sys.executable, "-m", "memtop", "--json", "-n", str(SAMPLES), "-d", "0.1"]
    with python() as watched, python(STORM):
        both = [subprocess.Popen(words, stdout=subprocess.PIPE) for words in ([*command, str(watched.pid)], command)]
        outputs = [run.communicate(timeout=DEADLINE_S)[0] for run in both]
    assert [run.returncode for run in both] == [0, 0]
    for output in outputs:
        samples = [json.loads(line) for line in output.splitlines()]
        samples = [sample for sample in samples if sample["type"] == "sample"]
        assert len(samples) == SAMPLES
        assert all(watched.pid in [row["pid"] for row in sample["processes"]] for sample in samples)
        assert [sample["problems"] for sample in samples] == [[]] * SAMPLES
