"""Loads topics by name, and the table of contents. A file is read when its topic is first requested."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Final, NamedTuple

from memtop.columns import BY_NAME
from memtop.errors import UsageError
from memtop.explain.package_files import tables_of, text_of
from memtop.sanitize import clean

LINK: Final = re.compile(r"\[([^\]]+)\]\(topic:([a-z0-9_]+)\)")
_FACT: Final = re.compile(r"\{([a-z0-9_]+)\}")
_MARKDOWN: Final = re.compile(r"([\\`*_\[\]<>&#|~])")
_LONGEST_NAME: Final = 20
"""A longer name of a program is not repeated in a command."""
_ITEM: Final = re.compile(r"^- ", re.M)


class Topic(NamedTuple):
    """One explanation, as in its file."""

    name: str
    """The name of the file, used in links and on the command line."""
    title: str
    summary: str
    """One sentence."""
    body: str
    """Markdown with ``{fact}`` placeholders, without title and summary."""

    def fill(self, facts: Mapping[str, str]) -> str:
        """The whole topic as Markdown: title, summary, body with ``facts`` in their places.

        Paragraphs and list items that name an unknown fact are left out. Links stay ``topic:`` links. Facts are data:
        the caller cleans them, and Markdown in them is shown literally.
        """
        blocks = (_filled(block, facts) for block in self.body.split("\n\n"))
        return "\n\n".join([f"# {self.title}", f"> {self.summary}", *filter(None, blocks)]) + "\n"

    @property
    def facts(self) -> frozenset[str]:
        """Names of the facts in its body."""
        return _facts_in(self.body)

    @property
    def links(self) -> tuple[str, ...]:
        """Names of the topics that its body links to, in order, each once."""
        return tuple(dict.fromkeys(name for _, name in LINK.findall(self.body)))


class CoursePart(NamedTuple):
    """One part of the course."""

    title: str
    says: str
    """One sentence about what it teaches."""
    topics: tuple[str, ...]


def _filled(block: str, facts: Mapping[str, str]) -> str:
    """A paragraph or a list with its facts, without unknown ones; empty if nothing is left."""
    pieces = [block] if not block.startswith("- ") else [f"- {item.strip()}" for item in _ITEM.split(block)[1:]]
    known = [piece for piece in pieces if all(name in facts for name in _FACT.findall(piece))]
    return "\n".join(_FACT.sub(lambda place: _MARKDOWN.sub(r"\\\1", facts[place[1]]), piece).strip() for piece in known)


@lru_cache(maxsize=8)
def _facts_in(body: str) -> frozenset[str]:
    return frozenset(_FACT.findall(body))


@cache
def parts() -> tuple[CoursePart, ...]:
    """The parts of the course, from contents.toml."""
    return tuple(
        CoursePart(part["title"], part["says"], tuple(part["topics"])) for part in tables_of("contents.toml")["part"]
    )


@cache
def _names() -> dict[str, str]:
    """Every name that users may type -> the topic's own name. Sources are topics, contents.toml and columns."""
    own = {name: name for part in parts() for name in part.topics}
    also: dict[str, list[str]] = tables_of("contents.toml")["also"]
    columns = {name: column.topic for name, column in BY_NAME.items()}
    return columns | {other: name for name, others in also.items() for other in others} | own


@cache
def _topic(name: str) -> Topic:
    title, summary, body = text_of(f"topics/{name}.md").split("\n\n", 2)
    return Topic(name, title.removeprefix("# "), summary.removeprefix("> "), body.strip())


def topic(name: str) -> Topic:
    """The topic called ``name``. ``RES``, ``MINFLT/s``, ``VmRSS`` and ``copy-on-write`` work too.

    Raises UsageError, which names the nearest topics, and the commands for a process.
    """
    asked = "_".join(name.casefold().replace("-", " ").split())
    own = _names().get(asked)
    if own is not None:
        return _topic(own)
    near = _near(asked)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise UsageError(f'no topic "{clean(name[:40])}": {hint}{_for_processes(name)}; "memtop explain" lists the topics')


def _near(asked: str) -> Sequence[str]:
    """At most three topics for an unknown name: those that have it as a word of their names, otherwise similar ones."""
    words = [name for name in _names() if asked and asked in name.split("_")]
    names = words or difflib.get_close_matches(asked, _names(), n=3, cutoff=0.6)
    return list(dict.fromkeys(_names()[name] for name in names))[:3]


def _for_processes(name: str) -> str:
    """The commands for processes, with the PID or the name of a program that was given instead of a topic."""
    given = name.strip()
    word = shlex.quote(clean(given)) if 0 < len(given) <= _LONGEST_NAME else "NAME"
    if given.isascii() and given.isdecimal():
        return f'"memtop {word}" watches that process, "memtop report {word}" writes a report'
    return f'"memtop {word}" watches that program, "memtop report PID" writes a report'


def topics() -> tuple[Topic, ...]:
    """All topics in the order of the course."""
    return tuple(_topic(name) for part in parts() for name in part.topics)


def following(name: str) -> Topic | None:
    """The next topic of the course; None after the last."""
    names = [each for part in parts() for each in part.topics]
    place = names.index(name) + 1
    return _topic(names[place]) if place < len(names) else None


def contents() -> str:
    """The course at a glance, as Markdown: numbered parts, and each topic's name with its summary."""
    blocks = [
        "# The memory of Linux processes, a short course",
        "Read it in order, or open the topic that you need: `memtop explain rss`. Inside memtop the same texts show "
        "the numbers of the process in focus.",
    ]
    for number, part in enumerate(parts(), 1):
        blocks += [f"## {number}. {part.title}", part.says]
        blocks.append("\n".join(f"- [{name}](topic:{name}): {_topic(name).summary}" for name in part.topics))
    return "\n\n".join(blocks) + "\n"
