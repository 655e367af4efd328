"""Files of version 2 cgroups, of the process and of those above it, that are read, missing, or unreadable."""

from __future__ import annotations

import pytest

from memtop.analysis.severity import Severity
from memtop.engine.engine import Engine
from memtop.errors import AccessDenied, Blocked, MemtopError, ProcessGone, Unavailable
from memtop.explain.finding_text import nothing_wrong, sentences_of
from memtop.explain.incident_text import headline
from memtop.model.assessment import Limit
from memtop.model.frame import Frame
from memtop.sampling.request import Need
from memtop.tui.panels.limit_sentences import sentences
from tests.fakes import MIB_PAGES, FakeProcess, FakeSource, frame_after, outlook
from tests.requests import request

MIB = 1 << 20
TOP = "sys/fs/cgroup/a"
LEAF = f"{TOP}/b"
DENIED = AccessDenied("x: Permission denied")
Files = dict[str, "bytes | MemtopError"]


def watched(files: Files) -> Frame:
    """A process of 100 MiB in /a/b, which uses 110, on a machine with 2 GiB of free swap."""
    process = FakeProcess(42, rss_pages=100 * MIB_PAGES)
    source = FakeSource(process)
    source.files["proc/meminfo"] = (
        b"MemTotal: 8000000 kB\nMemFree: 5000000 kB\nMemAvailable: 6000000 kB\n"
        b"SwapTotal: 2000000 kB\nSwapFree: 2000000 kB\n"
    )
    source.files["proc/42/cgroup"] = b"0::/a/b\n"
    for folder in (TOP, LEAF):
        source.files |= {
            f"{folder}/cgroup.controllers": b"memory pids\n",
            f"{folder}/cgroup.type": b"domain\n",
            f"{folder}/cgroup.procs": b"42\n",
            f"{folder}/memory.current": b"%d\n" % (110 * MIB),
            f"{folder}/memory.max": b"max\n",
            f"{folder}/memory.high": b"max\n",
            f"{folder}/memory.swap.max": b"max\n",
            f"{folder}/memory.swap.current": b"0\n",
            f"{folder}/memory.stat": b"anon %d\nfile 0\ninactive_file 0\nactive_file 0\nkernel 0\n" % (110 * MIB),
            f"{folder}/pids.max": b"max\n",
            f"{folder}/pids.current": b"1\n",
        }
    source.files |= files
    ask = request(
        only=frozenset({42}), focus=process.key, visible=frozenset({process.key}), needs=Need.STAT | Need.STATUS
    )
    return frame_after(Engine(source), ask, 6)


def said(frame: Frame) -> str:
    """Headline, findings, and the line without any."""
    found = outlook(frame)
    bad = [sentences_of(one).says for one in found.findings if one.severity > Severity.NOTE]
    return "\n".join([headline(frame.incidents, frame.system).says, *(bad or [nothing_wrong(found)])])


UNREADABLE: tuple[Files, ...] = (
    {f"{TOP}/memory.max": DENIED},
    {f"{LEAF}/memory.max": DENIED},
    {f"{LEAF}/memory.max": b"?\n"},
    {f"{LEAF}/memory.max": b"%d\n" % (500 * MIB), f"{LEAF}/memory.current": DENIED},
)


@pytest.mark.parametrize("files", UNREADABLE)
def test_a_limit_or_use_that_cannot_be_read_is_not_said_not_to_be_near(files: Files) -> None:
    text = said(watched(files))
    assert "no readable cgroup limit is near" in text and "limit of 1 cgroup not read" in text
    assert "Unknown whether a limit is near" in text and "No limit is near" not in text


UNREADABLE_BESIDE: tuple[tuple[str, MemtopError | bytes, str], ...] = (
    ("memory.high", DENIED, "permission denied"),
    ("memory.high", Unavailable("x: Input/output error"), "input/output error"),
    ("memory.high", Blocked("x: no answer within 2 s"), "no answer within 2 s"),
    ("memory.high", b"?\n", "it does not hold a number"),
    ("memory.swap.max", DENIED, "permission denied"),
)


