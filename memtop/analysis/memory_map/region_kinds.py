"""Kinds of memory mappings (heap, stack, arena, code ...), and the tables of rules that recognize them.

The kernel names few mappings (files, ``[heap]``, ``[stack]``). Most kinds are recognized by address, permissions,
VmFlags and neighbors. The first rule that matches wins. Signatures were measured on glibc 2.36, Go 1.19, JDK 17, Node
20 and GCC 12's sanitizers, on Linux 6.18 for x86-64. Names that programs give (Linux 5.17) take precedence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

KIB: Final = 1 << 10
MIB: Final = 1 << 20
GIB: Final = 1 << 30


class RegionKind(Enum):
    """A use of memory: key (for JSON), title (for tables), topic (its explanation)."""

    __hash__ = object.__hash__  # every mapping is looked up by its kind, and Enum's own is written in Python

    TEXT = ("text", "program code", "region_text")
    RODATA = ("rodata", "program constants", "region_rodata")
    DATA = ("data", "program data", "region_data")
    BSS = ("bss", "program bss", "region_data")
    LIB_TEXT = ("library_text", "library code", "region_library")
    LIB_RODATA = ("library_rodata", "library constants", "region_library")
    LIB_DATA = ("library_data", "library data", "region_library")
    FILE = ("file", "mapped file", "region_file")
    HEAP = ("heap", "heap (brk)", "region_heap")
    ARENA = ("arena", "malloc arena", "region_arena")
    ARENA_RESERVED = ("arena_reserved", "malloc arena, reserved", "region_arena")
    ANON = ("anonymous", "anonymous", "region_anonymous")
    ANON_READ = ("anonymous_read_only", "anonymous, read-only", "region_anonymous")
    NAMED = ("named", "named by the program", "region_named")
    STACK = ("stack", "main stack", "region_stack")
    THREAD_STACK = ("thread_stack", "thread stack", "region_thread_stack")
    GUARD = ("guard", "guard", "region_guard")
    JIT = ("jit", "JIT code", "region_jit")
    JIT_RESERVED = ("jit_reserved", "JIT code, reserved", "region_jit")
    GO_HEAP = ("go_heap", "Go heap", "region_go")
    GO_HEAP_RESERVED = ("go_heap_reserved", "Go heap, reserved", "region_go")
    GO_RUNTIME = ("go_runtime", "Go runtime", "region_go")
    GO_RUNTIME_RESERVED = ("go_runtime_reserved", "Go runtime, reserved", "region_go")
    JVM_HEAP = ("jvm_heap", "JVM heap", "region_jvm")
    JVM_HEAP_RESERVED = ("jvm_heap_reserved", "JVM heap, reserved", "region_jvm")
    JVM_CLASSES = ("jvm_classes", "JVM classes", "region_jvm")
    JVM_CLASSES_RESERVED = ("jvm_classes_reserved", "JVM classes, reserved", "region_jvm")
    JVM_ARCHIVE = ("jvm_archive", "JVM class archive", "region_jvm")
    V8_HEAP = ("v8_heap", "JavaScript heap", "region_v8")
    SANITIZER = ("sanitizer", "sanitizer shadow", "region_sanitizer")
    SANITIZER_HEAP = ("sanitizer_heap", "sanitizer's heap", "region_sanitizer")
    SANITIZER_RESERVED = ("sanitizer_reserved", "sanitizer, reserved", "region_sanitizer")
    SHARED_ANON = ("shared_anonymous", "shared anonymous", "region_shared_anonymous")
    TMPFS = ("posix_shm", "shared memory file", "region_posix_shm")
    SYSV = ("sysv_shm", "SysV shared memory", "region_sysv_shm")
    MEMFD = ("memfd", "memfd", "region_memfd")
    SECRET = ("secret", "secret memory", "region_memfd")
    HUGETLB = ("huge_pages", "huge pages", "region_huge_pages")
    DEVICE = ("device", "device", "region_device")
    KERNEL_OBJECT = ("kernel_object", "kernel ring buffer", "region_kernel_object")
    KERNEL = ("kernel", "provided by the kernel", "region_kernel")
    RESERVED = ("reserved", "reserved", "region_reserved")

    def __init__(self, key: str, title: str, topic: str) -> None:
        self.key = key
        self.title = title
        self.topic = topic


WITHOUT_ACCESS: Final = {
    RegionKind.ARENA: RegionKind.ARENA_RESERVED,
    RegionKind.THREAD_STACK: RegionKind.GUARD,
    RegionKind.STACK: RegionKind.GUARD,
    RegionKind.JIT: RegionKind.JIT_RESERVED,
    RegionKind.GO_HEAP: RegionKind.GO_HEAP_RESERVED,
    RegionKind.GO_RUNTIME: RegionKind.GO_RUNTIME_RESERVED,
    RegionKind.JVM_HEAP: RegionKind.JVM_HEAP_RESERVED,
    RegionKind.JVM_CLASSES: RegionKind.JVM_CLASSES_RESERVED,
    RegionKind.SANITIZER: RegionKind.SANITIZER_RESERVED,
}
"""The kind of a mapping without access. Other kinds stay the same or are plainly reserved."""

GIVEN_NAMES: Final[tuple[tuple[bytes, RegionKind], ...]] = (
    (b"Go: heap index", RegionKind.GO_RUNTIME),
    (b"Go: heap reservation", RegionKind.GO_HEAP_RESERVED),
    (b"Go: heap", RegionKind.GO_HEAP),
    (b"Go: ", RegionKind.GO_RUNTIME),
    (b"glibc: malloc arena", RegionKind.ARENA),
    (b"glibc: malloc", RegionKind.ANON),
    (b"glibc: pthread stack", RegionKind.THREAD_STACK),
    (b"stack_and_tls", RegionKind.THREAD_STACK),
    (b"v8", RegionKind.V8_HEAP),
)
"""Prefixes of names given by prctl(PR_SET_VMA_ANON_NAME): Go 1.25, glibc 2.39, bionic, V8."""

KERNEL_NAMES: Final[tuple[tuple[bytes, RegionKind], ...]] = (
    (b"[heap]", RegionKind.HEAP),
    (b"[stack", RegionKind.STACK),
    (b"[vdso]", RegionKind.KERNEL),
    (b"[vvar", RegionKind.KERNEL),
    (b"[vsyscall]", RegionKind.KERNEL),
    (b"[vectors]", RegionKind.KERNEL),
    (b"[sigpage]", RegionKind.KERNEL),
    (b"[uprobes]", RegionKind.KERNEL),
    (b"/anon_hugepage", RegionKind.HUGETLB),
    (b"/SYSV", RegionKind.SYSV),
    (b"/memfd:", RegionKind.MEMFD),
    (b"/secretmem", RegionKind.SECRET),
    (b"/dev/shm/", RegionKind.TMPFS),
    (b"anon_inode:", RegionKind.KERNEL_OBJECT),
    (b"/anon_inode:", RegionKind.KERNEL_OBJECT),
    (b"/[aio]", RegionKind.KERNEL_OBJECT),
    (b"socket:", RegionKind.KERNEL_OBJECT),
    (b"/dev/", RegionKind.DEVICE),
)
"""Prefixes of names that the kernel gives. /dev/zero is handled before, by its permissions."""


@dataclass(slots=True)
class MappingTraits:
    """A mapping and its neighbors, as the rules see it."""

    start: int
    end: int
    perms: str
    flags: frozenset[str]
    is_go: bool
    is_java: bool
    is_sanitized: bool
    is_v8: bool
    before: MappingTraits | None = None
    """The mapping that ends where this one starts."""
    after: MappingTraits | None = None
    """The mapping that starts where this one ends."""
    kind: RegionKind | None = None
    """Known already for earlier mappings and for those with names."""

    @property
    def size(self) -> int:
        return self.end - self.start

    @property
    def no_access(self) -> bool:
        return self.perms.startswith("---")


ARENA_BYTES: Final = 64 * MIB
"""HEAP_MAX_SIZE of glibc's malloc for 64-bit: every further arena is aligned to it."""
GO_HEAP_START: Final = 0xC0 << 32
"""The address that the Go runtime requests for its first arena, on all 64-bit Linux."""
GO_HEAP_END: Final = GO_HEAP_START + (1 << 40)
COMPRESSED_OOPS_END: Final = 32 * GIB
"""The JVM puts heaps below 32 GB at low addresses, to address objects with 32 bits."""
GUARD_MAX: Final = MIB
V8_PAGE: Final = 256 * KIB
"""Every page of V8's heap is aligned to it."""
LIBRARY_BSS_MAX: Final = 512 * KIB
"""The memory after a library's data is its bss, but later mappings may touch and merge with it. A larger piece is not
bss."""
SHADOW_MIN: Final = 128 * MIB
SANITIZER_HEAP_START: Final = 0x6000 << 32
"""The 4 TiB of the sanitizers' allocator on x86-64, with GCC and with Clang before 16."""
SANITIZER_HEAP_END: Final = SANITIZER_HEAP_START + (4 << 40)


