"""Explanations: topics (Markdown with placeholders for a process's own numbers), and sentences about findings.

A topic file starts with ``# Title`` and a line ``> one-sentence summary``. The body is Markdown with paragraphs, ``-``
lists, ``**bold**`` and `` `code` `` only, so that a plain terminal can show it as well. ``{name}`` is replaced by a
fact. A paragraph or list item that names an unknown fact is left out. Links to other topics are written
``[text](topic:name)``. ``contents.toml`` has the contents in the order of the course: parts, each with a title and its
topics, and the other names under which a topic is found.

:mod:`memtop.explain.placeholders` makes the facts of a process; :mod:`memtop.explain.command` is the command.
"""
