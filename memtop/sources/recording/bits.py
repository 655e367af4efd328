"""Codes the answers of one file of many processes, each by the bits that differ from the last answer of that process.

Most of them are 0 then, which zlib packs fast and well. All answers of a batch are one number for Python, so that no
answer costs more than its place in some lists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from memtop.sources.recording.differing_bits import differing_bits
from memtop.sources.recording.format import decode_changes, encode_changes

KnownOf = Callable[[int], bytes | None]
"""The last answer of a process; None for none."""


def encode_bits(
    changes: Mapping[int, bytes | None], known: Sequence[bytes | None], *, is_fitted: bool = False
) -> bytes:
    """Encode answers by PID. One that is as long as the ``known`` one is coded by the bits that differ.

    With ``is_fitted`` so is every other one, by the known one cut to its length, or filled up with zeros: of a file
    whose numbers have places of their own, such as status, little moves then. Those that are coded come first, since
    bits cost more than to copy what is new: each process that begins has a whole status.
    """
    coded: dict[int, bytes | None] = {}
    plain: dict[int, bytes | None] = {}
    bases: list[bytes] = []
    for (pid, data), base in zip(changes.items(), known, strict=True):
        if data is not None and base is not None and (is_fitted or len(base) == len(data)):
            coded[pid] = data
            bases.append(base if len(base) == len(data) else _fitted(base, len(data)))
        else:
            plain[pid] = data
    bits = differing_bits(b"".join(filter(None, coded.values())), b"".join(bases)) if bases else b""
    return encode_changes(coded | plain, b"".join([bits, *filter(None, plain.values())]))


def decode_bits(coded: bytes, known_of: KnownOf, *, is_fitted: bool = False) -> dict[int, bytes | None]:
    """The inverse of :func:`encode_bits`. Raises struct.error or RecordingError."""
    found = decode_changes(coded)
    known = list(map(known_of, found))
    if not any(known):
        return found
    lengths = [0 if data is None else len(data) for data in found.values()]
    if is_fitted:
        known = [base and _fitted(base, length) for base, length in zip(known, lengths, strict=True)]
    payload = differing_bits(coded[len(coded) - sum(lengths) :], _bases(lengths, known))
    at = 0
    for (pid, data), length in zip(found.items(), lengths, strict=True):
        if data is not None:
            found[pid] = payload[at : at + length]
            at += length
    return found


def decode_bits_of(coded: bytes, known: bytes | None) -> bytes:
    """One answer, from what :func:`encode_bits` has coded of it."""
    return differing_bits(coded, known) if known is not None and len(known) == len(coded) else coded


def _fitted(base: bytes, length: int) -> bytes:
    """The base cut to a length, or filled up with zeros."""
    return base[:length].ljust(length, b"\0")


def _bases(lengths: Sequence[int], known: Sequence[bytes | None]) -> bytes:
    """The known answers, one after the other, with zeros in place of those of another length."""
    return b"".join(
        [
            base if base is not None and len(base) == length else bytes(length)
            for length, base in zip(lengths, known, strict=True)
        ]
    )
