"""Bounded history in memory of processes and of the machine; recordings are in :mod:`memtop.sources.recording`."""
