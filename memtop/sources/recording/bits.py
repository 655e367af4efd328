"""Codes the answers of one file of many processes, each by the bits that differ from the last answer of that process.

Most of them are 0 then, which zlib packs fast and well. All answers of a batch are one number for Python, so that no
answer costs more than its place in some lists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from memtop.sources.recording.format import decode_changes, encode_changes

KnownOf = Callable[[int], bytes | None]
"""The last answer of a process; None for none."""


def encode_bits(changes: Mapping[int, bytes | None], known: Sequence[bytes | None]) -> bytes:
    """Encode answers by PID. One that is as long as the ``known`` one is coded by the bits that differ.

    These come first, since bits cost more than to copy what is new: each process that begins has a whole status.
    """
    coded: dict[int, bytes | None] = {}
    plain: dict[int, bytes | None] = {}
    bases: list[bytes] = []
    for (pid, data), base in zip(changes.items(), known, strict=True):
        if data is not None and base is not None and len(base) == len(data):
            coded[pid] = data
            bases.append(base)
        else:
            plain[pid] = data
    bits = _xor(b"".join(filter(None, coded.values())), b"".join(bases)) if bases else b""
    return encode_changes(coded | plain, b"".join([bits, *filter(None, plain.values())]))


def decode_bits(coded: bytes, known_of: KnownOf) -> dict[int, bytes | None]:
    """The inverse of :func:`encode_bits`. Raises struct.error or RecordingError."""
    found = decode_changes(coded)
    known = list(map(known_of, found))
    if not any(known):
        return found
    lengths = [0 if data is None else len(data) for data in found.values()]
    payload = _xor(coded[len(coded) - sum(lengths) :], _bases(lengths, known))
    at = 0
    for (pid, data), length in zip(found.items(), lengths, strict=True):
        if data is not None:
            found[pid] = payload[at : at + length]
            at += length
    return found


def decode_bits_of(coded: bytes, known: bytes | None) -> bytes:
    """One answer, from what :func:`encode_bits` has coded of it."""
    return _xor(coded, known) if known is not None and len(known) == len(coded) else coded


def _bases(lengths: Sequence[int], known: Sequence[bytes | None]) -> bytes:
    """The known answers, one after the other, with zeros in place of those of another length."""
    return b"".join(
        [
            base if base is not None and len(base) == length else bytes(length)
            for length, base in zip(lengths, known, strict=True)
        ]
    )


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "little") ^ int.from_bytes(other, "little")).to_bytes(len(one), "little")
