"""Modules that Textual imports for what the dashboard seldom needs: they come when they are used."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from memtop.tui.terminal.late_imports import LATE, without_unneeded
with without_unneeded():
    import textual.app, textual.notifications
    import mimetypes
    from textual.types import NoSelection, UnusedParameter
assert NoSelection.__module__ == "textual.widgets._select"  # passed on by no other module: it is imported for it
assert {"textual.types"} == LATE.keys() & set(sys.modules)
assert not {"platform", "tempfile"} & set(sys.modules)  # what they would have imported

assert mimetypes.guess_type("memtop.svg") == ("image/svg+xml", None)
assert textual.app.uuid.uuid4() != textual.app.uuid.uuid4()
assert textual.notifications.Notification("RES").identity
assert textual.app.user_downloads_path().name
from textual.suggestions import get_suggestion
assert get_suggestion("colour", ["color", "width"]) == "color"
assert textual.app.asyncio.base_events.sslproto.SSLProtocol
import mimetypes as real
assert real is not mimetypes and real is sys.modules["mimetypes"]
assert {"asyncio.sslproto", "difflib", "mimetypes", "platformdirs", "uuid"} <= set(sys.modules)
try:
    mimetypes.no_such_name
except AttributeError as error:
    assert "no_such_name" in str(error)
else:
    raise AssertionError
"""


def test_what_is_seldom_needed_is_imported_by_its_first_use() -> None:
    subprocess.run([sys.executable, "-c", CODE], check=True)
