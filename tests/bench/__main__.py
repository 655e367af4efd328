"""The bench's command line and what it prints."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import median

from memtop.demo.workload import Workload
from tests.bench import budgets, hour, late, latency, latency_report, start
from tests.bench.budgets import Budget, Costs
from tests.bench.contestants import CONTESTANTS, FAST, HTOP, MEMTOP, Contestant, program
from tests.bench.idle import Idle
from tests.bench.mapper import Window, compiled
from tests.bench.meter import Cost, Plan, measure, medians
from tests.bench.terminal import Size

_EPILOG = """\
Without a mode: all processes on screen at 1 s, beside each number of idle ones.
Figures are medians of rounds in which the contestants take turns; read the ratios.
"""


def main() -> int:
    """Measure what is asked for; 1 where a budget that must be kept is missed."""
    options = _options()
    contestants = [one for one in CONTESTANTS if one.name in options.only and program(one.name)]
    missing = [name for name in options.only if name not in {one.name for one in contestants}]
    if missing:
        print(f"left out, not installed: {', '.join(missing)}")
    rounds, seconds = options.rounds or 3, options.seconds or 10
    plan = Plan(options.size, options.warmup, seconds)
    with Idle() as idle:
        if options.one_pid:
            found = _one_pid(contestants, plan, rounds, idle, options.counts[0])
        elif options.start:
            found = _start(contestants, plan, rounds, idle, options.counts[0])
        elif options.late:
            found = _late(seconds, idle, options.counts[0])
        elif options.latency:
            pinned = not options.unpinned and len(os.sched_getaffinity(0)) > 1
            windows = latency.Plan(options.size, options.rounds or 2, options.seconds or 20, pinned)
            found = _latency(windows, options.resident)
        elif options.hour:
            found = _hour(options.hour, options.size, idle, options.counts[0])
        else:
            found = _crowds(contestants, plan, rounds, idle, options.counts)
    if found:
        _print_budgets(found)
    return int(any(budget.verdict == "MISSED" for budget in found))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=sys.modules["tests.bench"].__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--one-pid", action="store_true", help="one process on screen, whose memory moves")
    mode.add_argument("--start", action="store_true", help="time to a headless sample and to the first rows")
    mode.add_argument("--late", action="store_true", help="how far samples are from their plan")
    mode.add_argument("--latency", action="store_true", help="mmap and munmap of a process that is watched (gcc)")
    mode.add_argument("--hour", type=int, nargs="?", const=60, metavar="MIN", help="RES minute by minute (60)")
    names = [one.name for one in CONTESTANTS]
    parser.add_argument("--only", type=_words, default=names, metavar="A,B", help=f"of {', '.join(names)}")
    parser.add_argument("--counts", type=_numbers, default=[500, 2000], metavar="N,N", help="idle processes (500,2000)")
    parser.add_argument("--rounds", type=int, metavar="N", help="each contestant's turns (3; 2 for --latency)")
    parser.add_argument("--warmup", type=float, default=4, metavar="S", help="seconds before measuring (4)")
    parser.add_argument("--seconds", type=float, metavar="S", help="seconds measured each time (10; 20 for --latency)")
    parser.add_argument("--size", type=_size, default=Size(160, 45), metavar="CxR", help="of the terminal (160x45)")
    sizes = latency.SIZES_MIB
    parser.add_argument(
        "--resident",
        type=_numbers,
        default=sizes,
        metavar="MIB,MIB",
        help=f"for --latency ({','.join(map(str, sizes))})",
    )
    parser.add_argument("--unpinned", action="store_true", help="for --latency: one processor may be wanted by both")
    return parser.parse_args()


def _words(text: str) -> list[str]:
    return text.split(",")


def _numbers(text: str) -> list[int]:
    return sorted(int(word) for word in text.split(","))


def _size(text: str) -> Size:
    columns, rows = text.split("x")
    return Size(int(columns), int(rows))


def _crowds(
    contestants: Sequence[Contestant], plan: Plan, rounds: int, idle: Idle, counts: Sequence[int]
) -> list[Budget]:
    crowds: dict[int, Costs] = {}
    for count in counts:
        idle.grow(count)
        crowds[count] = _in_turn(
            [(one, one.everything) for one in contestants], plan, rounds, f"all processes, {count} idle ones"
        )
    return list(budgets.of_crowds(crowds, plan.size))


def _one_pid(contestants: Sequence[Contestant], plan: Plan, rounds: int, idle: Idle, count: int) -> list[Budget]:
    idle.grow(count)
    with Workload.start("sawtooth") as target:
        turns = [(one, (*one.one, str(target.pid))) for one in contestants if one.one is not None]
        fast = [
            (replace(one, name=FAST), (MEMTOP, "-d", "0.1", words[-1])) for one, words in turns if one.name == MEMTOP
        ]
        return list(budgets.of_one(_in_turn([*turns, *fast], plan, rounds, f"one process, beside {count} idle ones")))


def _start(contestants: Sequence[Contestant], plan: Plan, rounds: int, idle: Idle, count: int) -> list[Budget]:
    idle.grow(count)
    with Workload.start("reserve", hold=True) as target:
        headless_s = start.headless(target.pid, 7 * rounds)
    paint_s = start.first_paint(list(contestants), plan.size, 2 * rounds)
    print(f"\nstart, beside {count} idle processes: milliseconds, medians")
    for name, seconds in headless_s.items():
        print(f"  {name:<8} {'does nothing' if name == 'python' else '--json -n 1 PID':<24} {seconds * 1000:7.0f}")
    for name, seconds in paint_s.items():
        print(f"  {name:<8} {'Textual app, paints' if name == 'empty' else 'first rows':<24} {seconds * 1000:7.0f}")
    return list(budgets.of_start(headless_s, paint_s))


def _late(seconds: float, idle: Idle, count: int) -> list[Budget]:
    idle.grow(count)
    delay_s = 0.2
    with Workload.start("sawtooth") as target:
        late_s = late.lateness(target.pid, max(2, int(seconds / delay_s)), delay_s)
    print(f"\nlateness of {len(late_s)} samples at {delay_s} s, beside {count} idle processes: ", end="")
    print(f"median {median(late_s) * 1000:.1f} ms, worst {max(late_s) * 1000:.1f} ms")
    return list(budgets.of_lateness(max(late_s)))


def _latency(plan: latency.Plan, sizes_mib: Sequence[int]) -> list[Budget]:
    about_s = len(sizes_mib) * (plan.rounds * 2 * len(latency.ARMS) * plan.seconds + latency.STARTING_S)
    apart = "kept from the target's processor" if plan.pinned else "free to compete for the target's processor"
    print(f"mmap and munmap, each in microseconds, ready in {about_s:.0f} s")
    print(f"memtop in {plan.size.columns}x{plan.size.rows} is {apart}")
    print("beside each ratio to alone: where nine of ten repetitions would find it", flush=True)
    found: list[Budget] = []
    sizes: list[latency.Measured] = []
    with compiled() as program:
        for size_mib in sizes_mib:
            title = f"{size_mib:,} MiB"
            sizes.append(latency.measure(program, size_mib, plan))
            found.append(latency_report.start_judged(title, sizes[-1].starting))
            found += _compared(title, sizes[-1].windows)
    if len(sizes) > 1:
        found += _compared("all sizes", latency_report.together(sizes))
    return found


def _compared(title: str, windows: Mapping[str, Sequence[Window]]) -> Iterator[Budget]:
    found = latency_report.report(windows)
    print(f"\n{title} resident, {len(windows[latency.ALONE])} windows of each")
    print(*latency_report.lines(found), sep="\n", flush=True)
    return latency_report.judged(title, found)


def _hour(minutes: int, size: Size, idle: Idle, count: int) -> list[Budget]:
    idle.grow(count)
    print(f"RES in MiB, beside {count} idle processes, minute by minute")
    first: dict[str, hour.Resident] = {}
    for minute, found in enumerate(hour.residents(minutes, size), 1):
        first = first or found
        columns = (f"{title} {one.rss_bytes / 2**20:.2f}" for title, one in found.items())
        print(f"  {minute:>4}", *columns, sep="   ", flush=True)
    return [budgets.of_hour(title, minutes, first[title].rss_bytes, one.rss_bytes) for title, one in found.items()]


def _in_turn(turns: Sequence[tuple[Contestant, tuple[str, ...]]], plan: Plan, rounds: int, title: str) -> Costs:
    """Each contestant once a round; prints and returns the medians. One that cannot run is said and left out."""
    about_s = rounds * len(turns) * (plan.warmup_s + plan.seconds)
    print(f"\n{title}: {rounds} rounds of {plan.seconds:g} s, {plan.size.columns}x{plan.size.rows}", end="")
    print(f", ready in {about_s:.0f} s", flush=True)
    costs: dict[str, list[Cost]] = {}
    failed: dict[str, str] = {}
    for _ in range(rounds):
        for contestant, words in turns:
            if contestant.name in failed:
                continue
            try:
                costs.setdefault(contestant.name, []).append(measure(contestant, words, plan))
            except RuntimeError as error:
                failed[contestant.name] = str(error)
    found = {name: medians(several) for name, several in costs.items() if several}
    print(f"  {'':<8} {'CPU ms/s':>9} {'(rounds)':<24} {'/ htop':>7} {'RES MB':>7} {'bytes/s':>9} {'tasks':>6}")
    for name, cost in found.items():
        each = " ".join(f"{one.cpu_ms_per_s:.1f}" for one in costs[name])
        share = f"{cost.cpu_ms_per_s / found[HTOP].cpu_ms_per_s:.2f}" if HTOP in found else ""
        print(
            f"  {name:<8} {cost.cpu_ms_per_s:9.1f} {each:<24} {share:>7} {cost.rss_bytes / budgets.MB:7.1f}"
            f" {cost.written_bytes_per_s:9,.0f} {cost.tasks:6.0f}"
        )
    for reason in failed.values():
        print(f"  {reason}")
    return found


def _print_budgets(found: Sequence[Budget]) -> None:
    def show(bound: float | None) -> str:
        return "" if bound is None else f"{bound:g}"

    wide = max(len(budget.figure) for budget in found)
    print(f"\n  {'memtop':<{wide}} {'now':>8} {'must':>6} {'reach':>6}")
    for budget in found:
        bounds = f"{show(budget.must):>6} {show(budget.reach):>6}"
        print(f"  {budget.figure:<{wide}} {budget.value:8.2f} {bounds}  {budget.verdict}")


if __name__ == "__main__":
    sys.exit(main())