@pytest.mark.parametrize("folder", [TOP, LEAF])
@pytest.mark.parametrize(("name", "content", "why"), UNREADABLE_BESIDE)
def test_a_limit_beside_memory_max_that_cannot_be_read_is_named_with_the_reason(
    folder: str, name: str, content: MemtopError | bytes, why: str
) -> None:
    frame = watched({f"{folder}/{name}": content})
    place = "/a" if folder == TOP else "/a/b"
    assert outlook(frame).unread == (f"{name} of {place} cannot be read ({why})",)
    text = said(frame)
    assert "no readable cgroup limit is near" in text and "limit of 1 cgroup not read" in text
    assert f"Unknown whether a limit is near: {name} of {place} cannot be read ({why})" in text


@pytest.mark.parametrize("name", ["memory.high", "memory.swap.max"])
@pytest.mark.parametrize("error", [ProcessGone("x: No such file or directory"), Unavailable("x: No such device")])
def test_a_file_that_this_kernel_does_not_have_is_no_limit_that_cannot_be_read(name: str, error: MemtopError) -> None:
    assert outlook(watched({f"{LEAF}/{name}": error})).unread == ()


def test_what_may_go_to_swap_is_unknown_where_its_limit_cannot_be_read() -> None:
    files: Files = {f"{LEAF}/memory.max": b"%d\n" % (112 * MIB), f"{TOP}/memory.swap.max": DENIED}
    frame = watched(files)
    text = said(frame)
    assert "At the limit memory is swapped out or the kernel OOM-kills: how much may go to swap is unknown." in text
    limit = next(row for row in outlook(frame).limits if row.limit is Limit.CGROUP)
    assert (limit.swap_room_bytes, limit.effect) == (None, "swaps or OOM-kills in the cgroup")
    assert frame.incidents is not None
    (incident,) = frame.incidents.standing
    assert incident.facts["swap_unknown"] == "unknown" and "swap_room_bytes" not in incident.facts


@pytest.mark.parametrize(
    ("group", "who"), [(DENIED, "is unknown"), (b"1\n", "all processes"), (b"0\n", "this process")]
)
def test_who_is_killed_at_the_limit_is_unknown_where_memory_oom_group_cannot_be_read(
    group: MemtopError | bytes, who: str
) -> None:
    files: Files = {f"{LEAF}/memory.max": b"%d\n" % (112 * MIB), f"{LEAF}/memory.swap.max": b"0\n"}
    assert who in said(watched(files | {f"{LEAF}/memory.oom.group": group}))


@pytest.mark.parametrize(
    ("top", "leaf", "says"),
    [
        (b"1\n", b"0\n", "At the limit all processes in the cgroup are killed at once"),
        (b"0\n", b"1\n", "At the limit all processes in the cgroup are killed at once"),
        (b"0\n", b"0\n", "cannot be reclaimed (98.2 %)."),
        (DENIED, b"0\n", "whether one process or all of the cgroup is unknown (memory.oom.group)"),
    ],
)
def test_the_group_that_is_killed_at_the_limit_of_an_ancestor_may_be_that_of_any_cgroup_below_it(
    top: MemtopError | bytes, leaf: bytes, says: str
) -> None:
    files: Files = {
        f"{TOP}/memory.max": b"%d\n" % (112 * MIB),
        f"{TOP}/memory.swap.max": b"0\n",
        f"{TOP}/memory.oom.group": top,
        f"{LEAF}/memory.oom.group": leaf,
    }
    assert says in said(watched(files))


@pytest.mark.parametrize(("swappable_mib", "swaps"), [(110, True), (0, False)])
def test_a_cgroup_whose_memory_is_locked_does_not_swap_at_its_limit(swappable_mib: int, swaps: bool) -> None:
    stat = (
        b"anon %d\nfile 0\ninactive_file 0\nactive_file 0\nkernel 0\nunevictable %d\ninactive_anon %d\nactive_anon 0\n"
    )
    sizes = 110 * MIB, (110 - swappable_mib) * MIB, swappable_mib * MIB
    files: Files = {f"{LEAF}/memory.max": b"%d\n" % (112 * MIB), f"{LEAF}/memory.stat": stat % sizes}
    assert ("At the limit memory is swapped out" in said(watched(files))) is swaps


