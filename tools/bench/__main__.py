"""Measure this book against its peers, at several sizes, and on a Dask cluster; write the tables of the book's pages.

Run it with ``make bench``. Every measurement is a process of its own (``measure.py``). All of them take turns, and then
all of them again, so that what else the machine does falls on all alike. The tables hold medians.
"""

import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tools.bench.measured import describe_measurement, make_table, store

from .measure import measure

REPETITIONS = 3
LIBRARIES = ("numpy", "scipy", "scikit-learn", "nilearn", "joblib", "himalaya", "dask")


@dataclass(frozen=True)
class Row:
    """A call of this book and a peer's; the peer may do one part of ``parts``."""

    what: str
    call: tuple
    peer: str
    peer_call: tuple
    parts: float = 1


PIPELINE = ("by_this_book", "pipeline")
SCORES, SEARCH, FIELDS = (("by_this_book", "call", name) for name in ("ridge scores", "alpha search", "fields"))
FOLDS = 10
SHARE = 5438 / 151  # all voxels, for every 36th

ROWS = (
    Row("Files to four fields", PIPELINE, "published analysis", ("by_scikit_learn", "pipeline")),
    Row("Ridge scores", SCORES, "scikit-learn, published loop", ("by_scikit_learn", "ridge_scores")),
    Row("Ridge scores", SCORES, "himalaya", ("by_himalaya", "ridge_scores")),
    Row("Alpha search", SEARCH, "scikit-learn, 1 of 10 folds", ("by_scikit_learn", "alpha_search_one_fold"), FOLDS),
    Row("Alpha search", SEARCH, "himalaya, 1 of 10 folds", ("by_himalaya", "alpha_search_one_fold"), FOLDS),
    Row("Alpha search", SEARCH, "himalaya, no outer loop", ("by_himalaya", "alpha_search_once")),
    Row("All fields", FIELDS, "scikit-learn, 151 voxels", ("by_scikit_learn", "sampled_fields"), SHARE),
    Row("All fields", FIELDS, "scikit-learn, 151 voxels, all cores", ("by_scikit_learn", "sampled_fields", -1), SHARE),
    Row("All fields", FIELDS, "himalaya, 151 voxels", ("by_himalaya", "sampled_fields"), SHARE),
)
SIZES = (1_000, 5_000, 20_000, 100_000)
SPREAD_SIZES = (20_000,)
STARTING = ("by_dask", "starting")
CALLS = {"Ridge scores": SCORES, "Alpha search": SEARCH, "All fields": FIELDS}


def spread(call, size):
    """A call in one process, in two of joblib's, and on two workers of Dask."""
    return (*call, size), (*call, size, 2), ("by_dask", *call[1:], size)


def list_calls():
    """All that is to be measured, each once."""
    peers = [call for row in ROWS for call in (row.call, row.peer_call)]
    sizes = [(*call, size) for size in SIZES for call in CALLS.values()]
    spreads = [each for size in SPREAD_SIZES for call in CALLS.values() for each in spread(call, size)]
    return list(dict.fromkeys([*peers, *sizes, STARTING, *spreads]))


def measure_all(calls):
    """Medians for each call."""
    print("Warming up: the recording is made if need be, and read", flush=True)
    measure(*PIPELINE)
    found = {call: [] for call in calls}
    left = REPETITIONS * len(calls)
    start = time.perf_counter()
    for repetition in range(1, REPETITIONS + 1):
        for call in calls:
            name = " ".join(f"{part:,}" if isinstance(part, int) else part for part in call)
            print(f"[{left} left] round {repetition}: {name}", end=" ... ", flush=True)
            found[call].append(measure(*call))
            left -= 1
            print(f"{found[call][-1]['seconds']:.2f} s", flush=True)
    print(f"Measured in {(time.perf_counter() - start) / 60:.0f} minutes")
    return {
        call: {mark: statistics.median(each[mark] for each in measured) for mark in measured[0]}
        for call, measured in found.items()
    }


def show(value):
    """Three digits of a number, without an exponent."""
    digits = max(0, 2 - int(f"{value:e}".partition("e")[2])) if value else 0
    return f"{value:,.{digits}f}"


def table_of_peers(medians):
    """This book beside each peer: seconds, how many times as many, megabytes."""
    rows = []
    for row in ROWS:
        mine, peers = medians[row.call], medians[row.peer_call]
        seconds = peers["seconds"] * row.parts
        about = "" if row.parts == 1 else "≈\N{NO-BREAK SPACE}"
        numbers = mine["seconds"], seconds, seconds / mine["seconds"], mine["peak"], peers["peak"]
        one, other, *rest = map(show, numbers)
        rows.append([row.what, row.peer, one, about + other, *rest])
    numbers = ["This book (s)", "Peer (s)", "Peer / book", "This book (MB)", "Peer (MB)"]
    return make_table(["What", "Peer"], numbers, rows)


def table_of_sizes(medians):
    """Time per voxel, and memory beyond input and output, for each size."""
    rows = []
    for what, call in CALLS.items():
        for size in SIZES:
            found = medians[*call, size]
            numbers = found["seconds"], 1e6 * found["seconds"] / size, found["beyond"]
            rows.append([what, f"{size:,}", *map(show, numbers)])
    return make_table(["What"], ["Voxels", "Time (s)", "Per voxel (µs)", "Memory (MB)"], rows)


def table_of_dask(medians):
    """Seconds without and with two processes or workers."""
    rows = []
    for what, call in CALLS.items():
        for size in SPREAD_SIZES:
            one, two, dask = (medians[each]["seconds"] for each in spread(call, size))
            rows.append([what, f"{size:,}", *map(show, (one, two, one / two, dask, one / dask))])
    rows.append(["Starting the cluster", *[""] * 4, show(medians[STARTING]["seconds"]), ""])
    return make_table(["What"], ["Voxels", "One process (s)", "n_jobs=2 (s)", "Gain", "Two workers (s)", "Gain"], rows)


def write_pages(medians):
    """Replace the tables of the pages; each whole or not at all."""
    measured = f"\n{describe_measurement(*LIBRARIES)} Medians of {REPETITIONS} runs.\n"
    store("benchmarks", table_of_peers(medians) + measured)
    store("sizes", table_of_sizes(medians) + measured)
    store("dask", table_of_dask(medians) + measured)


if __name__ == "__main__":
    if not Path("/proc/self/clear_refs").exists():
        sys.exit("The memory is measured as Linux counts it: run this on Linux.")
    try:
        write_pages(measure_all(list_calls()))
    except KeyboardInterrupt:
        sys.exit("Interrupted. The tables of before are still in place.")
