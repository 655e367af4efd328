"""A rule of a test's own, so that a finding is there whose sentences are known."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from memtop.analysis.findings import RULES, Rule
from memtop.analysis.severity import Severity
from memtop.explain.finding_text import finding_texts


def warn_of_size(monkeypatch: pytest.MonkeyPatch, texts: Mapping[str, object]) -> None:
    """Every process with memory gets a warning with these texts, at once."""
    rule = Rule(
        "large",
        "rss",
        lambda inputs: (Severity.WARNING, {"rss_bytes": inputs.rss}) if inputs.rss else None,
        steady=True,
    )
    monkeypatch.setitem(RULES, rule.name, rule)
    monkeypatch.setitem(finding_texts(), rule.name, texts)
