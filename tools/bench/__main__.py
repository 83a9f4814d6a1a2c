"""Measure this book against its peers, at several sizes, and on a Dask cluster; write the tables of the book's pages.

Run it with ``make bench``, on Linux. Every measurement is a process of its own (``measure.py``). All of them take
turns, and then all of them again, so that what else the machine does falls on all alike. The tables hold medians.
"""

import itertools
import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from voxelwise.files import replace_file

from .measure import ROOT, measure

REPETITIONS = 3
LIBRARIES = ("numpy", "scipy", "scikit-learn", "nilearn", "joblib", "himalaya", "dask")

PIPELINE = ("by_this_book", "pipeline")
STARTING = ("by_dask", "starting")
CALLS = {what: ("by_this_book", "call", what) for what in ("Ridge scores", "Alpha search", "All fields")}
#: The calls of this book that have peers.
MINE = CALLS | {"Files to four fields": PIPELINE, "Banded ridge": ("by_this_book", "banded_ridge")}
SHARE = 5438 / 151  # all voxels, for every 36th
#: What this book does, a peer, the peer's call, and how many times that call makes up the whole.
RACES = (
    ("Files to four fields", "published analysis", ("by_scikit_learn", "pipeline"), 1),
    ("Ridge scores", "scikit-learn, published loop", ("by_scikit_learn", "ridge_scores"), 1),
    ("Ridge scores", "himalaya", ("by_himalaya", "ridge_scores"), 1),
    ("Alpha search", "scikit-learn, 1 of 10 folds", ("by_scikit_learn", "alpha_search_one_fold"), 10),
    ("Alpha search", "himalaya, 1 of 10 folds", ("by_himalaya", "alpha_search_one_fold"), 10),
    ("Alpha search", "himalaya, no outer loop", ("by_himalaya", "alpha_search_once"), 1),
    ("Banded ridge", "himalaya", ("by_himalaya", "banded_ridge"), 1),
    ("All fields", "scikit-learn, 151 voxels", ("by_scikit_learn", "sampled_fields"), SHARE),
    ("All fields", "scikit-learn, 151 voxels, all cores", ("by_scikit_learn", "sampled_fields", -1), SHARE),
    ("All fields", "himalaya, 151 voxels", ("by_himalaya", "sampled_fields"), SHARE),
)
#: The same for many features, and the products of float32 that the book's way cannot do without, in 1e12 operations.
WIDE_RACES = (
    ("Ridge scores", "scikit-learn, published loop", ("by_scikit_learn", "ridge_scores", "wide"), 1),
    ("Alpha search", "himalaya, 1 of 10 folds", ("by_himalaya", "alpha_search_one_fold", "wide"), 10),
    ("Plain search", "himalaya", ("by_himalaya", "alpha_search_once", "wide"), 1),
    ("Plain search", "scikit-learn, leave one out", ("by_scikit_learn", "wide_search_once"), 1),
)
FILED = ("Ridge scores", "Plain search")
PRODUCT = ("by_this_book", "product")
SIZES = (1_000, 5_000, 20_000, 100_000)
SPREAD_SIZE = 20_000


def spread(call):
    """A call in one process, in two of joblib's, and on two workers of Dask."""
    return (*call, SPREAD_SIZE), (*call, SPREAD_SIZE, 2), ("by_dask", *call[1:], SPREAD_SIZE)


def measure_all():
    """Medians for each call that a table needs."""
    peers = [call for what, _, peer_call, _ in RACES for call in (MINE[what], peer_call)]
    sizes = [(*call, size) for size in SIZES for call in CALLS.values()]
    spreads = [each for call in CALLS.values() for each in spread(call)]
    wide = [call for what, _, peer_call, _ in WIDE_RACES for call in (("by_this_book", "wide", what), peer_call)]
    filed = [("by_this_book", "filed", what) for what in FILED]
    found = {call: [] for call in (*peers, *sizes, STARTING, *spreads, *wide, *filed, PRODUCT)}
    measure(*PIPELINE)  # makes the recording if need be
    for call in REPETITIONS * list(found):
        found[call].append(measure(*call))
        print(f"{' '.join(map(str, call))}: {found[call][-1]['seconds']:.2f} s", flush=True)
    return {call: pd.DataFrame(measured).median() for call, measured in found.items()}


def show(value):
    """Three digits of a number, without an exponent."""
    digits = max(0, 2 - int(f"{value:e}".partition("e")[2])) if value else 0
    return f"{value:,.{digits}f}"


def make_table(texts, numbers, rows):
    """A Markdown table, given the headings of its columns of text and of those of numbers."""
    marks = ["---"] * len(texts) + ["---:"] * len(numbers)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in ([*texts, *numbers], marks, *rows))


