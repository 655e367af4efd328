"""Fills the templates: one self-contained HTML page, or Markdown for a ticket. Every text is escaped.

Jinja2 escapes what is put into HTML by itself, so that no name of a process can become markup: that is the reason for
the dependency.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from memtop.errors import UsageError
from memtop.report.facts import Report
from memtop.report.svg import chart

if TYPE_CHECKING:
    from jinja2 import Environment

_SPECIAL: Final = re.compile(
    r"([\\`*_\[\]<>#|~$@&]"  # code, emphasis, links, HTML, cells, formulas, references to people and issues
    r"|:(?=//|[a-z+-][\w+-]*:)"  # addresses that become links, and :names: that become pictures
    r"|(?<=www)\."
    r"|^[-+=](?=[\s=-]|$))",  # lists and headings
    re.IGNORECASE,
)
_NUMBERED: Final = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
"""What would be markup where a text of a process stands: in a paragraph, an item of a list, or a cell. Nothing else
gets a backslash, since tickets show it where they know no Markdown."""


def as_html(report: Report) -> str:
    """The page. Raises UsageError where Jinja2 is not installed."""
    environment = environment_of_templates()
    from markupsafe import Markup, escape  # noqa: PLC0415 (0.7 ms; comes with Jinja2, which is optional)

    svg = Markup(chart(report, lambda text: str(escape(text))))
    return environment.get_template("page.html").render(report=report, chart=svg)


def as_markdown(report: Report) -> str:
    """The same without the chart, for a ticket. Raises UsageError where Jinja2 is not installed."""
    return environment_of_templates().get_template("page.md").render(report=report)


def markdown_text(text: str) -> str:
    """Text in which nothing is markup: what would be gets a backslash, and it stays on one line."""
    return _NUMBERED.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", " ".join(text.split())))


def environment_of_templates() -> Environment:
    """What fills the templates. Raises UsageError where Jinja2 is not installed."""
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape  # noqa: PLC0415 (30 ms; optional)
    except ModuleNotFoundError:
        raise UsageError("a report needs Jinja2: pip install 'memtop-tui[report]'") from None
    environment = Environment(
        loader=PackageLoader("memtop.report"),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["md"] = markdown_text
    return environment