@pytest.mark.parametrize("folder", [TOP, LEAF])
def test_threads_whose_limit_cannot_be_read_are_named_as_not_checked(folder: str) -> None:
    assert "Not checked: the limit on threads of /a" in said(watched({f"{folder}/pids.max": DENIED}))


@pytest.mark.parametrize(("folder", "swaps"), [(None, True), (TOP, False), (LEAF, False)])
def test_what_no_cgroup_above_may_swap_is_not_said_to_be_swapped(folder: str | None, swaps: bool) -> None:
    files: Files = {f"{LEAF}/memory.max": b"%d\n" % (112 * MIB)}
    if folder is not None:
        files[f"{folder}/memory.swap.max"] = b"0\n"
    frame = watched(files)
    assert ("swapped out" in said(frame)) is swaps
    assert frame.incidents is not None
    (incident,) = frame.incidents.standing
    assert (incident.severity is Severity.WARNING) is swaps


def test_the_memory_high_of_an_ancestor_is_near_in_the_headline_too() -> None:
    text = said(watched({f"{TOP}/memory.high": b"%d\n" % (115 * MIB)}))
    assert text.startswith("/a: 95.7 % of its memory.high (115 MiB) cannot be reclaimed")


@pytest.mark.parametrize("stat", [b"", b"kernel 5\n", DENIED])
def test_use_that_could_not_be_divided_is_not_said_to_be_unreclaimable(stat: bytes | MemtopError) -> None:
    text = said(watched({f"{LEAF}/memory.max": b"%d\n" % (112 * MIB), f"{LEAF}/memory.stat": stat}))
    assert "98.2 % in use" in text and "How much of that can be reclaimed is unknown" in text
    assert "cannot be reclaimed" not in text


@pytest.mark.parametrize(
    ("control", "says"),
    [
        (b"oom_kill_disable 0\nunder_oom 0\noom_kill 0\n", "At the limit the kernel OOM-kills this process"),
        (b"oom_kill_disable 1\nunder_oom 0\noom_kill 0\n", "At the limit its tasks hang"),
        (DENIED, "OOM-kills, or the tasks hang: which is unknown (memory.oom_control)"),
        (b"", "OOM-kills, or the tasks hang: which is unknown (memory.oom_control)"),
    ],
)
@pytest.mark.parametrize("inside", ["", "/b"])
def test_what_happens_at_a_limit_of_version_1_is_known_only_from_its_oom_control(
    control: MemtopError | bytes, says: str, inside: str
) -> None:
    process = FakeProcess(42, rss_pages=97 * MIB_PAGES, shr_pages=0)
    source = FakeSource(process)
    root = "sys/fs/cgroup/memory"
    source.files |= {
        "proc/self/mountinfo": b"31 1 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
        "proc/42/cgroup": b"4:memory:/a%b\n" % inside.encode(),
        f"{root}/memory.limit_in_bytes": b"9223372036854771712\n",
        f"{root}/a/b/memory.limit_in_bytes": b"9223372036854771712\n",
        f"{root}/a/memory.limit_in_bytes": b"%d\n" % (100 * MIB),
        f"{root}/a/memory.oom_control": control,
    }
    for folder in (f"{root}/a", f"{root}/a/b"):
        source.files[f"{folder}/memory.usage_in_bytes"] = b"%d\n" % (97 * MIB)
        source.files[f"{folder}/memory.stat"] = b"rss %d\ncache 0\ntotal_rss %d\ntotal_cache 0\n" % (97 * MIB, 97 * MIB)
        source.files[f"{folder}/cgroup.procs"] = b"42\n"
    frame = frame_after(Engine(source), request(only=frozenset({42}), focus=process.key, needs=Need.STAT), 4)
    text = said(frame)
    assert says in text or ("this process" in says and inside and "hang" not in text)
    hangs = control == b"oom_kill_disable 1\nunder_oom 0\noom_kill 0\n"
    (row,) = [one for one in outlook(frame).limits if one.name == "/a"]
    assert (row.effect == "tasks hang") is hangs
    assert frame.detail is not None
    panel = " ".join(sentences(frame.detail, outlook(frame), frame))
    assert ("tasks hang at the limit: its OOM killer is disabled" in panel) is hangs


