"""Runtimes and allocators without metrics: detected by their files, explained by the kernel's figures."""
