"""What is worth a sentence, as a table of data: a condition on facts, how bad it is, and the topic that explains it.

No text for people is in here: the sentences stand in ``memtop/explain/findings.toml`` under the same names. Facts are
numbers whose unit is the end of their name (``_bytes``, ``_bytes_per_s``, ``_per_s``, ``_percent``, ``_s``), or names.

A :class:`Case` is all that is known; the rules stand by subject in ``limits``, ``growth``, ``faults``, ``runtimes``
and ``oddities``, and together in ``table``; a :class:`Board` keeps what they find from flickering.
"""

from memtop.analysis.findings.board import LOOKS, Board, post
from memtop.analysis.findings.case import Case
from memtop.analysis.findings.rule import Finding, Severity
from memtop.analysis.findings.table import RULES, find

__all__ = ["LOOKS", "RULES", "Board", "Case", "Finding", "Severity", "find", "post"]
