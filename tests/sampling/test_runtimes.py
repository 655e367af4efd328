"""What the reader of runtimes asks, of whom and how often; what it makes of the answers."""

from __future__ import annotations

import pytest

from memtop.engine.engine import Engine
from memtop.errors import MemtopError, Unavailable
from memtop.model.frame import Frame
from memtop.runtimes.container_limit import Container, encode_container
from memtop.runtimes.go.facts import GO_VERDICTS
from memtop.runtimes.go.growth import GoVerdict
from memtop.runtimes.go.metrics import parse_go_metrics
from memtop.runtimes.go.reading import decode_metrics, encode_metrics
from memtop.runtimes.identity import encode_identity
from memtop.runtimes.jvm.facts import JVM_VERDICTS
from memtop.runtimes.jvm.growth import JvmVerdict
from memtop.runtimes.jvm.hsperf import parse_hsperf
from memtop.runtimes.jvm.reading import decode_counters, encode_counters
from memtop.runtimes.protocol import Identity
from memtop.runtimes.view import RuntimeView
from memtop.sampling.runtimes.runtime_record import Pace
from memtop.sampling.runtimes.scheduler import KEPT, MOST_MARKS
from memtop.sources.protocol import READ_LIMIT, Answer
from memtop.tui.panels.runtime import body_lines, head_lines
from tests.fakes import FakeProcess, FakeSource
from tests.lab.points import jvm_heap_of, lines
from tests.requests import changed, request

PID = 42
URL = "http://127.0.0.1:6060/debug/vars?token=hunter2"
AT = f"proc/{PID}/runtime/"
GO = encode_identity(Identity("go", build="go1.19.8\npath\tx\n"))
JVM = encode_identity(Identity("jvm", allocator="glibc"))
PLAIN = encode_identity(Identity(allocator="glibc"))
PAGE = 4096


class World:
    """One process in focus, its panel open."""

    def __init__(self, identity: bytes | MemtopError, url: str = "", panel: str = "runtime") -> None:
        self.process = FakeProcess(PID)
        self.source = FakeSource(self.process)
        self.source.files[AT + "identity"] = identity
        self.source.files[AT + "environ"] = b"GOGC=80"
        self.source.files[AT + "container"] = encode_container(Container(None, None))
        self.source.files[AT + "listeners"] = b"http://127.0.0.1:6060/debug/vars\nhttp://127.0.0.1:6060/metrics"
        self.engine = Engine(self.source)
        urls = ((PID, url),) if url else ()
        self.ask = request(focus=self.process.key, only=frozenset({PID}), panel=panel, go_urls=urls)

    def play(self, ticks: int = 1) -> Frame:
        for _ in range(ticks):
            frame = self.engine.step(self.ask)
        assert frame is not None
        return frame

    def asked(self, name: str) -> int:
        return sum(path.startswith(AT + name) for path in self.source.asked_ever)

    def run(self, name: str) -> RuntimeView:
        """What is known of a recorded program's runtime at its end."""
        return shown(self.feed(name))

    def feed(self, name: str, *, flat: bool = False, most: int | None = None) -> Frame:
        """Answer tick by tick as a recorded program did, ``most`` ticks at most.

        ``flat``: its RES is from the first tick on what it became.
        """
        recorded = lines(name)[:most]
        for line in recorded:
            sizes = recorded[-1] if flat else line
            if "body" in line:
                heap = parse_go_metrics(line["body"].encode())
                self.source.files[f"{AT}metrics#{URL}"] = encode_metrics("http://127.0.0.1:6060/debug/vars", heap)
            else:
                self.source.files[AT + "jvm"] = encode_counters(parse_hsperf(line["hsperf"]))
                started_s = jvm_heap_of(line["hsperf"]).started_s
                assert started_s is not None
                self.source.wall_s = started_s + self.source.mono_s - self.process.start_ticks / 100
            self.process.virt_pages = sizes["virt"] // PAGE
            self.process.rss_pages = sizes["rss"] // PAGE
            self.process.shr_pages = (sizes["file"] + sizes["shmem"]) // PAGE
            frame = self.play()
        return frame


def shown(frame: Frame) -> RuntimeView:
    assert frame.detail is not None
    assert frame.detail.runtime is not None
    return frame.detail.runtime


