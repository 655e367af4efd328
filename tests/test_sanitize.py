"""The one gate: whatever comes out draws as plain visible characters, one cell or more each."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from memtop.sanitize import clean

BIDI = ("RLE", "LRE", "RLO", "LRO", "PDF", "RLI", "LRI", "FSI", "PDI", "BN")


def harmless(text: str) -> bool:
    return all(
        unicodedata.category(character)[0] != "C"
        and unicodedata.category(character) not in ("Zl", "Zp")
        and unicodedata.bidirectional(character) not in BIDI
        for character in text
    )


def test_every_code_point_comes_out_visible_and_harmless_and_takes_a_cell() -> None:
    shown: set[str] = set()
    for first in range(0, sys.maxunicode + 1, 4096):
        points = [chr(code) for code in range(first, first + 4096) if chr(code) != "|"]
        cleaned = clean("|".join(points)).split("|")
        assert len(cleaned) == len(points) and all(cleaned)
        shown.update(*cleaned)
    assert harmless("".join(shown))
    assert [hex(ord(character)) for character in shown if cell_len(character) < 1] == []


def test_no_pair_of_bytes_comes_out_as_anything_but_visible_text() -> None:
    pairs = {clean(bytes((first, second))) for first in range(256) for second in range(256)}
    assert harmless("".join(pairs))
    assert all("\n" not in pair and "\x1b" not in pair for pair in pairs)


@given(st.binary(max_size=64) | st.text(max_size=64))
def test_cleaning_again_changes_nothing(raw: bytes | str) -> None:
    assert clean(clean(raw)) == clean(raw)


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_bytes_and_text_are_cleaned_alike(text: str) -> None:
    assert clean(text.encode()) == clean(text)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"plain -x [red]*[/]", "plain -x [red]*[/]"),
        (b"\x1b[31mred\x07", "^[[31mred^G"),
        (b"a\nb\tc\x00d\x7f", "a^Jb^Ic^@d^?"),
        (b"\x9b2J", "\\x9b2J"),
        ("\x9b2J", "\\x9b2J"),
        (b"\xc3(", "\\xc3("),
        ("abc\u202ecod.exe", "abc\\u202ecod.exe"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("e\u0301", "e\\u0301"),
        ("\ue000\U0010ffff", "\\ue000\\U0010ffff"),
        ("a\u00a0b\u2003c\u2800d", "a b c d"),
        ("x\u3164y", "x\\u3164y"),
        ("größe 漢字", "größe 漢字"),
        ("\ud800", "\\ud800"),
        ("line\u2028sep", "line\\u2028sep"),
        (b"", ""),
    ],
)
def test_what_is_shown(raw: bytes | str, shown: str) -> None:
    assert clean(raw) == shown
