"""Where a runtime says what is left after collections, the verdict is on that, whatever RES does."""

from __future__ import annotations

from itertools import pairwise

import pytest

from memtop.analysis.severity import Severity
from memtop.analysis.trend.classify import Growth, Shape
from memtop.analysis.trend.hysteresis import Evidence
from memtop.analysis.trend.pause import Pause
from memtop.engine.assessment.assessor import MOST_HEAPS
from memtop.engine.assessment.exit_limits import full_limit
from memtop.engine.assessment.heap_verdict import heap_verdict, time_to_heap_limit, towards
from memtop.engine.engine import Engine
from memtop.explain.answers import answers
from memtop.explain.chart_levels import chart_forecast
from memtop.explain.finding_text import sentences_of
from memtop.explain.incident_text import headline
from memtop.headless.check import Answer, answer_to
from memtop.model.assessment import Assessment, Limit, LimitRow
from memtop.model.frame import Frame
from memtop.runtimes.jvm.hsperf import parse_hsperf
from memtop.runtimes.jvm.reading import encode_counters
from memtop.runtimes.view import FindingFacts, HeapFloor, RuntimeCeiling
from memtop.sampling.request import Need
from tests.fakes import FakeProcess, FakeSource
from tests.headless.judged import judged_object
from tests.lab.points import jvm_heap_of, lines
from tests.requests import changed, request
from tests.sampling.test_cgroups import APP, v2
from tests.sampling.test_runtimes import AT, GO, JVM, URL, World, shown

MIB = 1 << 20
LEAK = FindingFacts(alarm="heap_leak", live_bytes=90 * MIB, floor=HeapFloor(12, 400.0, 1.5e6, (1.2e6, 1.9e6)))


def outlook_of(frame: Frame) -> Assessment:
    assert frame.detail is not None and frame.detail.outlook is not None
    return frame.detail.outlook


def fed(world: World, run: str) -> Frame:
    """The recorded program with an RES that is level from its start, watched for another few ticks."""
    world.ask = changed(world.ask, needs=Need.STAT | Need.STATUS, visible=frozenset({world.process.key}))
    world.feed(run, flat=True)
    return world.play(4)


@pytest.mark.parametrize("run", ["jvm_leak", "jvm_leak_serial"])
def test_a_jvm_that_leaks_under_a_level_res_grows_by_every_word(run: str) -> None:
    frame = fed(World(JVM, panel=""), run)
    outlook = outlook_of(frame)
    assert outlook.state is not None and outlook.growth is not None
    assert (outlook.state.kind, outlook.state.alarm, outlook.of_heap) == (Shape.LEAK_GC, True, True)
    assert outlook.growth.slope_bytes_per_s is not None and outlook.growth.slope_bytes_per_s > 0
    worst = max(one.severity for one in outlook.findings if one.name in ("heap_leak", "heap_full"))
    assert frame.rows[0].verdict == ("▲↗" if worst is Severity.DANGER else "!↗"), "as the sentence"
    assert frame.detail is not None
    assert answers(frame.detail, frame.system)[0].says.startswith("Leak? Heap +")
    said = judged_object(outlook)
    assert (said["verdict"]["of"], said["verdict"]["confirmed"]) == ("heap", True)
    assert "heap_leak" in [one["id"] for one in said["findings"]]
    assert {"step", "stairs", "warmup"}.isdisjoint(one["id"] for one in said["findings"])
    assert chart_forecast(outlook) is None, "RES does not rise there"


def test_a_go_program_that_leaks_under_a_level_res_does_so_too() -> None:
    frame = fed(World(GO, URL, panel=""), "leak")
    assert outlook_of(frame).of_heap
    assert frame.rows[0].verdict.endswith("↗")


def test_the_sign_of_a_row_stays_when_the_focus_leaves_and_its_heap_is_not_read_any_more() -> None:
    world = World(JVM, panel="")
    fed(world, "jvm_leak")
    world.ask = changed(world.ask, focus=None)
    assert world.play(10).rows[0].verdict.endswith("↗")


