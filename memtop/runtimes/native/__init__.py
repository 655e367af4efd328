"""Runtimes and allocators that report nothing: recognized by their files, explained by the kernel's figures."""
