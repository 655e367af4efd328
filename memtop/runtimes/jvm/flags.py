"""Memory flags of a JVM (-Xmx and others), from its command line. No other argument leaves this module."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

_SIZE = re.compile(r"(\d{1,18})([kKmMgGtT]?)\Z")
_LARGEST: Final = 1 << 57
_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_COLLECTORS: Final = (
    "UseG1GC",
    "UseZGC",
    "UseShenandoahGC",
    "UseSerialGC",
    "UseParallelGC",
    "UseParallelOldGC",
    "UseConcMarkSweepGC",
    "UseEpsilonGC",
)
_SIZES: Final = {
    "MaxHeapSize": "max_heap_bytes",
    "InitialHeapSize": "initial_heap_bytes",
    "MaxMetaspaceSize": "max_metaspace_bytes",
    "MaxDirectMemorySize": "max_direct_bytes",
    "ReservedCodeCacheSize": "code_cache_bytes",
    "CompressedClassSpaceSize": "class_space_bytes",
    "ThreadStackSize": "thread_stack_bytes",
}
_SHORT: Final = {"-Xmx": "max_heap_bytes", "-Xms": "initial_heap_bytes", "-Xss": "thread_stack_bytes"}
_PERCENTAGES: Final = {
    "MaxRAMPercentage": "max_ram_percentage",
    "InitialRAMPercentage": "initial_ram_percentage",
    "MinRAMPercentage": "min_ram_percentage",
}
_SWITCHES: Final = {"AlwaysPreTouch": "always_pre_touch", "UseContainerSupport": "container_support"}
_COUNTERS_OFF: Final = {"UsePerfData": False, "PerfDisableSharedMem": True}
"""Switches, and the setting with which no counters are written to a file."""
_WITH_VALUE: Final = frozenset(
    (
        "-cp",
        "-classpath",
        "--class-path",
        "-p",
        "--module-path",
        "--upgrade-module-path",
        "--add-modules",
        "--limit-modules",
        "--add-opens",
        "--add-exports",
        "--add-reads",
        "--patch-module",
        "--source",
    )
)
_KIB_FLAGS: Final = frozenset(("ThreadStackSize",))


class JvmFlags(NamedTuple):
    """Memory flags as given. The last of two counts; None if not given."""

    max_heap_bytes: int | None = None
    """-Xmx or MaxHeapSize."""
    initial_heap_bytes: int | None = None
    max_ram_percentage: float | None = None
    """-XX:MaxRAMPercentage; the JVM's own default is 25."""
    initial_ram_percentage: float | None = None
    min_ram_percentage: float | None = None
    max_metaspace_bytes: int | None = None
    max_direct_bytes: int | None = None
    code_cache_bytes: int | None = None
    class_space_bytes: int | None = None
    thread_stack_bytes: int | None = None
    collector: str | None = None
    """For example ``UseG1GC``."""
    always_pre_touch: bool | None = None
    container_support: bool | None = None
    counters_off_by: str | None = None
    """The flag that keeps its counters from being written to a file; None if none does."""
    native_memory_tracking: str | None = None
    """``off``, ``summary`` or ``detail``."""


def jvm_arguments(argv: Sequence[str]) -> list[str]:
    """The JVM's own arguments in a command line: those before the main class or ``-jar``."""
    found: list[str] = []
    value_follows = False
    for argument in argv[1:]:
        if value_follows:
            value_follows = False
        elif argument in _WITH_VALUE:
            value_follows = True
        elif argument in ("-jar", "-m", "--module") or not argument.startswith(("-", "@")):
            break
        else:
            found.append(argument)
    return found


def parse_jvm_flags(arguments: Iterable[str]) -> JvmFlags:
    """Parse the memory flags among a JVM's own arguments. Malformed flags count as not given."""
    values: dict[str, int | float | str | bool] = {}
    for argument in arguments:
        if (field := _SHORT.get(argument[:4])) is not None:
            _put(values, field, _size(argument[4:]))
        elif argument.startswith("-XX:"):
            _put_extended(values, argument[4:])
    return JvmFlags(**values)  # type: ignore[arg-type]


def kept_flags(arguments: Iterable[str]) -> list[str]:
    """The arguments that :func:`parse_jvm_flags` understands, and no other."""
    return [argument for argument in arguments if parse_jvm_flags([argument]) != JvmFlags()]


def _put_extended(values: dict[str, int | float | str | bool], option: str) -> None:
    if option[:1] in "+-" and option[:1]:
        name, on = option[1:], option[0] == "+"
        if name in _COLLECTORS and on:
            values["collector"] = name
        elif name in _SWITCHES:
            values[_SWITCHES[name]] = on
        elif name in _COUNTERS_OFF:
            values.pop("counters_off_by", None)
            if on == _COUNTERS_OFF[name]:
                values["counters_off_by"] = f"-XX:{option}"
        return
    name, _, value = option.partition("=")
    if name in _SIZES:
        size = _size(value)
        _put(values, _SIZES[name], size * 1024 if size is not None and name in _KIB_FLAGS else size)
    elif name in _PERCENTAGES:
        if re.fullmatch(r"\d{1,3}(\.\d{1,9})?", value) and float(value) <= 100:
            values[_PERCENTAGES[name]] = float(value)
    elif name == "NativeMemoryTracking" and value in ("off", "summary", "detail"):
        values["native_memory_tracking"] = value


def _put(values: dict[str, int | float | str | bool], field: str, value: int | None) -> None:
    if value is not None:
        values[field] = value


def _size(text: str) -> int | None:
    match = _SIZE.match(text)
    if not match:
        return None
    size: int = int(match[1]) * 1024 ** _POWERS[match[2].lower()]
    return size if size <= _LARGEST else None
