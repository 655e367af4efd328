"""The texts: one Markdown file for each topic, filled in with a process's own numbers.

A topic file starts with ``# Title`` and a line ``> one-sentence summary``; then the body in Markdown.
``{name}`` is replaced by a fact; a paragraph or list item that names a fact which is unknown is left out.
Links to other topics are written ``[text](topic:name)``. The contents, in the order of the course, stand in
``contents.toml``: parts, each with a title and its topics.
"""
