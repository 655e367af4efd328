"""``python -m tests.screenshots [NAME...]`` draws screenshots/*.svg; ``--record`` makes the recordings again."""

from __future__ import annotations

import argparse
import asyncio
from typing import Final

from tests.screenshots.record import ROOT, record, record_all
from tests.screenshots.still import Still, picture

API_SERVER: Final = 4211
QUEUE_WORKER: Final = 4248
ORDERS_API: Final = 4211
NEAR: Final = 280
"""Samples of the incident's recording after which the limit is near."""
DEMO: Final = 6131
ALIVE: Final = 130
"""Samples of the server's recording after which every process still lives."""

STILLS: Final = (
    Still("all", "server", samples=ALIVE, focus=QUEUE_WORKER),
    Still("all-80x24", "server", (80, 24), ALIVE, focus=QUEUE_WORKER),
    Still("all-200x60", "server", (200, 60), ALIVE, focus=QUEUE_WORKER),
    Still("one", "server", samples=ALIVE, pid=API_SERVER),
    Still("one-80x24", "server", (80, 24), ALIVE, API_SERVER),
    Still("headline", "incident", samples=NEAR, focus=ORDERS_API),
    Still("leak", "incident", samples=NEAR, pid=ORDERS_API, keys=("3",)),
    Still("gone", "incident", pid=ORDERS_API),
    Still("machine", "server", samples=ALIVE, keys=("6",), focus=QUEUE_WORKER),
    Still("looking-back", "server", samples=ALIVE, pid=QUEUE_WORKER, keys=("left_square_bracket",) * 4),
    Still("demo", "demo", pid=DEMO),
    Still("demo-80x24", "demo", (80, 24), pid=DEMO),
    Still("demo-200x60", "demo", (200, 60), pid=DEMO),
    Still("filter", "server", (100, 30), ALIVE, keys=("slash", *"rss>40m user=www-data")),
    Still("help", "server", samples=ALIVE, keys=("question_mark",)),
    Still("explain", "server", samples=ALIVE, pid=API_SERVER, keys=("e",)),
    Still("columns", "server", (100, 30), ALIVE, keys=("c",)),
    Still("tiny-30x6", "server", (30, 6), ALIVE, API_SERVER),
    Still("ascii", "server", samples=ALIVE, settings={"ascii": True}, focus=QUEUE_WORKER),
)


def main() -> None:
    """Do what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these pictures")
    parser.add_argument("--record", action="store_true", help="make the recordings anew (needs root)")
    parser.add_argument("--record-inside", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.record_inside:
        record(options.record_inside)
        return
    if options.record:
        record_all()
    folder = ROOT / "screenshots"
    folder.mkdir(exist_ok=True)
    for still in STILLS:
        if not options.names or still.name in options.names:
            (folder / f"{still.name}.svg").write_text(asyncio.run(picture(still)), encoding="utf-8")
            print(folder / f"{still.name}.svg")


if __name__ == "__main__":
    main()
