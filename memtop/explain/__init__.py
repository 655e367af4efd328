"""Explanations: topics (Markdown with placeholders for a process's own numbers), sentences about findings.

A topic file starts with ``# Title`` and a line ``> one-sentence summary``; then the body in Markdown: paragraphs and
``-`` lists, ``**bold**`` and `` `code` ``, nothing else, so that a plain terminal can show it as well.
``{name}`` is replaced by a fact; a paragraph or list item that names a fact which is unknown is left out.
Links to other topics are written ``[text](topic:name)``. The contents, in the order of the course, stand in
``contents.toml``: parts, each with a title and its topics, and the other names under which a topic is found.

The facts of a process are made in :mod:`memtop.explain.placeholders`, the command is :mod:`memtop.explain.command`.
"""

from memtop.explain.plain_text import plain
from memtop.explain.topic_loader import Topic, contents, topic, topics

__all__ = ["Topic", "contents", "plain", "topic", "topics"]