@pytest.mark.parametrize(("run", "grows"), [("jvm_leak", True), ("jvm_steady", False)])
def test_the_heap_of_a_jvm_that_is_a_mere_row_is_read_too_because_res_says_nothing_of_it(run: str, grows: bool) -> None:
    world = World(JVM, panel="")
    world.process.comm, world.process.cmdline = b"java", b"/usr/bin/java\0-jar\0shop.jar\0"
    world.ask = request(needs=Need.STAT | Need.STATUS)
    world.feed(run, flat=True)
    frame = world.play(4)
    assert frame.rows[0].verdict.endswith("↗") is grows
    assert world.asked("identity") == 1
    assert 0.2 < world.asked("jvm") / (world.source.mono_s - 1000) < 0.5, "every three seconds"


@pytest.mark.parametrize(
    ("limit", "used_bytes", "named"),
    [
        (Limit.RUNTIME, 250 * MIB, True),
        (Limit.RUNTIME, 173 * MIB, False),
        (Limit.RUNTIME_LEVEL, 250 * MIB, False),
        (Limit.RUNTIME_SOFT, 256 * MIB, False),
    ],
)
def test_a_heap_explains_a_failure_if_it_was_nearly_full_of_what_survives(
    limit: Limit, used_bytes: int, named: bool
) -> None:
    row = LimitRow(limit, "-Xmx", 256 * MIB, used_bytes, 256 * MIB - used_bytes, 256 * MIB - used_bytes)
    found = full_limit(Assessment(limits=(row,)), None)
    assert (found is not None) is named
    assert found is None or (found.name, found.effect) == ("-Xmx", "OutOfMemoryError")


def test_the_heap_of_a_program_that_no_file_shows_is_not_looked_for() -> None:
    world = World(JVM, panel="")
    world.process.comm, world.process.cmdline = b"node", b"node\0server.js\0"
    world.ask = request()
    world.feed("jvm_leak")
    assert world.asked("") == 0


@pytest.mark.parametrize(("identity", "url", "run"), [(JVM, "", "jvm_steady"), (GO, URL, "churn")])
def test_a_heap_that_is_level_leaves_the_verdict_to_res(identity: bytes, url: str, run: str) -> None:
    outlook = outlook_of(fed(World(identity, url, panel=""), run))
    assert outlook.state is not None
    assert (outlook.of_heap, outlook.state.alarm) == (False, False)


def test_the_evidence_grows_with_the_time_for_which_it_was_seen() -> None:
    found = heap_verdict(LEAK, 1000.0)
    assert found is not None
    state, growth = found
    assert (state.evidence, state.since_s) == (Evidence.POSSIBLE_LEAK, 600.0)
    assert (growth.kind, growth.points, growth.rise_bytes) == (Shape.LEAK_GC, 12, 6e8)


def test_before_old_objects_were_examined_a_rise_of_what_survives_may_be_growth() -> None:
    found = heap_verdict(FindingFacts(surviving_bytes_per_s=1e6), 1000.0)
    assert found is not None
    state, growth = found
    assert (state.kind, state.alarm, growth.slope_bytes_per_s) == (Shape.GROWTH, False, 1e6)


def test_floors_that_vary_too_much_may_be_growth_and_the_slope_is_that_of_the_floors() -> None:
    facts = FindingFacts(may_rise_bytes_per_s=2e6, floor=HeapFloor(6, 70.0, -1e5, (-1e6, 2e6)))
    found = heap_verdict(facts, 1000.0)
    assert found is not None
    state, growth = found
    assert (state.kind, state.alarm) == (Shape.GROWTH, False)
    assert (growth.slope_bytes_per_s, growth.slope_high_bytes_per_s) == (-1e5, 2e6)


@pytest.mark.parametrize(
    "facts", [None, LEAK._replace(alarm=""), LEAK._replace(alarm="goroutines"), LEAK._replace(floor=None)]
)
def test_other_figures_give_no_verdict(facts: FindingFacts | None) -> None:
    assert heap_verdict(facts, 1000.0) is None