def _is_v8_page(look: MappingTraits) -> bool:
    """V8 keeps its pages out of forks, except in the address range that pointer compression reserves for them."""
    if "nr" not in look.flags:
        return False
    return "dc" in look.flags or (look.is_v8 and look.start % V8_PAGE == 0 and "x" not in look.perms)


def _arena_tail(look: MappingTraits) -> bool:
    head = look.before
    return "nr" in look.flags and look.end % ARENA_BYTES == 0 and head is not None and head.kind is RegionKind.ARENA


def _arena_head(look: MappingTraits) -> bool:
    if look.start % ARENA_BYTES or "nr" not in look.flags or not look.perms.startswith("rw-"):
        return False
    tail = look.after
    end = look.start + ARENA_BYTES
    return look.end == end or (tail is not None and tail.no_access and "nr" in tail.flags and tail.end == end)


def _guard_of_stack(look: MappingTraits) -> bool:
    above = look.after
    return look.size <= GUARD_MAX and above is not None and above.perms.startswith("rw-") and "nh" in above.flags


def _above_guard(look: MappingTraits, guard_max: int) -> bool:
    below = look.before
    return below is not None and below.no_access and below.kind is RegionKind.GUARD and below.size <= guard_max


def _whole_stack(look: MappingTraits) -> bool:
    # glibc 2.42 makes its guards with MADV_GUARD_INSTALL, inside the mapping: flag gu, no neighbor
    return "nh" in look.flags and (look.size in (MIB, 8 * MIB, 8 * MIB + 4 * KIB) or "gu" in look.flags)


