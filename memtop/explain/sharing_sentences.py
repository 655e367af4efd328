"""Sentences about shared memory: memory freed by a kill, memory saved by copy on write, the worst case."""

from __future__ import annotations

from typing import Final

from memtop.analysis.memory_map.moment import has_moved
from memtop.model.detail import Detail
from memtop.sampling.smaps.smaps_view import Missing, SharingView
from memtop.units import count, counted, duration, long_size

READING_FREED: Final = "Reading what it would free …"
_LEAST_BYTES: Final = 1 << 20
_APART_S: Final = 5.0
"""Readings of a family that are further apart than this may not show the same state."""
_ONE_NUMBER: Final = 0.02
"""A range narrower than this share of its upper end is written as one number."""


def sharing_sentences(detail: Detail, view: SharingView, *, hidden: int | None = 0) -> list[tuple[str, str]]:
    """(sentence, look), the most useful first; unknown numbers have no sentence.

    ``hidden`` is the number of processes that cannot be read, among which there may be relatives; None if unknown.
    """
    sentences = [(_kill(detail, view), "strong")]
    family = len(view.relatives) > 1
    known = view.known
    if family:
        sentences.append((_whole_family(view), ""))
    if not family:
        seen = "No fork relatives" if hidden == 0 else "No fork relatives among the processes that can be read"
        merged_bytes = (view.own.reading.rollup.number("KSM") if view.own.reading is not None else None) or 0
        merged = f", and {long_size(merged_bytes)} of pages that KSM has merged with equal ones" if merged_bytes else ""
        sentences.append((f"{seen}: what it can share is files and shared memory{merged}.", ""))
        return [(sentence, look) for sentence, look in sentences if sentence]
    rss, pss, twice = known.rss_sum_bytes, known.pss_sum_bytes, known.counted_twice_bytes
    if rss is not None and pss is not None and twice is not None and known.members:
        double = (
            f": their RES adds up to {long_size(rss)}, which counts {long_size(twice)} several times"
            if twice >= _LEAST_BYTES
            else ""
        )
        of = "These" if not view.unknown else "Of those that were read,"
        costs = "use" if view.past_s is None else "used"
        says = f"{of} {counted(len(known.members), 'process')} {costs} {long_size(pss)} together (PSS){double}."
        sentences.append((_then(view, says), ""))
    sentences.append((_then(view, _copying(view)), ""))
    sentences.append((_apart(view), ""))
    sentences.append((_how_to_get_pss(view), ""))
    return [(sentence, look) for sentence, look in sentences if sentence]


def kill_sentences(detail: Detail) -> list[str]:
    """What ending the process would free, and what ending its whole fork family would; or that it is being read."""
    view = detail.sharing
    if detail.window.cursor_s is not None:
        return ["What ending it would free is not known while you look back."]
    if view is None:
        return [READING_FREED]
    own = view.own
    if own.reading is not None:
        sentences = [
            _kill(detail, view, beside_now=True)
            or "What ending it would free is not known: not all mappings were read."
        ]
    elif own.missing in (Missing.NOTHING, Missing.UNREAD):
        sentences = [READING_FREED]
    else:
        sentences = [f"What ending it would free is not known: {own.missing.value}."]
    return [*sentences, _kill_family(view)] if len(view.relatives) > 1 else sentences


