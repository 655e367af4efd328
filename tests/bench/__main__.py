"""The bench's command line and what it prints."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from statistics import median

from memtop.demo import Workload
from tests.bench import budgets, late, latency, start
from tests.bench.budgets import Budget, Costs
from tests.bench.contestants import CONTESTANTS, HTOP, Contestant, program
from tests.bench.idle import Idle
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
    plan = Plan(options.size, options.warmup, options.seconds)
    if options.latency:
        _latency(options.rounds, options.seconds)
        return 0
    with Idle() as idle:
        if options.one_pid:
            found = _one_pid(contestants, plan, options.rounds, idle, options.counts[0])
        elif options.start:
            found = _start(contestants, plan, options.rounds, idle, options.counts[0])
        elif options.late:
            found = _late(options.seconds, idle, options.counts[0])
        else:
            found = _crowds(contestants, plan, options.rounds, idle, options.counts)
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
    mode.add_argument("--latency", action="store_true", help="mmap latency of a process that is watched")
    mode.add_argument("--late", action="store_true", help="how far samples are from their plan")
    names = [one.name for one in CONTESTANTS]
    parser.add_argument("--only", type=_words, default=names, metavar="A,B", help=f"of {', '.join(names)}")
    parser.add_argument("--counts", type=_counts, default=[500, 2000], metavar="N,N", help="idle processes (500,2000)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="each contestant's turns (3)")
    parser.add_argument("--warmup", type=float, default=4, metavar="S", help="seconds before measuring (4)")
    parser.add_argument("--seconds", type=float, default=10, metavar="S", help="seconds measured (10)")
    parser.add_argument("--size", type=_size, default=Size(160, 45), metavar="CxR", help="of the terminal (160x45)")
    return parser.parse_args()


def _words(text: str) -> list[str]:
    return text.split(",")


def _counts(text: str) -> list[int]:
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
        return list(budgets.of_one(_in_turn(turns, plan, rounds, f"one process, beside {count} idle ones")))


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


def _latency(rounds: int, seconds: float) -> None:
    for resident_mib in latency.SIZES_MIB:
        print(f"\nmmap and munmap of a process with {resident_mib:,} MiB resident: {rounds} rounds of {seconds:g} s")
        print(f"  {'':<20} {'median us':>10} {'':>7} {'99.9 % us':>10} {'':>7} {'worst us':>10}", flush=True)
        found = latency.latencies(resident_mib, rounds, seconds)
        alone = found[latency.ALONE]
        for condition, one in found.items():
            shares = [one.median_us / alone.median_us, one.p999_us / alone.p999_us]
            print(
                f"  {condition:<20} {one.median_us:>10.2f} {shares[0]:>7.2f} {one.p999_us:>10.1f} {shares[1]:>7.2f}"
                f" {one.worst_us:>10.0f}",
                flush=True,
            )


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


def _print_budgets(found: Iterable[Budget]) -> None:
    def show(bound: float | None) -> str:
        return "" if bound is None else f"{bound:g}"

    print(f"\n  {'memtop':<50} {'now':>8} {'must':>6} {'reach':>6}")
    for budget in found:
        bounds = f"{show(budget.must):>6} {show(budget.reach):>6}"
        print(f"  {budget.figure:<50} {budget.value:8.2f} {bounds}  {budget.verdict}")


if __name__ == "__main__":
    sys.exit(main())
