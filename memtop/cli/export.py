"""``memtop export``: samples the machine and serves or writes its metrics, until a signal ends it."""

from __future__ import annotations

import gc
import sys
import time
from argparse import Namespace
from contextlib import ExitStack, closing
from importlib import resources
from typing import TYPE_CHECKING, Final

from memtop.cli.composition import engine_on
from memtop.cli.end_signals import EndSignals
from memtop.cli.output import put, say
from memtop.cli.settings_from_args import by_of, count_of, delay_of, one_of, user_of
from memtop.columns import columns_of
from memtop.errors import UsageError
from memtop.export.textfile import write_textfile
from memtop.model.group import By
from memtop.sampling.request import Need
from memtop.settings import Settings
from memtop.sources.live import LiveSource
from memtop.view_state import View

if TYPE_CHECKING:
    from memtop.model.request import Request

DELAY_S: Final = 5.0


def run(given: Namespace) -> int:
    """Export until a signal or the last sample. Raises MemtopError."""
    one_of(given, "--rules", "--dashboard", "--listen", "--textfile")
    for wanted, name in ((given.rules, "rules.yml"), (given.dashboard, "dashboard.json")):
        if wanted:
            put(sys.stdout.write, resources.files("memtop.export").joinpath("files", name).read_text("utf-8"))
            return 0
    try:
        from memtop.export.exposition import Exposition  # noqa: PLC0415 (67 ms; optional)
        from memtop.export.metrics import growing  # noqa: PLC0415 (as above)
    except ModuleNotFoundError:
        raise UsageError("exporting needs prometheus-client: pip install 'memtop-tui[export]'") from None
    delay_s = DELAY_S if given.delay is None else delay_of(given.delay)
    times = None if given.iterations is None else count_of(given.iterations, "--iterations")
    request = _request(given, delay_s)
    ending, exposition = EndSignals(), Exposition()
    file = _TextFile(given.textfile) if given.textfile else None
    ending.install()
    with ExitStack() as stack:
        if file is None:
            from memtop.export.server import LISTEN, Server  # noqa: PLC0415 (74 ms; a file needs none)

            server = stack.enter_context(closing(Server(exposition, given.listen or LISTEN)))
            say(f"serving /metrics on port {server.port}")
        source = stack.enter_context(closing(LiveSource()))
        engine, planned_s = engine_on(source), time.monotonic()
        while True:
            frame = engine.step(request, late_s=max(0.0, time.monotonic() - planned_s))
            assert frame is not None, "a machine always has a next sample"
            exposition.take(frame)
            request = request._replace(groups=request.groups._replace(judged=growing(frame)))
            if file is not None:
                file.write(exposition.plain())
            if frame.tick == 0:
                gc.freeze()
                gc.enable()
                engine.prepare()
            if times is not None and frame.tick + 1 >= times:
                return 0
            planned_s = max(planned_s + delay_s, time.monotonic())
            with ending:
                time.sleep(max(0.0, planned_s - time.monotonic()))


class _TextFile:
    """The file for node_exporter.

    That it can be written at all is found at the first sample. Later the disk may be full, or the directory be gone,
    for a while.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._has_written = False
        self._said = ""

    def write(self, text: bytes) -> None:
        """Replace it. Raises UsageError where the first sample cannot be written."""
        try:
            write_textfile(self._directory, text)
        except UsageError as error:
            if not self._has_written:
                raise
            if str(error) != self._said:
                say(f"{error}; each sample tries again")
            self._said = str(error)
            return
        if self._said:
            say(f"--textfile: {self._directory}: written again")
        self._has_written, self._said = True, ""


def _request(given: Namespace, delay_s: float) -> Request:
    by = by_of(given.by) or By.PROGRAM
    columns = columns_of(groups=True).defaults
    settings = Settings(by=by, filter=given.filter or "", user=user_of(given.user), delay_s=delay_s, columns=columns)
    request = View.of(settings).request()
    needs = request.readings.needs_all | Need.STAT | Need.STATUS | Need.MEMBERSHIP
    return request._replace(readings=request.readings._replace(needs_all=needs))
