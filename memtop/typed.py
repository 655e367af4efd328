"""Names of :mod:`typing` for the modules of a one-shot run, which should not have to import it.

A type checker sees typing's own names. A running program has a NamedTuple without the checks that only a person who
writes one needs, and nothing behind the names that stand in annotations alone; so whoever uses those begins with
``from __future__ import annotations``. It saves a sixth of the time that one JSON sample takes.
"""

__all__ = ("TYPE_CHECKING", "Any", "Final", "NamedTuple", "Protocol", "TextIO")

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, Final, NamedTuple, Protocol, TextIO
else:
    from collections import namedtuple

    Any = Final = Protocol = TextIO = object

    class _Fields(type):
        """Makes of annotated names what collections.namedtuple makes of a list of names."""

        def __new__(cls, name, bases, body):
            if not bases:
                return super().__new__(cls, name, bases, body)
            fields = body["__annotations__"]
            defaults = [body.pop(field) for field in fields if field in body]
            made = namedtuple(name, fields, defaults=defaults, module=body["__module__"])
            for attribute, value in body.items():
                setattr(made, attribute, value)
            return made

    class NamedTuple(metaclass=_Fields):
        """See typing.NamedTuple."""
