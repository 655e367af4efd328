"""Entry point of ``memtop`` and ``python -m memtop``."""

from __future__ import annotations

import gc
import os
import sys


def _run() -> int:
    """The exit code. What runs out while memtop is being imported is said in a sentence, too."""
    try:
        from memtop.cli import run  # noqa: PLC0415 (so that what runs out meanwhile is said)
    except (MemoryError, OSError, ImportError) as error:
        from memtop.errors import starved  # noqa: PLC0415 (as above)

        if reason := starved(error):
            print(f"memtop: {reason}", file=sys.stderr)
            return 2
        raise
    return run(sys.argv[1:])


def main() -> None:
    """Run the command line and end with its exit code.

    Python's own end is left out. It waits for locks and threads, and searches for garbage: with too little memory it
    hung, or the C library aborted it. All that has to be closed is closed by then.
    """
    gc.disable()  # The objects made during start-up are no garbage. A run that lasts turns the collector on again.
    from memtop.preflight import drop_unwritten_messages, fill_closed_streams, make_first_victim  # noqa: PLC0415 (nothing else before they have acted)

    if not fill_closed_streams():
        print("memtop: standard output is closed; use > /dev/null to discard the output", file=sys.stderr, flush=True)
        os._exit(2)
    if "--keep-oom-score" not in sys.argv:
        make_first_victim()
    try:
        code = _run()
    except SystemExit as end:  # a signal
        code = end.code if isinstance(end.code, int) else 0
    drop_unwritten_messages()
    os._exit(code)


if __name__ == "__main__":
    main()
