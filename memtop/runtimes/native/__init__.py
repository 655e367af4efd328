"""Runtimes and allocators without metrics: recognized by their files, explained by the kernel's figures."""
