"""The NamedTuple of a one-shot run: where memtop uses it, it does what typing's does."""

from __future__ import annotations

import copy
import typing
from typing import Any

import pytest

from memtop import typed


class Ours(typed.NamedTuple):
    """A point."""

    x: int
    y: int = 2
    z: str | None = None

    @property
    def sum(self) -> int:
        """Of both."""
        return self.x + self.y

    @classmethod
    def at(cls, x: int) -> Ours:
        """On a line."""
        return cls(x)


class Theirs(typing.NamedTuple):
    """A point."""

    x: int
    y: int = 2
    z: str | None = None


BOTH = [Ours, Theirs]


@pytest.mark.parametrize("kind", BOTH)
def test_fields_are_given_by_place_by_name_or_not_at_all(kind: Any) -> None:
    assert kind(1) == kind(x=1) == kind(1, 2) == kind(1, y=2, z=None) == (1, 2, None)
    assert kind(1, z="a")[2] == kind(z="a", x=1).z == "a"


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    ("places", "names"),
    [((), {}), ((), {"y": 2}), ((1, 2, "a", 4), {}), ((1,), {"x": 1}), ((1,), {"w": 1}), ((1, 2, "a"), {"x": 1})],
)
def test_fields_that_are_missing_doubled_or_unknown_are_refused(
    kind: Any, places: tuple[object, ...], names: dict[str, object]
) -> None:
    with pytest.raises(TypeError):
        kind(*places, **names)


@pytest.mark.parametrize("kind", BOTH)
def test_a_changed_copy_keeps_everything_else(kind: Any) -> None:
    assert kind(1, 5)._replace(x=3) == (3, 5, None)
    with pytest.raises(ValueError, match="w"):
        kind(1)._replace(w=1)


@pytest.mark.parametrize("kind", BOTH)
def test_it_is_a_tuple_with_names(kind: Any) -> None:
    one = kind(1)
    assert issubclass(kind, tuple)
    assert kind._fields == kind.__match_args__ == ("x", "y", "z")
    assert kind._field_defaults == {"y": 2, "z": None}
    assert one._asdict() == {"x": 1, "y": 2, "z": None}
    assert repr(one) == f"{kind.__name__}(x=1, y=2, z=None)"
    assert hash(one) == hash((1, 2, None))
    assert kind._make(iter((1, 2, None))) == one
    assert copy.deepcopy(one) == one
    assert type(copy.copy(one)) is kind
    assert kind.__doc__ == "A point."
    assert kind.__module__ == __name__
    with pytest.raises(AttributeError):
        one.x = 2
    with pytest.raises(AttributeError):
        one.w = 2


def test_methods_stay_what_they_are() -> None:
    assert Ours.at(3).sum == 5