def test_the_time_to_the_heaps_limit_is_that_of_the_limit_met_first() -> None:
    facts = LEAK._replace(ceilings=(RuntimeCeiling("-Xmx", 256 * MIB, 90 * MIB, span_s=(60.0, 90.0)),))
    heap = LimitRow(Limit.RUNTIME, "-Xmx", 256 * MIB, 90 * MIB, 166 * MIB, 166 * MIB)
    assert time_to_heap_limit(facts, heap) == (60.0, 90.0)
    assert time_to_heap_limit(facts, heap._replace(limit=Limit.CGROUP)) is None
    assert time_to_heap_limit(facts, None) is None


def test_of_very_many_jvms_the_heaps_of_the_largest_are_read() -> None:
    pids = range(100, 120)
    java = b"/usr/bin/java\0-jar\0shop.jar\0"
    source = FakeSource(*(FakeProcess(pid, b"java", rss_pages=pid * 100, cmdline=java) for pid in pids))
    engine, read = Engine(source), [set[int]()]
    for _ in range(30):
        engine.step(request(needs=Need.STAT | Need.STATUS))
        read.append({pid for pid in pids if f"proc/{pid}/runtime/identity" in source.asked_ever})
    assert read[-1] == set(range(108, 120))
    assert max(len(after - before) for before, after in pairwise(read)) == MOST_HEAPS


@pytest.mark.parametrize(("old_per_s", "span"), [(None, None), ((60.0, 90.0), (60.0, 90.0))])
def test_growth_of_res_has_the_time_to_a_heaps_limit_that_the_runtime_knows(
    old_per_s: tuple[float, float] | None, span: tuple[float, float] | None
) -> None:
    pause = Pause(level_s=30.0, usual_s=1.0)  # RES rests where the heap has its full size, and the heap fills
    res = Growth(Shape.LEAK, 60, 100.0, 2e7, limit_s=(10.0, 12.0), slow_s=(20.0, 30.0), pause=pause)
    facts = LEAK._replace(ceilings=(RuntimeCeiling("-Xmx", 256 * MIB, 90 * MIB, span_s=old_per_s),))
    heap = LimitRow(Limit.RUNTIME, "-Xmx", 256 * MIB, 90 * MIB, 166 * MIB, 166 * MIB)
    found = towards(res, heap, facts)
    assert found is not None
    assert (found.limit_s, found.slow_s, found.pause) == (span, None, pause if span is None else None)
    assert towards(res, heap._replace(limit=Limit.CGROUP), facts) == res
    assert towards(res, heap, None) == res._replace(limit_s=None, slow_s=None)


def test_garbage_of_a_young_heap_is_no_danger_before_a_collection() -> None:
    """Eden fills with RES, as on the screen of a JVM that is a mere row: its maximum is not said to be near."""
    world = World(JVM, panel="")
    world.ask = changed(world.ask, needs=Need.STAT | Need.STATUS, visible=frozenset({world.process.key}))
    line = lines("jvm_leak_serial")[0]
    counters = dict(parse_hsperf(line["hsperf"]))
    started_s = jvm_heap_of(line["hsperf"]).started_s
    assert started_s is not None
    world.source.wall_s = started_s + world.source.mono_s - world.process.start_ticks / 100
    start = int(counters["sun.gc.generation.0.space.0.used"])
    seen, limits = [], set()
    for tick in range(40):
        counters["sun.gc.generation.0.space.0.used"] = start + tick * 8 * MIB
        world.source.files[AT + "jvm"] = encode_counters(counters)
        world.process.rss_pages += 2048
        frame = world.play()
        outlook = outlook_of(frame)
        limits.add(outlook.first_met.limit if outlook.first_met is not None else None)
        seen += [one.severity for one in frame.incidents.standing] if frame.incidents is not None else []
        seen += [one.severity for one in outlook.findings]
    assert Limit.RUNTIME in limits
    assert seen
    assert max(seen) < Severity.DANGER
    assert "full" not in headline(frame.incidents, frame.system).says


