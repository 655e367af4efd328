"""Makes untrusted bytes safe to display by escaping control and invisible characters (secrets: redaction).

Names, command lines, paths and error messages come from processes that may be hostile. The result of :func:`clean`
contains only plain visible characters: no control byte, no bidirectional override, no invisible character.
"""

from __future__ import annotations

_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me", "Mc")
"""General categories that draw nothing, or draw over their neighbor."""
_WIDTHLESS = ("\u115f-\u11ff", "\u3164-\u3164", "\ud7b0-\ud7ff", "\uffa0-\uffa0", "\U0001f3fb-\U0001f3ff")
"""Letters and signs without a cell of their own: Hangul fillers and parts of syllables, skin tones."""
_BLANK_BRAILLE = "\u2800"


def _visible(character: str) -> str:
    """One character as visible text without side effects."""
    code = ord(character)
    if 0x20 <= code < 0x7F:
        return character
    if code < 0x20:
        return "^" + chr(code + 0x40)
    if code == 0x7F:
        return "^?"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"  # an undecodable byte, as surrogateescape encodes it
    if code < 0xA0:
        return f"\\x{code:02x}"
    from unicodedata import category  # noqa: PLC0415 (0.3 ms; names are rarely beyond ASCII)

    kind = category(character)
    if kind in _HIDDEN or any(span[0] <= character <= span[-1] for span in _WIDTHLESS):
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    if kind == "Zs" or character == _BLANK_BRAILLE:
        return " "
    return character


def clean(raw: bytes | str) -> str:
    """``raw`` as visible text: ``^[`` for ESC, ``\\x9b`` for C1 and undecodable bytes, ``\\u202e`` for what hides."""
    text = raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else raw
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))
