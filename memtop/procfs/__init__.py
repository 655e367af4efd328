"""One module for each kernel file: ``parse_x(bytes) -> value``, no I/O.

Kernel pages become bytes here and ``kB`` (which means KiB) too, so that no other room multiplies.
"""