def text(frame: Frame) -> str:
    return "\n".join(line.text for line in (*head_lines(frame.detail, 100), *body_lines(frame.detail, 100)))


def test_of_an_ordinary_program_only_the_identity_is_read_and_only_once() -> None:
    world = World(PLAIN, panel="")
    world.play(40)
    assert [path for path in world.source.asked_ever if "/runtime/" in path] == [AT + "identity"]


def test_nobody_is_looked_into_while_nobody_is_in_focus() -> None:
    world = World(GO)
    world.ask = request()
    world.play(5)
    assert world.asked("") == 0


def test_a_go_program_without_an_address_is_never_asked_over_http_but_addresses_are_suggested() -> None:
    world = World(GO)
    frame = world.play(5)
    assert world.asked("metrics") == 0
    assert (shown(frame).suggested or ("",))[0] == "http://127.0.0.1:6060/debug/vars"
    assert "GOGC 80" in text(frame)
    assert "U reads it: http://127.0.0.1:6060/debug/vars" in text(frame)


def test_metrics_are_read_once_a_second_at_most() -> None:
    world = World(GO, URL)
    world.source.step_s = 0.1
    world.source.files[f"{AT}metrics#{URL}"] = encode_metrics("x", parse_go_metrics(lines("leak")[0]["body"].encode()))
    world.process.virt_pages = 1 << 20
    world.play(51)
    assert 4 <= world.asked("metrics") <= 6


@pytest.mark.parametrize(
    ("run", "verdict"),
    [
        ("leak", GoVerdict.LEAK_OBJECTS),
        ("bigger", GoVerdict.BIGGER_OBJECTS),
        ("churn", GoVerdict.PRESSURE),
        ("goroutines_text", GoVerdict.GOROUTINE_LEAK),
        ("outside", GoVerdict.OUTSIDE),
    ],
)
def test_the_verdict_on_a_recorded_program_reaches_the_panel(run: str, verdict: GoVerdict) -> None:
    found = World(GO, URL).run(run)
    assert dict(found.facts)["go_verdict"] == GO_VERDICTS[verdict]
    assert found.parts
    assert found.url == "http://127.0.0.1:6060/debug/vars"


def test_the_verdict_on_a_recorded_jvm_reaches_the_panel() -> None:
    found = World(JVM).run("jvm_leak")
    assert dict(found.facts)["jvm_verdict"] == JVM_VERDICTS[JvmVerdict.LEAK]
    assert f"jcmd {PID} GC.class_histogram" in str(found), "the command can be run as it is"


@pytest.mark.parametrize(
    ("identity", "url", "run", "uncollected", "before"),
    [(GO, URL, "outside", 2, ["in use", "holes"]), (JVM, "", "jvm_leak_serial", 3, ["in use", "eden"])],
)
def test_only_what_a_collection_has_left_is_called_live_and_only_what_came_after_it_may_be_garbage(
    identity: bytes, url: str, run: str, uncollected: int, before: list[str]
) -> None:
    def named(frame: Frame) -> list[str]:
        return [part.short for part in shown(frame).parts if part.key in ("live", "garbage")]

    assert named(World(identity, url).feed(run, most=uncollected)) == before
    collected = World(identity, url).feed(run)
    assert named(collected) == ["live", "since GC"]
    names = {part.short: part.name for part in shown(collected).parts}
    assert names["since GC"] == "garbage and new objects", "the new ones may all be alive"


def test_collections_become_marks_on_the_chart() -> None:
    world = World(GO, URL, panel="")
    for line in lines("leak")[:40]:
        heap = parse_go_metrics(line["body"].encode())
        world.source.files[f"{AT}metrics#{URL}"] = encode_metrics("x", heap)
        world.process.virt_pages = line["virt"] // PAGE
        frame = world.play()
    assert frame.detail is not None
    assert frame.detail.runtime is None
    assert {mark.kind for mark in frame.detail.marks} == {"gc"}


def test_a_refused_connection_is_a_line_in_the_panel_and_is_left_alone_after_three_times() -> None:
    world = World(GO, URL)
    world.source.files[f"{AT}metrics#{URL}"] = Unavailable("http://127.0.0.1:6060: connection refused")
    frame = world.play(10)
    assert "No figures: http://127.0.0.1:6060: connection refused." in text(frame)
    assert "hunter2" not in text(frame)
    assert world.asked("metrics") == 3
    world.play(25)
    assert world.asked("metrics") == 4


