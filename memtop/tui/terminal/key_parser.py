"""Keys, mouse and pastes from what a terminal sends, whatever it sends: Textual's parser behind bounds of our own.

What is mended, all seen with Textual 8.2.8:

- a bracketed paste that never ends, because its end was lost: Textual takes every later key for a part of it;
- a paste whose start comes in two pieces: Textual takes the first one for a lone escape, and the paste for keys;
- a paste with escape sequences in it: Textual gives what it does not know of them to the application as keys;
- sequences with numbers out of range: Textual's parser raises ValueError or OverflowError, and cannot be used again;
- a size that is not the terminal's: Textual computes the place of every later click from it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Final

from textual._xterm_parser import BRACKETED_PASTE_END as END
from textual._xterm_parser import BRACKETED_PASTE_START as START
from textual._xterm_parser import XTermParser
from textual.events import Resize
from textual.message import Message

PASTE_LIMIT: Final = 4096
"""Characters of a paste; the rest is left out. There is no longer line to type in memtop."""
PASTE_QUIET_S: Final = 0.5
"""A paste of which nothing more has come for so long is over. One whose start has come in part begins until then."""
SURE_START: Final = START[:3]
"""Too much of it to be typed by hand, so that the rest may be waited for."""
PASTE_LIMIT_S: Final = 3.0
"""So is one that has lasted so long; a person may be typing into it."""
Scale = tuple[tuple[int, int] | None, tuple[int, int] | None, bool]
"""What the parser computes the places of clicks from: the terminal's size in cells and in pixels, whether in pixels."""
_SEQUENCES: Final = re.compile("(?=\x1b)")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class PasteBounds:
    """Passes text on to the parser, and closes and cuts pastes so that they are bounded in time and length."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pasting = False
        self._began_s = 0.0
        self._heard_s = 0.0
        self._room = 0
        self._tail = ""
        """The last characters outside a paste: they may be the first ones of its start."""
        self._held = ""
        """The last characters of a paste: they may be the first ones of its end."""
        self._rest = ""
        """What follows the start or the end of a paste, while text is being fed."""

    def feed(self, text: str) -> str:
        """What the parser is to be given for ``text``."""
        out = self.overdue()
        while text:
            out += self._within(text) if self._pasting else self._outside(text)
            text = self._rest
        return out

    def overdue(self) -> str:
        """What the parser is to be given because time has passed; mostly nothing."""
        now_s = self._clock()
        if self._pasting and (now_s - self._heard_s >= PASTE_QUIET_S or now_s - self._began_s >= PASTE_LIMIT_S):
            self._pasting = False
            return self._cut(self._held) + END
        return ""

    @property
    def begins(self) -> bool:
        """Whether a part of the start of a paste has come, and the rest may still come."""
        begun = any(self._tail.endswith(START[:length]) for length in range(len(SURE_START), len(START)))
        return begun and self._clock() - self._heard_s < PASTE_QUIET_S

    def give_up_start(self) -> None:
        """What has come so far is no start of a paste: the parser has taken it for keys."""
        self._tail = ""

    def _outside(self, text: str) -> str:
        known = self._tail + text
        self._heard_s = self._clock()
        at = known.find(START)
        if at < 0:
            self._tail, self._rest = known[1 - len(START) :], ""
            return text
        end = at + len(START) - len(self._tail)
        self._tail, self._held, self._rest = "", "", text[end:]
        self._pasting, self._room = True, PASTE_LIMIT
        self._began_s = self._heard_s = self._clock()
        return text[:end]

    def _within(self, text: str) -> str:
        known = self._held + text
        self._heard_s = self._clock()
        at = known.find(END)
        if at < 0:
            self._held, self._rest = known[1 - len(END) :], ""
            return self._cut(known[: 1 - len(END)])
        self._pasting, self._rest = False, known[at + len(END) :]
        return self._cut(known[:at]) + END

    def _cut(self, text: str) -> str:
        taken = _CONTROLS.sub("", text)[: self._room]
        self._room -= len(taken)
        return taken


class KeyParser:
    """Turns text from the terminal into messages; never raises.

    ``accepts`` says whether a size is the terminal's. Others are left out, and those with less than a pixel for a cell.
    """

    def __init__(self, accepts: Callable[[Resize], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._accepts = accepts
        self._clock = clock
        self._known: Scale = (None, None, False)
        self._bounds = PasteBounds(self._clock)
        self._parser = XTermParser()

    def feed(self, text: str) -> Iterator[Message]:
        """The messages that ``text`` completes."""
        return self._parse(self._bounds.feed(text))

    def tick(self) -> Iterator[Message]:
        """The messages that the passing of time completes: a lone escape, a paste without an end."""
        yield from self._parse(self._bounds.overdue())
        if not self._bounds.begins:
            for message in self._guarded(iter(self._parser.tick())):
                self._bounds.give_up_start()
                yield message

    def _parse(self, text: str) -> Iterator[Message]:
        """Parse one sequence after the other, so that one that Textual's parser does not survive costs only itself."""
        for piece in _SEQUENCES.split(text):
            if piece:  # nothing would end the parser
                yield from self._guarded(iter(self._parser.feed(piece)))

    def _guarded(self, messages: Iterator[Message]) -> Iterator[Message]:
        try:
            for message in messages:
                if not isinstance(message, Resize):
                    yield message
                elif self._plausible(message):
                    self._known = (
                        self._parser.terminal_size,
                        self._parser.terminal_pixel_size,
                        self._parser.mouse_pixels,
                    )
                    yield message
                else:
                    self._restore_scale()
        except (ValueError, ArithmeticError, LookupError):  # a number out of range; what came with it is left out
            self._parser = XTermParser()
            self._restore_scale()

    def _plausible(self, report: Resize) -> bool:
        pixels = report.pixel_size
        sensible = pixels is None or (pixels.width >= report.size.width and pixels.height >= report.size.height)
        return bool(report.size) and sensible and self._accepts(report)

    def _restore_scale(self) -> None:
        self._parser.terminal_size, self._parser.terminal_pixel_size, self._parser.mouse_pixels = self._known
