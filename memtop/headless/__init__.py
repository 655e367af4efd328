"""The views without a screen: frames as records, ``memtop --check``, ``memtop regions``."""
