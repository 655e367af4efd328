"""Next steps are for the program in focus, with its numbers, and only such as exist for it."""

from __future__ import annotations

import re

import pytest

from memtop.analysis.findings import RULES, Finding
from memtop.analysis.severity import Severity
from memtop.explain.finding_text import finding_texts, sentences_of
from memtop.explain.next_steps import next_step, step_entries
from memtop.explain.topic_loader import topic
from memtop.runtimes.native.allocators import Allocator
from memtop.runtimes.protocol import Identity
from memtop.runtimes.registry import REGISTRY
from memtop.runtimes.view import ToolTarget

KEYS = {"findings", "runtime", "allocators", "since", "program", "option", "address", "command", "says", "topic"}


def target(runtime: str | None, version: str | None = None, *arguments: str, **more: str) -> ToolTarget:
    return ToolTarget(
        4242, runtime, version, arguments=arguments, command=more.pop("command", " ".join(arguments)), **more
    )


@pytest.mark.parametrize(
    ("finding", "program", "command"),
    [
        ("growth", target("python", "3.11"), "memray attach 4242"),
        ("growth", target("jvm"), "jcmd 4242 GC.class_histogram"),
        ("heap_full", target("jvm"), "jcmd 4242 GC.heap_dump /tmp/heap-4242.hprof"),
        (
            "outside_heap",
            target("jvm", None, "java", "-XX:NativeMemoryTracking=summary"),
            "jcmd 4242 VM.native_memory summary",
        ),
        (
            "growth",
            target("go", address="http://127.0.0.1:6060/debug/vars"),
            "go tool pprof -sample_index=inuse_space http://127.0.0.1:6060/debug/pprof/heap",
        ),
        (
            "goroutines",
            target("go", address="http://[::1]:80/x"),
            "go tool pprof http://[::1]:80/debug/pprof/goroutine",
        ),
        ("growth", target("", allocator="glibc"), "heaptrack -p 4242"),
        ("growth", target("node", None, "node", "--heapsnapshot-signal=SIGUSR2", "x.js"), "kill -USR2 4242"),
        ("growth", target("dotnet"), "dotnet-gcdump collect -p 4242"),
        ("held_growth", target(None), "ls -l /proc/4242/fd"),
        ("descriptors", target("go"), "ls -l /proc/4242/fd"),
        ("growth", target("", command="redis-server 127.0.0.1:6379"), "redis-cli -p 6379 MEMORY DOCTOR"),
        (
            "growth",
            target("", allocator="glibc", command="postgres: app shop [local] SELECT"),
            "psql -c 'SELECT pg_log_backend_memory_contexts(4242)'",
        ),
    ],
)
def test_the_command_is_that_of_the_program(finding: str, program: ToolTarget, command: str) -> None:
    step = next_step(finding, program)
    assert step is not None
    assert (step.command, step.text.startswith(f"{command}: ")) == (command, True)


@pytest.mark.parametrize(
    ("finding", "program"),
    [
        ("growth", target("python", "2.7")),
        ("growth", target("python")),
        ("outside_heap", target("jvm", None, "java", "-XX:NativeMemoryTracking=off")),
        ("growth", target("go")),
        ("growth", target("node", None, "node", "x.js")),
        ("growth", target("", allocator="jemalloc")),
        ("growth", target("php")),
    ],
)
def test_a_command_that_this_program_cannot_answer_is_a_sentence_about_what_it_needs(
    finding: str, program: ToolTarget
) -> None:
    step = next_step(finding, program)
    assert step is not None
    assert step.command == ""
    assert step.says.endswith(".")


@pytest.mark.parametrize("program", [None, target(None), target(""), target("", allocator="musl")])
def test_a_program_that_is_not_known_has_the_general_sentence(program: ToolTarget | None) -> None:
    words = sentences_of(Finding("growth", Severity.WARNING, "x", {}), program)
    assert (words.next, words.command) == (finding_texts()["growth"]["next"], "")


def test_the_ruby_command_is_one_line_of_shell() -> None:
    step = next_step("growth", target("ruby"))
    assert step is not None
    assert step.command.startswith("rbtrace -p 4242 -e 'Thread.new{require ")
    assert step.command.endswith("}'")


@pytest.mark.parametrize("entry", step_entries(), ids=lambda entry: f"{entry.get('runtime', 'program')}")
def test_an_entry_names_what_exists(entry: dict[str, object]) -> None:
    assert set(entry) <= {
        *["findings", "runtime", "allocators", "since", "program", "option", "address", "command", "says", "topic"]
    }
    assert set(entry["findings"]) <= set(RULES)  # type: ignore[call-overload]
    assert topic(str(entry["topic"])).name == entry["topic"]
    assert str(entry["says"]).endswith(".")
    assert "{" not in str(entry["says"])
    runtime = entry.get("runtime")
    assert not runtime or REGISTRY.of(Identity(runtime=str(runtime))).name == runtime
    assert set(entry.get("allocators", ())) <= {kind.value for kind in Allocator}  # type: ignore[call-overload]
    for pattern in ("program", "option"):
        re.compile(str(entry.get(pattern, "")))
