"""The one gate through which foreign bytes become text.

Names, command lines, paths and error messages come from processes that may be hostile. Whatever leaves
:func:`clean` draws as plain visible characters: no control byte, no bidirectional override, nothing invisible.
"""

from __future__ import annotations

import re
import unicodedata

_PLAIN = re.compile(r"[\x20-\x7e]*\Z")
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me", "Mc")
"""General categories that draw nothing, or draw upon their neighbour."""
_WIDTHLESS = re.compile("[\u115f-\u11ff\u3164\ud7b0-\ud7ff\uffa0\U0001f3fb-\U0001f3ff]")
"""Letters and signs that take no cell of their own: Hangul fillers and parts of syllables, skin tones."""
_BLANK_BRAILLE = "\u2800"


def _visible(character: str) -> str:
    """One character as something that can be seen and does nothing."""
    code = ord(character)
    if 0x20 <= code < 0x7F:
        return character
    if code < 0x20:
        return "^" + chr(code + 0x40)
    if code == 0x7F:
        return "^?"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"  # an undecodable byte, as surrogateescape left it
    if code < 0xA0:
        return f"\\x{code:02x}"
    category = unicodedata.category(character)
    if category in _HIDDEN or _WIDTHLESS.match(character):
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    if category == "Zs" or character == _BLANK_BRAILLE:
        return " "
    return character


def clean(raw: bytes | str) -> str:
    """``raw`` as visible text: ``^[`` for ESC, ``\\x9b`` for C1 and undecodable bytes, ``\\u202e`` for what hides."""
    text = raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else raw
    if _PLAIN.match(text):
        return text
    return "".join(map(_visible, text))
