"""How often a forecast's range holds the end: ``python -m tests.lab.forecasts [RUNS_EACH] [--real [RUNS_EACH]]``.

Simulated runs first, of kinds that the factors of the forecast were not drawn from (another seed). With ``--real``
programs run into memory cgroups of version 1 of 48 to 128 MiB below this process's own, with and without page cache in
them; ten samples a second are taken for ten seconds, so that a run of half a minute has the points of five minutes.
"""

from __future__ import annotations

import sys

from tests.lab.forecast_looks import HEADING, Score, overall, scores
from tests.lab.forecast_real import real_runs
from tests.lab.forecast_runs import simulated_runs

SEED = 2


def _print(found: dict[str, Score]) -> None:
    print(HEADING)
    for name, score in found.items():
        print(score.line(name))
    print(f"{'every kind alike':48} {100 * overall(found):6.1f}", flush=True)


def main() -> int:
    """Print both tables."""
    arguments = sys.argv[1:]
    numbers = [int(one) for one in arguments if one.isdigit()] or [20]
    print("Simulated")
    _print(scores(simulated_runs(SEED, numbers[0])))
    if "--real" in arguments:
        print("Real")
        _print(scores(real_runs(numbers[-1] if len(numbers) > 1 else 4)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
