"""Output without a screen: frames as records (NDJSON, CSV, text), ``memtop --check``, ``memtop regions``."""