def test_a_hanging_program_does_not_delay_anything_and_is_waited_for() -> None:
    world = World(GO)
    world.play(3)
    world.source.hanging.add(PID)
    world.ask = changed(world.ask, go_urls=((PID, URL),))
    frame = world.play(3)
    assert frame.detail is not None
    assert frame.detail.row.rss_bytes is not None
    assert "Waiting for its metrics" in text(frame)


def test_metrics_of_another_process_are_said_to_be_so_and_are_not_used() -> None:
    world = World(GO, URL)
    heap = parse_go_metrics(lines("leak")[-1]["body"].encode())
    world.source.files[f"{AT}metrics#{URL}"] = encode_metrics("x", heap)
    world.process.virt_pages = 100
    frame = world.play(4)
    assert not shown(frame).has_figures
    assert "metrics of another process" in text(frame)


def test_answers_that_make_no_sense_are_a_line_in_the_panel() -> None:
    world = World(GO, URL)
    world.source.files[f"{AT}metrics#{URL}"] = b"[[[["
    assert "not what was recorded" in text(world.play(4))


def test_a_jvm_that_left_its_counters_behind_is_not_taken_for_this_one() -> None:
    world = World(JVM)
    world.source.files[AT + "jvm"] = encode_counters(parse_hsperf(lines("jvm_leak")[-1]["hsperf"]))
    world.source.wall_s = 5e9
    assert "an earlier JVM" in text(world.play(4))


def test_an_executable_that_may_not_be_read_is_said_to_be_so() -> None:
    denied = encode_identity(Identity(trouble="its executable cannot be read: Permission denied"))
    assert "Permission denied" in text(World(denied).play(3))


def test_a_process_that_becomes_another_program_is_looked_into_anew() -> None:
    world = World(PLAIN)
    world.play(3)
    world.process.comm, world.process.start_code = b"other", 0x7777_0000
    world.source.files[AT + "identity"] = GO
    frame = world.play(4)
    assert shown(frame).title.startswith("Go 1.19.8")


def test_without_a_screen_the_runtime_of_those_asked_for_is_in_the_frame() -> None:
    world = World(GO, URL)
    world.source.files[f"{AT}metrics#{URL}"] = encode_metrics("x", parse_go_metrics(lines("leak")[0]["body"].encode()))
    world.process.virt_pages = 1 << 20
    world.ask = request(only=frozenset({PID}), runtimes=True, go_urls=((None, URL),))
    frame = world.play(1)
    found = frame.runtimes[world.process.key]
    assert found["name"] == "go"
    assert found["settings"] == {"GOGC": "80", "GOMEMLIMIT": None, "GODEBUG": None}
    assert found["heap"]["heap_alloc_bytes"] > 0
    assert found["heap_age_s"] == 0


def test_without_a_screen_an_address_without_metrics_is_a_problem_whatever_the_program_is() -> None:
    world = World(PLAIN, URL)
    world.source.files[f"{AT}metrics#{URL}"] = Unavailable("http://127.0.0.1:6060: connection refused")
    assert world.play(4).problems == (), "on a screen the panel says it"
    world.ask = request(only=frozenset({PID}), runtimes=True, go_urls=((PID, URL),))
    assert world.play(4).problems == (f"no metrics of process {PID}: http://127.0.0.1:6060: connection refused",)


@pytest.mark.parametrize("state", ["Z", "X"])
def test_a_program_that_ends_while_its_metrics_are_waited_for_ends_nothing_else(state: str) -> None:
    world = World(GO, URL)
    world.ask = request(only=frozenset({PID}), runtimes=True, go_urls=((None, URL),))
    world.source.hanging.add(PID)
    assert world.play(3).rows[0].rss_bytes
    world.process.state = state
    world.source.files[f"proc/{PID}/statm"] = b"0 0 0 0 0 0 0\n"
    assert world.play(2).rows[0].pid == PID


class PromptSource(FakeSource):
    """What is asked for is read at once, and told at the next call."""

    def __init__(self, *processes: FakeProcess) -> None:
        super().__init__(*processes)
        self.held: dict[str, Answer] = {}

    def ask(self, path: str, size: int = READ_LIMIT) -> Answer | None:
        if path not in self.held:
            self.held[path] = Answer(self._content(path)[:size], self.took_s)
            return None
        return self.held.pop(path)


