"""The counters of real JVMs, and files that lie about themselves."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtop.errors import ParseError, Unavailable
from memtop.runtimes.jvm.flags import JvmFlags, jvm_arguments, kept_flags, parse_jvm_flags
from memtop.runtimes.jvm.heap import hsperf_paths, jvm_heap, same_jvm
from memtop.runtimes.jvm.hsperf import MOST_BYTES, parse_hsperf
from memtop.runtimes.jvm.reading import decode_counters, encode_counters, read_counters
from memtop.runtimes.jvm.sentences import all_flags, title
from memtop.runtimes.protocol import Access
from tests.lab.hsperf_redaction import without_secrets
from tests.lab.points import jvm_heap_of, lines

G1 = lines("jvm_leak")[-1]["hsperf"]
SERIAL = lines("jvm_leak_serial")[-1]["hsperf"]
MIB = 1 << 20


def counters(*entries: tuple[str, int | bytes], order: str = "<", accessible: int = 1) -> bytes:
    """A file of these counters: numbers and texts."""
    body = b""
    for name, value in entries:
        label = name.encode() + b"\0"
        content = value if isinstance(value, bytes) else struct.pack(order + "q", value)
        start = 20 + len(label) + (-len(label)) % 8
        kind, count = (ord("B"), len(content)) if isinstance(value, bytes) else (ord("J"), 0)
        length = start + len(content) + (-len(content)) % 8
        entry = struct.pack(order + "IIIBBBBI", length, 20, count, kind, 0, 1, 1, start) + label
        body += (entry.ljust(start, b"\0") + content).ljust(length, b"\0")
    head = (
        b"\xca\xfe\xc0\xc0"
        + bytes([order == "<"])
        + struct.pack(order + "BBBIIQII", 2, 0, accessible, 32 + len(body), 0, 0, 32, len(entries))
    )
    return head + body


HEAP = (
    ("sun.gc.policy.name", b"Copy:MSC\0"),
    ("sun.gc.generation.0.space.0.name", b"eden\0"),
    ("sun.gc.generation.0.space.0.used", 10 * MIB),
    ("sun.gc.generation.0.space.1.used", 2 * MIB),
    ("sun.gc.generation.0.capacity", 20 * MIB),
    ("sun.gc.generation.0.maxCapacity", 80 * MIB),
    ("sun.gc.generation.1.space.0.used", 30 * MIB),
    ("sun.gc.generation.1.capacity", 40 * MIB),
    ("sun.gc.generation.1.maxCapacity", 170 * MIB),
    ("sun.gc.collector.0.invocations", 7),
    ("sun.gc.collector.1.invocations", 3),
    ("sun.gc.collector.1.lastExitTime", 5_000_000_000),
    ("sun.gc.collector.0.time", 1_000_000_000),
    ("sun.gc.collector.1.time", 500_000_000),
    ("sun.os.hrt.ticks", 7_000_000_000),
    ("sun.os.hrt.frequency", 1_000_000_000),
    ("sun.rt.createVmBeginTime", 1_700_000_000_000),
)


def test_a_g1_heap_is_one_heap_for_all_generations() -> None:
    heap = jvm_heap_of(G1)
    assert heap.policy == "GarbageFirst"
    assert heap.heap_max_bytes == 256 * MIB
    assert heap.version is not None
    assert heap.version.startswith("17.")
    assert heap.young_gcs > 100
    assert heap.major_gcs > 5
    assert heap.full_gcs == 0
    assert heap.flags.collector == "UseG1GC"


def test_a_serial_heap_is_the_sum_of_its_generations() -> None:
    heap = jvm_heap_of(SERIAL)
    assert heap.policy == "Copy:MSC"
    assert heap.old_max_bytes is not None
    assert heap.old_max_bytes < 256 * MIB
    assert heap.major_gcs == heap.full_gcs > 5


@pytest.mark.parametrize("order", ["<", ">"])
def test_every_figure_comes_from_its_counter_in_both_byte_orders(order: str) -> None:
    heap = jvm_heap_of(counters(*HEAP, order=order))
    assert (heap.eden_used_bytes, heap.survivor_used_bytes, heap.old_used_bytes) == (10 * MIB, 2 * MIB, 30 * MIB)
    assert (heap.heap_used_bytes, heap.heap_capacity_bytes, heap.heap_max_bytes) == (42 * MIB, 60 * MIB, 250 * MIB)
    assert heap.tenured_bytes == 32 * MIB
    assert (heap.young_gcs, heap.major_gcs, heap.gc_time_s, heap.since_major_s) == (7, 3, 1.5, 2.0)
    assert heap.started_s == 1_700_000_000.0
    assert heap.metaspace_used_bytes is None


def test_a_file_that_another_jvm_left_behind_is_recognised_by_its_start() -> None:
    heap = jvm_heap_of(counters(*HEAP))
    assert same_jvm(heap, 1_700_000_001.0)
    assert same_jvm(heap, None)
    assert not same_jvm(heap, 1_700_000_100.0)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"hello", "not such a file"),
        (b"\xca\xfe\xc0\xc0\x01", "cut short"),
        (G1[:5] + b"\x01" + G1[6:], "version 1.0"),
        (counters(*HEAP, accessible=0), "just starting"),
        (counters(), "no counters"),
        (counters(("a", 1)), "no heap sizes"),
        (counters(*HEAP, ("sun.gc.generation.1.space.1.used", -5)), "cannot be true"),
        (G1[:28] + b"\xff\xff\xff\x7f" + G1[32:], "impossible number of counters"),
        (G1[:28] + (10_001).to_bytes(4, "little") + G1[32:], "impossible number of counters"),
        (bytes(MOST_BYTES + 1), "larger than"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(ParseError, match=reason) as caught:
        jvm_heap_of(data)
    assert str(caught.value).isprintable()


def test_a_file_cut_short_gives_the_counters_that_are_whole() -> None:
    assert 0 < len(parse_hsperf(G1[:2000])) < len(parse_hsperf(G1))


def test_command_lines_and_properties_do_not_get_into_a_recording() -> None:
    data = counters(
        ("sun.rt.javaCommand", b"App --password=hunter2\0"),
        ("java.property.java.class.path", b"/home/me/secret.jar\0"),
        ("java.rt.vmArgs", b"-Xmx256m -Ddb.pass=hunter2 -XX:+UseSerialGC -javaagent:x=key\0"),
        *HEAP,
    )
    kept = without_secrets(data)
    assert len(kept) == len(data)
    assert b"hunter2" not in kept
    assert b"/home" not in kept
    assert b"javaagent" not in kept
    assert parse_hsperf(kept)["java.rt.vmArgs"] == "-Xmx256m -XX:+UseSerialGC"
    assert jvm_heap_of(kept) == jvm_heap_of(data)
    assert without_secrets(kept) == kept
    assert b"hunter2" not in encode_counters(parse_hsperf(data))


def test_recorded_files_hold_no_path() -> None:
    assert b"/tmp" not in G1 + SERIAL
    assert b"/usr" not in G1 + SERIAL


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(G1) - 1), st.integers(0, 255)), max_size=20), st.integers(0, len(G1)))
def test_a_damaged_file_is_a_heap_or_a_parse_error(changes: list[tuple[int, int]], size: int) -> None:
    data = bytearray(G1)
    for at, byte in changes:
        data[at] = byte
    try:
        heap = jvm_heap_of(bytes(data[:size]))
    except ParseError as error:
        assert str(error).isprintable()
    else:
        assert heap.heap_used_bytes >= 0
        assert heap.gc_time_s is None or heap.gc_time_s >= 0
        assert heap.last_cause is None or heap.last_cause.isprintable()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_after_the_magic_are_a_parse_error_or_counters(tail: bytes) -> None:
    try:
        assert parse_hsperf(b"\xca\xfe\xc0\xc0\x01\x02\x00\x01" + tail)
    except ParseError as error:
        assert str(error).isprintable()


def test_the_file_is_looked_for_where_the_jvms_own_namespaces_put_it() -> None:
    status = b"Name:\tjava\nNSpid:\t4242\t7\n"
    assert hsperf_paths(4242, status, "app") == (
        "proc/4242/root/tmp/hsperfdata_app/7",
        "proc/4242/root/tmp/hsperfdata_root/7",
    )
    assert hsperf_paths(42, b"", "root") == ("proc/42/root/tmp/hsperfdata_root/42",)
    assert hsperf_paths(42, b"", "../../etc") == ("proc/42/root/tmp/hsperfdata_root/42",)
    assert hsperf_paths(42, b"NSpid:\t../x\n", "root") == ("proc/42/root/tmp/hsperfdata_root/42",)


def test_counters_without_collectors_give_a_heap_all_the_same() -> None:
    heap = jvm_heap({"sun.gc.generation.0.space.0.used": 5, "sun.gc.generation.0.capacity": 9})
    assert (heap.heap_used_bytes, heap.young_gcs, heap.major_gcs, heap.since_major_s) == (5, 0, 0, None)
    assert heap.gc_time_s == 0


def test_sizes_and_times_that_are_missing_are_not_taken_for_0() -> None:
    sizes = ("capacity", "maxCapacity", "space.0.used")
    whole: dict[str, int | str] = {f"sun.gc.generation.{number}.{name}": 5 for number in "01" for name in sizes}
    whole |= {"sun.gc.collector.0.invocations": 3, "sun.gc.collector.0.time": 10**9}
    assert jvm_heap(whole).gc_time_s == 1.0
    del whole["sun.gc.collector.0.time"]
    assert jvm_heap(whole).gc_time_s is None
    del whole["sun.gc.generation.1.capacity"]
    with pytest.raises(ParseError, match="not all sizes of the heap"):
        jvm_heap(whole)


def test_flags_from_the_environment_and_from_argument_files_are_those_of_the_counters() -> None:
    """Neither is in the command line."""
    counters_of = {"sun.gc.generation.0.space.0.used": 5, "sun.gc.generation.0.capacity": 9}
    heap = jvm_heap({**counters_of, "java.rt.vmArgs": "-Xmx512m -XX:MaxDirectMemorySize=1g"})
    command_line = JvmFlags(max_metaspace_bytes=MIB)
    given = JvmFlags(max_heap_bytes=512 * MIB, max_metaspace_bytes=MIB, max_direct_bytes=1 << 30)
    assert all_flags(command_line, heap) == given
    assert "-Xmx 512 MiB" in title(heap, command_line)
    without = jvm_heap({**counters_of, "sun.gc.generation.0.maxCapacity": 512 * MIB})
    assert title(without, command_line).endswith("no -Xmx in its command line: at most 512 MiB")


@pytest.mark.parametrize(
    ("arguments", "flags"),
    [
        (["-Xmx512m"], JvmFlags(max_heap_bytes=512 * MIB)),
        (["-Xmx1g", "-Xmx2G"], JvmFlags(max_heap_bytes=2048 * MIB)),
        (["-Xms64k", "-Xss1m"], JvmFlags(initial_heap_bytes=65536, thread_stack_bytes=MIB)),
        (["-XX:MaxHeapSize=1073741824"], JvmFlags(max_heap_bytes=1 << 30)),
        (["-XX:MaxRAMPercentage=75.0"], JvmFlags(max_ram_percentage=75.0)),
        (["-XX:MaxMetaspaceSize=256m"], JvmFlags(max_metaspace_bytes=256 * MIB)),
        (["-XX:MaxDirectMemorySize=1g"], JvmFlags(max_direct_bytes=1 << 30)),
        (["-XX:ThreadStackSize=512"], JvmFlags(thread_stack_bytes=512 << 10)),
        (["-XX:+UseZGC", "-XX:+AlwaysPreTouch"], JvmFlags(collector="UseZGC", always_pre_touch=True)),
        (["-XX:-UseContainerSupport"], JvmFlags(container_support=False)),
        (["-XX:NativeMemoryTracking=summary"], JvmFlags(native_memory_tracking="summary")),
        (
            ["-Xmx", "-Xmxfoo", "-XX:", "-XX:+", "-XX:MaxRAMPercentage=300", "-Dx=-Xmx1g", "-Xmx99999999999t"],
            JvmFlags(),
        ),
        (["-XX:-UseG1GC"], JvmFlags()),
    ],
)
def test_memory_flags_are_read_and_malformed_ones_are_not(arguments: list[str], flags: JvmFlags) -> None:
    assert parse_jvm_flags(arguments) == flags


def test_arguments_of_the_program_are_not_the_jvms() -> None:
    argv = ["java", "-cp", "-Xmx9g", "-Xmx1g", "-jar", "app.jar", "-Xmx2g"]
    assert jvm_arguments(argv) == ["-Xmx1g"]
    assert jvm_arguments(["java", "-Xmx1g", "Main", "-Xmx2g"]) == ["-Xmx1g"]
    assert jvm_arguments([]) == []


@given(st.lists(st.text(alphabet="-XmsxX:+=MaxHeapSize0123456789kKmMgG.Use", max_size=24), max_size=6))
def test_any_arguments_give_flags_and_keeping_is_stable(arguments: list[str]) -> None:
    kept = kept_flags(arguments)
    assert kept_flags(kept) == kept
    assert parse_jvm_flags(kept) == parse_jvm_flags(arguments)


def test_generational_zgc_names_no_policy_and_has_one_heap() -> None:
    """Its two generations each may have the whole: 4.7 GiB were said of 2.4 GiB."""
    entries = (
        ("sun.gc.collector.0.name", b"ZGC minor collection pauses\0"),
        ("sun.gc.collector.0.invocations", 5),
        ("sun.gc.collector.2.name", b"ZGC major collection pauses\0"),
        ("sun.gc.collector.2.invocations", 2),
        ("sun.gc.generation.0.space.0.name", b"space\0"),
        ("sun.gc.generation.0.space.0.used", 10 * MIB),
        ("sun.gc.generation.0.capacity", 280 * MIB),
        ("sun.gc.generation.0.maxCapacity", 2412 * MIB),
        ("sun.gc.generation.1.space.0.used", 98 * MIB),
        ("sun.gc.generation.1.capacity", 98 * MIB),
        ("sun.gc.generation.1.maxCapacity", 2412 * MIB),
    )
    heap = jvm_heap(parse_hsperf(counters(*entries)))
    assert (heap.collector, heap.heap_max_bytes) == ("UseZGC", 2412 * MIB)
    assert (heap.eden_used_bytes, heap.survivor_used_bytes) == (10 * MIB, None)
    assert heap.tenured_bytes == 108 * MIB, "its young generation, as counted, has survived a collection"


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        (b"G1 young collection pauses\0", "UseG1GC"),
        (b"Z concurrent cycle pauses\0", "UseZGC"),
        (b"Shenandoah partial\0", "UseShenandoahGC"),
        (b"Something new\0", None),
    ],
)
def test_the_collector_is_known_by_the_names_of_its_counters(name: bytes, flag: str | None) -> None:
    sizes = (("sun.gc.generation.1.space.0.used", MIB), ("sun.gc.generation.1.capacity", MIB))
    entries = (("sun.gc.collector.0.name", name), *sizes)
    assert jvm_heap(parse_hsperf(counters(*entries))).collector == flag


def test_the_permanent_generation_of_old_jvms_is_no_heap() -> None:
    entries = (
        *HEAP,
        ("sun.gc.generation.2.name", b"perm\0"),
        ("sun.gc.generation.2.space.0.used", 60 * MIB),
        ("sun.gc.generation.2.capacity", 64 * MIB),
        ("sun.gc.generation.2.maxCapacity", 82 * MIB),
    )
    with_classes, without = (jvm_heap(parse_hsperf(counters(*each))) for each in (entries, HEAP))
    for field in ("heap_used_bytes", "heap_capacity_bytes", "heap_max_bytes", "old_max_bytes"):
        assert getattr(with_classes, field) == getattr(without, field)
    assert (with_classes.metaspace_used_bytes, with_classes.permanent_max_bytes) == (60 * MIB, 82 * MIB)


def test_the_class_space_is_read_and_recorded() -> None:
    entries = (
        *HEAP,
        ("sun.gc.metaspace.used", 37 * MIB),
        ("sun.gc.metaspace.capacity", 131 * MIB),
        ("sun.gc.compressedclassspace.capacity", 43 * MIB),
        ("sun.gc.compressedclassspace.maxCapacity", 128 * MIB),
    )
    heap = decode_counters(encode_counters(parse_hsperf(counters(*entries))))
    assert (heap.class_space_capacity_bytes, heap.class_space_max_bytes) == (43 * MIB, 128 * MIB)
    assert heap.classes_bytes == 131 * MIB


class Crowded:
    """Access to a process whose /tmp is full of directories of other users."""

    def __init__(self) -> None:
        self.looked_at = 0

    def read(self, path: str, size: int) -> bytes:
        return b"Uid:\t0\t0\t0\t0\n"

    def user_name(self, uid: int | None) -> str:
        return "root"

    def names(self, path: str) -> list[str]:
        return [f"hsperfdata_user{number}" for number in range(5000)]

    def read_below(self, root: str, parts: Sequence[str], size: int) -> bytes | None:
        self.looked_at += 1
        return None


def test_not_all_of_very_many_directories_are_searched() -> None:
    access = Crowded()
    with pytest.raises(Unavailable):
        read_counters(cast(Access, access), 42)
    assert 2 < access.looked_at < 100


def test_a_text_in_a_recording_is_kept_only_as_far_as_it_is_shown() -> None:
    texts = dict.fromkeys(("sun.gc.lastCause", "java.property.java.vm.version", "sun.gc.policy.name"), "x" * 100_000)
    heap = decode_counters(encode_counters({**parse_hsperf(counters(*HEAP)), **texts}))
    kept = [value for value in heap if isinstance(value, str)]
    assert kept and max(map(len, kept)) < 1000


def test_names_and_texts_of_counters_are_cut() -> None:
    data = counters(("n" * 5000, 1), ("text", b"t" * 50_000))
    (name, _), (_, text) = parse_hsperf(data).items()
    assert len(name) <= 200 and len(str(text)) <= 4096