def _kill_family(view: SharingView) -> str:
    many, known = len(view.relatives), view.known
    ending = f"Ending all {many} processes of its fork family would free"
    if view.waiting:
        so_far = f"; so far {_range(*view.bounds)} is possible" if view.bounds is not None else ""
        return f"Reading what its fork family of {many} would free … ({len(known.members)} of {many} read){so_far}"
    pss = [(one.pss_anon_bytes, one.pss_bytes) for one in known.counted]
    if not view.unknown and all(anon is not None and whole is not None for anon, whole in pss):
        least, most = (sum(size or 0 for size in sizes) for sizes in zip(*pss, strict=True))
        return _then(view, f"{ending} {_range(least, most)}.")  # page cache stays until its RAM is needed
    found = view.range_bytes
    if found is None:
        return ""
    low, high = found
    rss, uss = known.rss_sum_bytes, [one.uss_bytes for one in known.counted]
    if not view.unknown and rss is not None and None not in uss:
        own = sum(size or 0 for size in uss)
        high = min(high, own + (rss - own) // 2)  # what is not a process's own and is freed, at least two of them map
    unread = f"; {view.unknown} could not be read" if view.unknown else ""
    return f"{ending} {_range(min(low, high), high)}{unread}."


def _whole_family(view: SharingView) -> str:
    """The bounds of the family's memory where its sum is not known, and why it is not."""
    found, many = view.range_bytes, len(view.relatives)
    if found is None or (not view.unknown and view.known.pss_sum_bytes is not None):
        return ""
    denied = view.unknown - view.waiting
    unread = [f"{view.waiting} not read yet"] * bool(view.waiting) + [f"{denied} could not be read"] * bool(denied)
    uses = f"The {many} processes of the family use {_range(*found)} together"
    return f"{uses}: {' and '.join(unread)}." if unread else f"{uses}; PSS would give the sum."


def _how_to_get_pss(view: SharingView) -> str:
    """Why columns that need PSS are not shown or have gaps, and how to get them; empty if nothing is missing."""
    lacking = sum(one.pss_bytes is None for one in view.known.members)
    if not lacking:
        return ""
    which = "are not shown" if view.lacks_pss else f"of {lacking} of {len(view.known.members)} are not known"
    return f"PSS, SHARED and COPYING {which}: a reading of them would stall the process. R reads smaps once."


def _kill(detail: Detail, view: SharingView, *, beside_now: bool = False) -> str:
    """What ending it would free. ``beside_now``: RES of now stands beside it, so that no other one is named."""
    freed, row, reading = view.freed, detail.row, view.own.reading
    if freed is None or row.rss_bytes is None:
        return ""
    then_bytes = reading.moment.rss_bytes if reading is not None else None
    if then_bytes is None:  # or only a part of its mappings was read
        return ""
    moved = has_moved(then_bytes, row.rss_bytes)
    res_bytes = row.rss_bytes if beside_now and not moved else then_bytes
    pool_bytes = (reading.rollup.number("Private_Hugetlb") if reading is not None else None) or 0
    most_bytes = min(freed.at_most_bytes - pool_bytes, res_bytes)
    amount = _range(min(freed.at_least_bytes - pool_bytes, most_bytes), most_bytes)
    if reading is not None and reading.in_pieces is not None and reading.in_pieces.sampled and "about" not in amount:
        amount = f"about {amount}"
    when = f"{duration(view.own.age_s)} ago, ending" if moved else "Ending"
    says = f"{when} {row.pid} would {'have freed' if moved else 'free'} {amount}"
    if not (beside_now and moved):
        says += f" of its {long_size(res_bytes)} RES"
    if pool_bytes:
        says += f", and {long_size(pool_bytes)} in huge pages, which RES does not count"
    ends = "." if most_bytes + freed.again_bytes > 0.9 * res_bytes else "; the rest is shared and stays."
    if freed.again_bytes >= _LEAST_BYTES:
        ends = f"; RES counts {long_size(freed.again_bytes)} of its pages again, which it maps several times{ends}"
    return (
        says
        + ends
        + (f" RES has changed to {long_size(row.rss_bytes)} since then." if moved and not beside_now else "")
    )


def _then(view: SharingView, says: str) -> str:
    """The sentence with the age of its readings, if RES of a process has moved since."""
    return says if view.past_s is None or not says else f"As read {duration(view.past_s)} ago: {says}"


def _copying(view: SharingView) -> str:
    known = view.known
    shared, worst = known.still_shared_bytes, known.worst_case_bytes
    if shared is None or worst is None or not known.members:
        return ""
    if shared < _LEAST_BYTES:
        where = f"Among the {known.members} that were read copy" if view.unknown else "Copy"
        return f"{where} on write saves almost nothing now: each process has its own copy of what it wrote."
    rates = [one.copying for one in view.relatives if one.copying is not None]
    copied = sum(rate.copied_bytes_per_s or 0 for rate in rates)
    faults = [rate.minflt_per_s for rate in rates]
    every = f" ({count(sum(one or 0 for one in faults))} minor faults/s)" if None not in faults else ""
    pace = f", and {long_size(copied)}/s of it is being copied{every}" if copied >= 1 else ""
    worst_case = f"if all of it is written, the family uses {long_size(worst)}"
    return f"Copy on write still saves {long_size(shared)}{pace}; {worst_case}."


def _apart(view: SharingView) -> str:
    """The time between the readings that sums and shares come from; empty if it is short."""
    read = [(one.read_s, one.pid) for one in view.relatives if one.member is not None and one.read_s is not None]
    (first_s, oldest), (last_s, newest) = min(read, default=(0.0, 0)), max(read, default=(0.0, 0))
    if last_s - first_s <= _APART_S:
        return ""
    apart = duration(last_s - first_s)
    return f"The reading of {oldest} is {apart} older than that of {newest}, so sums are approximate."


def _range(low_bytes: float, high_bytes: float) -> str:
    """``1.20 MiB to 1.64 MiB``; one number if the ends are nearly equal."""
    low, high = long_size(low_bytes), long_size(high_bytes)
    if low == high:
        return high
    return f"about {high}" if high_bytes - low_bytes < _ONE_NUMBER * high_bytes else f"{low} to {high}"