@pytest.mark.parametrize("native", [False, True])
def test_a_container_that_has_room_for_the_whole_heap_is_not_said_to_be_filled_by_its_eden(native: bool) -> None:
    """Its limit is forecast where other memory grows. RES rises in the same way: only the counters tell."""
    world = World(JVM, panel="")
    world.ask = changed(world.ask, needs=Need.STAT | Need.STATUS, visible=frozenset({world.process.key}))
    line = lines("jvm_leak_serial")[0]
    counters = dict(parse_hsperf(line["hsperf"]))
    eden = "sun.gc.generation.0.space.0"
    room = counters[f"{eden}.capacity"] = 300 * MIB
    counters[f"{eden}.used"] = 0 if not native else room
    counters["sun.gc.generation.0.capacity"] = counters["sun.gc.generation.0.maxCapacity"] = room
    counters["java.rt.vmArgs"] = "-Xmx400m"
    counters["sun.rt.createVmBeginTime"] = 1
    world.source.wall_s = 0.001 + world.source.mono_s - world.process.start_ticks / 100
    world.source.files |= {name: data for name, data in v2().files.items() if not name.startswith("proc/42")}
    world.source.files[f"proc/{world.process.pid}/cgroup"] = b"0::/kubepods.slice/pod1/app.scope\n"
    world.source.files[f"{APP}/memory.max"] = b"%d\n" % (600 * MIB)
    world.source.files[f"{APP}/memory.high"] = b"max\n"
    forecast = []
    for tick in range(100):
        anon = (60 + 3 * tick + 300 * native) * MIB
        counters[f"{eden}.used"] = room if native else min(room, 3 * tick * MIB)
        world.source.files[AT + "jvm"] = encode_counters(counters)
        world.source.files[f"{APP}/memory.current"] = b"%d\n" % anon
        world.source.files[f"{APP}/memory.stat"] = b"anon %d\nfile 0\n" % anon
        world.process.rss_pages = anon // 4096
        frame = world.play()
        said = headline(frame.incidents, frame.system).says
        outlook = outlook_of(frame)
        if "full" in said or (outlook.growth is not None and outlook.growth.limit_s is not None):
            forecast.append((tick, said))
    assert outlook.state is not None and outlook.state.alarm
    assert bool(forecast) is native
    assert answer_to(outlook) is (Answer.BAD if native else Answer.UNKNOWN)


def test_a_heap_whose_floors_scatter_is_not_fine_and_panel_and_finding_say_the_same() -> None:
    world = World(JVM)
    frame = world.feed("jvm_steady_serial", flat=True)
    assert frame.detail is not None and frame.detail.outlook is not None
    found = [one for one in frame.detail.outlook.findings if one.name == "heap_varies"]
    assert found and "major_count" in found[0].facts
    assert "varies too much" in sentences_of(found[0]).says
    assert answer_to(frame.detail.outlook) is Answer.UNKNOWN
    verdict = shown(frame).verdict
    assert verdict is not None and "varies too much" in verdict.evidence


@pytest.mark.parametrize(
    ("class_space_mib", "met"),
    [
        pytest.param(200, "CompressedClassSpaceSize", id="full after 200 ticks, RAM after 250"),
        pytest.param(400, "this machine's memory", id="full after 400 ticks, though less room is left there"),
    ],
)
def test_of_a_leak_of_classes_the_limit_is_named_that_is_full_first(class_space_mib: int, met: str) -> None:
    """Each MiB in the class space comes with 2 MiB of RES."""
    world = World(JVM, panel="")
    world.ask = changed(world.ask, needs=Need.STAT | Need.STATUS, visible=frozenset({world.process.key}))
    line = lines("jvm_leak_serial")[0]
    counters = dict(parse_hsperf(line["hsperf"]))
    started_s = jvm_heap_of(line["hsperf"]).started_s
    assert started_s is not None
    world.source.wall_s = started_s + world.source.mono_s - world.process.start_ticks / 100
    counters["sun.gc.compressedclassspace.maxCapacity"] = (class_space_mib + 40) * MIB
    for tick in range(40):
        counters["sun.gc.metaspace.used"] = counters["sun.gc.metaspace.capacity"] = (20 + 2 * tick) * MIB
        counters["sun.gc.compressedclassspace.capacity"] = tick * MIB
        world.source.files[AT + "jvm"] = encode_counters(counters)
        world.process.rss_pages += 512
        frame = world.play()
    first = outlook_of(frame).first_met
    assert first is not None
    assert first.name == met
