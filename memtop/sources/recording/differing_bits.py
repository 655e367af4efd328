"""The bits in which two texts of the same length differ: most of them are 0 where little has changed."""

from __future__ import annotations


def differing_bits(one: bytes, other: bytes) -> bytes:
    """The bits that differ. With them each text gives the other one."""
    return (int.from_bytes(one, "little") ^ int.from_bytes(other, "little")).to_bytes(len(one), "little")
