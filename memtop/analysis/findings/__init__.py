"""Findings about a process, as a table of rules. Each has a condition on facts, a severity and a topic.

This package contains no sentences: they are in ``memtop/explain/findings.toml`` under the same names. Facts are names,
or numbers whose unit is the end of their name (``_bytes``, ``_bytes_per_s``, ``_per_s``, ``_percent``, ``_s``).

``FindingInputs`` has all facts of a process. The conditions are grouped by subject in ``limits``, ``growth``,
``faults``, ``runtimes`` and ``other``, and the rules are in ``table``. ``StandingFindings`` keeps findings from
flickering.
"""

from memtop.analysis.findings.hysteresis import SAMPLES, StandingFindings
from memtop.analysis.findings.inputs import FindingInputs
from memtop.analysis.findings.rule import Finding, Rule, Weight
from memtop.analysis.findings.table import RULES, find, weighing

__all__ = ["RULES", "SAMPLES", "Finding", "FindingInputs", "Rule", "StandingFindings", "Weight", "find", "weighing"]