def test_without_a_screen_a_line_has_the_figures_of_its_own_instant() -> None:
    world = World(GO, URL)
    source = PromptSource(world.process)
    source.files |= world.source.files
    engine = Engine(source)
    ask = changed(world.ask, focus=None, panel="", runtimes=True)
    world.process.virt_pages = 1 << 20
    for line in lines("leak")[:5]:
        heap = parse_go_metrics(line["body"].encode())
        source.files[f"{AT}metrics#{URL}"] = encode_metrics("x", heap)
        frame = engine.step(ask)
        assert frame is not None
        told_now = frame.runtimes[world.process.key]
        assert told_now["heap"]["heap_alloc_bytes"] == heap.heap_alloc_bytes
        assert told_now["heap_age_s"] == 0


def test_what_is_encoded_comes_back() -> None:
    heap = parse_go_metrics(lines("client")[-1]["body"].encode())
    assert decode_metrics(encode_metrics("u", heap)) == ("u", heap)
    for line in lines("jvm_steady")[3:5]:
        counters = parse_hsperf(line["hsperf"])
        assert decode_counters(encode_counters(counters)).heap_used_bytes > 0


def test_one_question_a_second_on_average_and_a_rest_after_three_failures() -> None:
    pace = Pace()
    asked = 0
    for tenth in range(100):
        if pace.due(tenth / 10):
            pace.asked(tenth / 10)
            asked += 1
    assert 10 <= asked <= 11
    for second in range(10, 13):
        pace.asked(second)
        pace.failed(second)
    assert not pace.due(41.8)
    assert pace.due(42.0)
    pace.asked(42.0)
    pace.answered()
    pace.failed(43.0)
    assert pace.due(43.0)


def test_a_tick_that_comes_a_little_early_is_no_tick_lost() -> None:
    pace = Pace()
    for tick in range(20):
        at_s = 100 + tick + (0.03 if tick % 2 else -0.03)
        assert pace.due(at_s)
        pace.asked(at_s)


def test_collections_are_marked_on_the_chart_unless_they_are_too_many_to_be_told_apart() -> None:
    world = World(GO, URL)
    few = [world.feed("leak")]
    world = World(GO, URL)
    many = [world.feed("churn")]
    world.ask = changed(world.ask, window_s=5.0)
    few.append(world.play())

    def marks(frame: Frame) -> int:
        assert frame.detail is not None
        return sum(mark.kind == "gc" for mark in frame.detail.marks)

    assert all(0 < marks(frame) <= MOST_MARKS for frame in few)
    assert [marks(frame) for frame in many] == [0]


def test_of_many_processes_of_the_command_line_the_first_have_their_runtimes_read() -> None:
    source = FakeSource(*(FakeProcess(pid) for pid in range(100, 200)))
    Engine(source).step(request(only=frozenset(range(100, 200)), runtimes=True))
    asked = {path for path in source.asked_ever if path.endswith("/runtime/identity")}
    assert 5 < len(asked) < 30


def test_what_is_known_of_runtimes_is_kept_of_the_processes_in_focus_last() -> None:
    world = World(PLAIN)
    pids = range(100, 101 + KEPT)  # in a shorter time than that after which an identity is read again
    for pid in pids:
        world.source.add(FakeProcess(pid))
        world.source.files[f"proc/{pid}/runtime/identity"] = PLAIN

    def asked(pid: int) -> int:
        world.ask = changed(world.ask, focus=FakeProcess(pid).key, only=frozenset({PID, *pids}))
        world.play(2)
        return world.source.asked_ever.count(f"proc/{pid}/runtime/identity")

    assert [asked(pid) for pid in pids] == [1] * len(pids)
    assert [asked(pid) for pid in (pids[0], pids[-1])] == [2, 1]


def test_why_a_runtime_was_not_found_is_said_without_the_name_of_the_reading() -> None:
    world = World(Unavailable(f"{AT}identity: No such file or directory"))
    frame = world.play(3)
    assert frame.detail is not None and frame.detail.outlook is not None
    said = " ".join(frame.detail.outlook.not_looked_at)
    assert "the limit that its runtime sets, if any (No such file or directory)" in said
