"""The page to hand over: what happened to one process and its machine, as HTML or Markdown.

``facts`` makes a :class:`~memtop.report.facts.Report` of a frame, ``tables`` its tables, ``svg`` its chart, and
``page`` fills in templates.
"""
