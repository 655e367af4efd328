"""Output without a screen: frames as records (NDJSON, CSV, text), ``memtop --check``, ``memtop regions``."""

import time
from typing import Any


def iso(wall_s: float) -> str:
    """Format seconds since the epoch as ISO 8601 in UTC, with milliseconds."""
    whole_s, ms = divmod(round(wall_s * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole_s))}.{ms:03}Z"


def rounded(value: Any) -> Any:
    """A value; a number with a fraction to three digits behind the point."""
    return round(value, 3) if isinstance(value, float) else value
