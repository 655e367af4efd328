"""The entry point: ``memtop`` and ``python -m memtop``."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line and end with its exit code."""
    gc.disable()  # what is made while starting is no garbage; whoever stays for long turns it on again
    from memtop.guard import make_first_victim  # noqa: PLC0415 (nothing else may be imported before it has acted)

    if "--keep-oom-score" not in sys.argv:
        make_first_victim()
    from memtop.cli import run  # noqa: PLC0415

    try:
        sys.exit(run(sys.argv[1:]))
    finally:
        gc.freeze()  # or else Python looks through all that there is for garbage when it ends, three times


if __name__ == "__main__":
    main()
