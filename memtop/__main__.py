"""The entry point: ``memtop`` and ``python -m memtop``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and end with its exit code."""
    from memtop.guard import make_first_victim  # noqa: PLC0415 (nothing else may be imported before it has acted)

    if "--keep-oom-score" not in sys.argv:
        make_first_victim()
    from memtop.cli import run  # noqa: PLC0415

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