def test_a_limit_that_may_be_its_own_is_not_said_to_be_of_an_ancestor() -> None:
    process = FakeProcess(42)
    source = FakeSource(process)
    folder = "sys/fs/cgroup/memory/a"
    source.files |= {
        "proc/self/mountinfo": b"31 1 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
        "proc/42/cgroup": b"4:memory:/a\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": b"9223372036854771712\n",
        f"{folder}/memory.limit_in_bytes": DENIED,
        f"{folder}/memory.usage_in_bytes": b"60000000\n",
        f"{folder}/memory.stat": b"rss 1\ncache 0\nhierarchical_memory_limit %d\n" % (100 * MIB),
    }
    frame = frame_after(Engine(source), request(focus=process.key, needs=Need.STAT), 4)
    assert outlook(frame).unread == (
        "the limit of /a cannot be read (permission denied)",
        "it or an ancestor has a limit of 100 MiB",
    )


@pytest.mark.parametrize("current", [DENIED, b"", b"?\n"])
def test_a_memory_high_whose_use_cannot_be_read_may_be_near(current: MemtopError | bytes) -> None:
    files: Files = {f"{LEAF}/memory.high": b"%d\n" % (112 * MIB), f"{LEAF}/memory.current": current}
    text = said(watched(files))
    assert "how much /a/b uses of its memory.high cannot be read" in text and "no readable cgroup limit is near" in text


def test_a_limit_on_swap_whose_use_cannot_be_read_may_be_near() -> None:
    files: Files = {f"{LEAF}/memory.swap.max": b"%d\n" % (112 * MIB), f"{LEAF}/memory.swap.current": DENIED}
    assert outlook(watched(files)).unread == ("memory.swap.current of /a/b cannot be read (permission denied)",)


def test_a_list_of_members_that_leaves_the_process_out_is_no_evidence_of_memory_without_a_process() -> None:
    files: Files = {f"{LEAF}/memory.max": b"%d\n" % (112 * MIB), f"{LEAF}/cgroup.procs": b""}
    assert [one.name for one in outlook(watched(files)).findings if one.severity > Severity.NOTE] == ["near_limit"]


@pytest.mark.parametrize(("exists", "unread"), [(True, ()), (False, ("its cgroup has been removed",))])
def test_a_cgroup_whose_own_name_ends_with_deleted_is_found(exists: bool, unread: tuple[str, ...]) -> None:
    leaf = f"{LEAF} (deleted)"
    files: Files = {"proc/42/cgroup": b"0::/a/b (deleted)\n"}
    if exists:
        files |= {
            f"{leaf}/cgroup.controllers": b"memory pids\n",
            f"{leaf}/cgroup.type": b"domain\n",
            f"{leaf}/memory.max": b"%d\n" % (112 * MIB),
            f"{leaf}/memory.current": b"%d\n" % (110 * MIB),
        }
    frame = watched(files | {f"{LEAF}/{name}": ProcessGone("x") for name in ("cgroup.controllers", "cgroup.type")})
    assert outlook(frame).unread == unread
    assert ("98.2 % in use" in said(frame)) is exists


def test_an_empty_list_of_cgroups_does_not_mean_that_there_is_none() -> None:
    files: Files = {"proc/42/cgroup": b"", "sys/fs/cgroup/cgroup.controllers": b"cpu pids\n"}
    assert outlook(watched(files)).unread == ("its cgroup cannot be read",)