def race(what, peer, mine, other, parts):
    """The cells that say who was faster; where the peer did a part of the whole, by its share."""
    about = "" if parts == 1 else "≈\N{NO-BREAK SPACE}"
    return [what, peer, show(mine), about + show(other * parts), show(other * parts / mine)]


def table_of_peers(medians):
    """This book beside each peer: seconds, how many times as many, megabytes."""
    rows = []
    for what, peer, peer_call, parts in RACES:
        mine, other = medians[MINE[what]], medians[peer_call]
        row = race(what, peer, mine["seconds"], other["seconds"], parts)
        rows.append([*row, show(mine["peak"]), show(other["peak"])])
    numbers = ["This book (s)", "Peer (s)", "Peer / book", "This book (MB)", "Peer (MB)"]
    return make_table(["What", "Peer"], numbers, rows)


def table_of_sizes(medians):
    """Time per voxel, and memory beyond input and output, for each size."""
    rows = []
    for what, size in itertools.product(CALLS, SIZES):
        seconds, _, beyond = medians[*CALLS[what], size]
        rows.append([what, f"{size:,}", *map(show, (seconds, 1e6 * seconds / size, beyond))])
    return make_table(["What"], ["Voxels", "Time (s)", "Per voxel (µs)", "Memory (MB)"], rows)


def operations(what, n_samples, n_voxels, n_features):
    """Operations in matrix products, in units of 1e12, that a call takes with ten folds and twenty penalties.

    A score takes ``X'Y`` and predictions of all samples. For each pair of training and test set, and each penalty, a
    search takes predictions of no more rows than there are samples or features; for each training set, the products
    along its directions.
    """
    n_pairs, n_trains = {"Ridge scores": (0, 0), "Plain search": (10, 10), "Alpha search": (90, 55)}[what]
    n_rows = min(n_samples // 10, n_features)
    once = 2 * n_samples * n_features * n_voxels
    searched = 2 * n_features * n_voxels * (20 * n_pairs * n_rows + n_trains * n_features)
    return ((1 + (what != "Plain search")) * once + searched) / 1e12


def table_of_large(medians):
    """Many features: this book beside each peer, and how near it comes to the machine's own speed; then from files."""
    speed, rows = 2 * 6_000**3 / 1e12 / medians[PRODUCT]["seconds"], []
    for what, peer, peer_call, parts in WIDE_RACES:
        mine = medians["by_this_book", "wide", what]["seconds"]
        share = operations(what, 2_000, 20_000, 400) / mine / speed
        rows.append([*race(what, peer, mine, medians[peer_call]["seconds"], parts), f"{share:.0%}"])
    for what in FILED:
        seconds, peak, _ = medians["by_this_book", "filed", what]
        share = operations(what, 8_000, 60_000, 1_000) / seconds / speed
        about = f"{what}, from files", f"none; {peak / 1e3:.1f} GB at peak"
        rows.append([*about, show(seconds), "", "", f"{share:.0%}"])
    return make_table(["What", "Peer"], ["This book (s)", "Peer (s)", "Peer / book", "Share of speed"], rows)


def table_of_dask(medians):
    """Seconds without and with two processes or workers."""
    rows = []
    for what, call in CALLS.items():
        one, two, dask = (medians[each]["seconds"] for each in spread(call))
        rows.append([what, f"{SPREAD_SIZE:,}", *map(show, (one, two, one / two, dask, one / dask))])
    rows.append(["Starting the cluster", *[""] * 4, show(medians[STARTING]["seconds"]), ""])
    return make_table(["What"], ["Voxels", "One process (s)", "n_jobs=2 (s)", "Gain", "Two workers (s)", "Gain"], rows)


def describe_measurement():
    """The day, the machine, Python, the versions of the libraries, and what the numbers are."""
    about = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = (line.partition(":")[2].strip() for line in about if line.startswith("model name"))
    versions = "".join(f", {name} {version(name)}" for name in LIBRARIES)
    machine = f"{next(models, platform.machine())}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return f"\nMeasured on {date.today()}: {machine}{versions}. Medians of {REPETITIONS} runs.\n"


def main():
    """Measure, then replace the tables of the pages; each whole or not at all."""
    medians = measure_all()
    tables = dict(benchmarks=table_of_peers, large=table_of_large, sizes=table_of_sizes, dask=table_of_dask)
    for name, table in tables.items():
        text = table(medians) + describe_measurement()
        replace_file(ROOT / "book" / "_measured" / f"{name}.md", text.encode())
        print(f"\n{text}", end="", flush=True)


if __name__ == "__main__":
    main()
