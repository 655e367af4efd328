"""memtop: a live terminal dashboard for the memory of Linux processes."""

__version__ = "0.1.0"
