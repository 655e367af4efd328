"""One module for each kernel file: ``parse_x(bytes) -> value``, without I/O.

Kernel pages and ``kB`` (which means KiB) are converted to bytes here, so no other package multiplies.
"""