def _above(look: MappingTraits, data: RegionKind) -> bool:
    return look.before is not None and look.before.kind is data and look.perms.startswith("rw-")


Test = Callable[[MappingTraits], bool]

NO_ACCESS_RULES: Final[tuple[tuple[Test, RegionKind], ...]] = (
    (_guard_of_stack, RegionKind.GUARD),
    (_arena_tail, RegionKind.ARENA_RESERVED),
    (lambda look: look.is_go and GO_HEAP_START <= look.start < GO_HEAP_END, RegionKind.GO_HEAP_RESERVED),
    (lambda look: look.is_java and look.end <= COMPRESSED_OOPS_END, RegionKind.JVM_HEAP_RESERVED),
    (lambda look: look.is_go and "nr" not in look.flags and look.size > 64 * KIB, RegionKind.GO_RUNTIME_RESERVED),
    (lambda look: look.is_sanitized and look.size > GIB, RegionKind.SANITIZER_RESERVED),
    # virtual machines reserve with MAP_NORESERVE; guards are made without it
    (lambda look: look.size <= GUARD_MAX and "nr" not in look.flags, RegionKind.GUARD),
    (lambda look: True, RegionKind.RESERVED),
)
"""For mappings without a name and without permission to read, write or execute."""

ANON_RULES: Final[tuple[tuple[Test, RegionKind], ...]] = (
    (lambda look: "x" in look.perms, RegionKind.JIT),
    (lambda look: look.is_go and GO_HEAP_START <= look.start < GO_HEAP_END, RegionKind.GO_HEAP),
    (_arena_head, RegionKind.ARENA),
    (lambda look: "dd" in look.flags and "nr" in look.flags and look.size >= SHADOW_MIN, RegionKind.SANITIZER),
    (
        lambda look: look.is_sanitized and SANITIZER_HEAP_START <= look.start < SANITIZER_HEAP_END,
        RegionKind.SANITIZER_HEAP,
    ),
    (_is_v8_page, RegionKind.V8_HEAP),
    (lambda look: look.is_java and look.end <= COMPRESSED_OOPS_END, RegionKind.JVM_HEAP),
    (lambda look: "nh" in look.flags and _above_guard(look, GUARD_MAX), RegionKind.THREAD_STACK),
    (
        lambda look: look.is_java and 64 * KIB <= look.size <= 64 * MIB and _above_guard(look, 64 * KIB),
        RegionKind.THREAD_STACK,
    ),
    (_whole_stack, RegionKind.THREAD_STACK),
    (lambda look: _above(look, RegionKind.DATA), RegionKind.BSS),
    (lambda look: look.size <= LIBRARY_BSS_MAX and _above(look, RegionKind.LIB_DATA), RegionKind.LIB_DATA),
    (lambda look: not look.perms.startswith("rw"), RegionKind.ANON_READ),
    (lambda look: True, RegionKind.ANON),
)
"""For the other mappings without a name."""


_SPREADS: Final = (
    # class space and metaspace are reserved in one piece with the class archive
    (
        (RegionKind.JVM_ARCHIVE, RegionKind.JVM_CLASSES, RegionKind.JVM_CLASSES_RESERVED),
        (RegionKind.ANON, RegionKind.RESERVED),
        RegionKind.JVM_CLASSES,
    ),
    # the runtime's index of the heap: a few used pages in reservations of hundreds of MiB
    (
        (RegionKind.GO_RUNTIME, RegionKind.GO_RUNTIME_RESERVED),
        (RegionKind.ANON, RegionKind.GUARD),
        RegionKind.GO_RUNTIME,
    ),
    ((RegionKind.JIT, RegionKind.JIT_RESERVED), (RegionKind.RESERVED,), RegionKind.JIT),
    ((RegionKind.SANITIZER,), (RegionKind.RESERVED,), RegionKind.SANITIZER),
)

SPREAD: Final = {(source, over): target for sources, overs, target in _SPREADS for source in sources for over in overs}
"""(kind of an adjacent neighbor, kind by the rules) -> resulting kind. It is applied upward, then downward."""
