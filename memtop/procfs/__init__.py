"""Parsers of kernel files: ``parse_x(bytes) -> value``, without I/O, one module for each file.

Kernel pages and ``kB`` (which means KiB) are converted to bytes here, so no other package multiplies.
"""
