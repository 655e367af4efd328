"""What JSON says of an assessment."""

from __future__ import annotations

import json
from typing import Any

from memtop.headless.formats import judged_as_json
from memtop.model.assessment import Assessment


def judged_object(outlook: Assessment | None) -> dict[str, Any]:
    """Its keys ``verdict``, ``findings``, ``unknown`` and ``held``."""
    found: dict[str, Any] = json.loads("{" + judged_as_json(outlook, None).text + "}")
    return found
