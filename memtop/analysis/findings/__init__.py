"""What is worth a sentence, as a table of data: a condition on facts, how bad it is, and the topic that explains it.

No text for people is in here: the sentences stand in ``memtop/explain/findings.toml`` under the same names. Facts are
numbers whose unit is the end of their name (``_bytes``, ``_bytes_per_s``, ``_per_s``, ``_percent``, ``_s``), or names.

``FindingInputs`` is all that is known of a process. The rules stand by subject in ``limits``, ``growth``, ``faults``,
``runtimes`` and ``other``, and together in ``table``. ``StandingFindings`` keeps what they find from flickering.
"""

from memtop.analysis.findings.hysteresis import LOOKS, StandingFindings, post
from memtop.analysis.findings.inputs import FindingInputs
from memtop.analysis.findings.rule import Finding, Severity
from memtop.analysis.findings.table import RULES, find

__all__ = ["LOOKS", "RULES", "Finding", "FindingInputs", "Severity", "StandingFindings", "find", "post"]
