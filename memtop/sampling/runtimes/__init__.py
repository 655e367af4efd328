"""Readings of runtimes: of which processes, how often, and what has come. No runtime is known by name here."""
