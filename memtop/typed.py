"""Names of :mod:`typing` for the modules of a one-shot run, which should not have to import it.

A type checker sees typing's own names. A running program has nothing behind those that stand in annotations alone, so
whoever uses them begins with ``from __future__ import annotations``; and it has a NamedTuple that is quickly made. Of
the time that one JSON sample takes, typing was a sixth and the constructors of forty classes another tenth.
"""

__all__ = ("TYPE_CHECKING", "Any", "Final", "NamedTuple", "Protocol", "TextIO")

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, Final, NamedTuple, Protocol, TextIO
else:
    from collections import namedtuple

    Any = Final = Protocol = TextIO = object
    _Field = type(namedtuple("_", "field").field)
    """Reads a place of a tuple, in C."""

    class _Fields(type):
        """Makes the annotated names of a class the fields of a tuple, in order."""

        def __new__(cls, name, bases, body):
            fields = tuple(body.get("__annotations__", ()))
            defaults = {field: body[field] for field in fields if field in body}
            body |= {field: _Field(place, None) for place, field in enumerate(fields)}
            body |= {"__slots__": (), "_fields": fields, "_field_defaults": defaults, "__match_args__": fields}
            return super().__new__(cls, name, bases, body)

    class NamedTuple(tuple, metaclass=_Fields):
        """See typing.NamedTuple. All share one constructor, where collections.namedtuple compiles one for each."""

        def __new__(cls, *values, **named):
            fields = cls._fields
            if named or len(values) != len(fields):
                known = cls._field_defaults | named
                missing = fields[len(values) :]
                values += tuple([known[field] for field in missing if field in known])
                if len(values) != len(fields) or not named.keys() <= set(missing):
                    raise TypeError(f"{cls.__name__} has the fields {', '.join(fields)}")
            return tuple.__new__(cls, values)

        @classmethod
        def _make(cls, values):
            return cls(*values)

        def _replace(self, **changes):
            changed = tuple.__new__(type(self), map(changes.pop, self._fields, self))
            if changes:
                raise ValueError(f"{type(self).__name__} has no fields {', '.join(changes)}")
            return changed

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._asdict().items())})"

        def __getnewargs__(self):
            return tuple(self)
