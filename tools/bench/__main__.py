"""Measure this book against its peers, at several sizes, and on a Dask cluster; write the tables of the book's pages.

All calls take turns, and then all of them again, so that what else the machine does falls on all alike.
"""

import functools
import itertools
import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from tools.bench import calls
from tools.bench.measure import measure
from voxelwise.files import replace_file

PAGES = Path(__file__).resolve().parents[2] / "book" / "_measured"
REPETITIONS = 3
LIBRARIES = ("numpy", "scipy", "scikit-learn", "nilearn", "joblib", "himalaya", "dask")

SCORES, SEARCH, ONCE, FIELDS = calls.BOOK
PIPELINE, BANDED = (calls.book_pipeline,), (calls.book_banded,)
SHARE = 5438 / 151  # all voxels, for every 36th
#: The book's call, what it does, a peer, the peer's call, and how many times that call makes up the whole.
RACES = (
    (PIPELINE, "Files to four fields", "published analysis", (calls.published_pipeline,), 1),
    ((calls.book, SCORES), SCORES, "scikit-learn, published loop", (calls.sklearn_scores,), 1),
    ((calls.book, SEARCH), SEARCH, "himalaya, 1 of 10 folds", (calls.himalaya_search_one_fold,), 10),
    (BANDED, "Banded ridge", "himalaya", (calls.himalaya_banded,), 1),
    ((calls.book, FIELDS), FIELDS, "scikit-learn, 151 voxels", (calls.sklearn_fields,), SHARE),
)
WIDE = calls.wide
#: The same for many features; then from files; and the products that tell how fast the machine is.
WIDE_RACES = (
    ((calls.book, SCORES, WIDE), SCORES, "scikit-learn, published loop", (calls.sklearn_scores, WIDE), 1),
    ((calls.book, SEARCH, WIDE), SEARCH, "himalaya, 1 of 10 folds", (calls.himalaya_search_one_fold, WIDE), 10),
    ((calls.book, ONCE, WIDE), ONCE, "himalaya", (calls.himalaya_search_once, WIDE), 1),
    ((calls.book, ONCE, WIDE), ONCE, "scikit-learn, leave one out", (calls.sklearn_search_once, WIDE), 1),
)
FILED = {what: (calls.book, what, calls.filed) for what in (SCORES, ONCE)}
#: Scores are worked out in double precision, the many errors of a search in single precision.
PRODUCTS = {SCORES: (calls.product, "float64"), SEARCH: (calls.product, "float32"), ONCE: (calls.product, "float32")}
TILED = {n_voxels: functools.partial(calls.tiled, n_voxels) for n_voxels in (1_000, 5_000, 20_000, 100_000)}
LARGE = TILED[20_000]
#: In one thread, in two, and on two workers of Dask.
SPREAD = {
    what: ((calls.book, what, LARGE, 1), (calls.book, what, LARGE, 2), (calls.on_dask, what, LARGE))
    for what in (SCORES, SEARCH, FIELDS)
}
SIZES = {(what, n_voxels): (calls.book, what, make) for what in SPREAD for n_voxels, make in TILED.items()}


def measure_all():
    """Medians for each call that a table needs."""
    raced = (call for mine, _, _, other, _ in RACES + WIDE_RACES for call in (mine, other))
    spread = itertools.chain(*SPREAD.values())
    found = {call: [] for call in (*raced, *SIZES.values(), *spread, *FILED.values(), *PRODUCTS.values())}
    measure(*PIPELINE)  # makes the recording if need be
    for call in REPETITIONS * list(found):
        found[call].append(measure(*call))
        print(call[0].__name__, *call[1:], f"{found[call][-1]['seconds']:.2f} s", flush=True)
    return {call: pd.DataFrame(measured).median() for call, measured in found.items()}


def show(value):
    """Three digits of a number, without an exponent."""
    digits = max(0, 2 - int(f"{value:e}".partition("e")[2]))
    return f"{value:,.{digits}f}"


def make_table(texts, numbers, rows):
    """A Markdown table, given the headings of its columns of text and of those of numbers."""
    marks = ["---"] * len(texts) + ["---:"] * len(numbers)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in ([*texts, *numbers], marks, *rows))


def race(medians, mine, what, peer, other, parts):
    """The cells that say who was faster; where the peer did a part of the whole, by its share."""
    seconds, others = medians[mine]["seconds"], medians[other]["seconds"] * parts
    about = "" if parts == 1 else "≈\N{NO-BREAK SPACE}"
    return [what, peer, show(seconds), about + show(others), show(others / seconds)]


def table_of_peers(medians):
    """This book beside each peer: seconds, how many times as many, megabytes."""
    rows = [[*race(medians, *each), *(show(medians[call]["peak"]) for call in (each[0], each[3]))] for each in RACES]
    numbers = ["This book (s)", "Peer (s)", "Peer / book", "This book (MB)", "Peer (MB)"]
    return make_table(["What", "Peer"], numbers, rows)


def table_of_sizes(medians):
    """Time per voxel, and memory beyond the input, for each size."""
    rows = []
    for (what, size), call in SIZES.items():
        seconds, _, beyond = medians[call]
        rows.append([what, f"{size:,}", *map(show, (seconds, 1e6 * seconds / size, beyond))])
    return make_table(["What"], ["Voxels", "Time (s)", "Per voxel (µs)", "Memory (MB)"], rows)


def operations(what, n_samples, n_voxels, n_features):
    """Operations in matrix products, in units of 1e12, that a call takes with ten folds and twenty penalties.

    A score takes ``X'Y`` and predictions of all samples; a search, for each pair of training and test set and each
    penalty, predictions of as few rows as can be, and for each training set the products along its directions.
    """
    n_pairs, n_trains = {"Ridge scores": (0, 0), "Plain search": (10, 10), "Alpha search": (90, 55)}[what]
    n_rows = min(n_samples // 10, n_features)
    once = 2 * n_samples * n_features * n_voxels
    searched = 2 * n_features * n_voxels * (20 * n_pairs * n_rows + n_trains * n_features)
    return ((1 + (what != "Plain search")) * once + searched) / 1e12


def table_of_large(medians):
    """Many features: this book beside each peer, and how near it comes to the machine's own speed; then from files."""

    def share(what, call, *shape):
        speed = 2 * 6_000**3 / 1e12 / medians[PRODUCTS[what]]["seconds"]
        return f"{operations(what, *shape) / medians[call]['seconds'] / speed:.0%}"

    rows = [[*race(medians, *each), share(each[1], each[0], 2_000, 20_000, 400)] for each in WIDE_RACES]
    for what, call in FILED.items():
        seconds, peak, _ = medians[call]
        cells = f"{what}, from files", f"none; {peak / 1e3:.1f} GB at peak", show(seconds), "", ""
        rows.append([*cells, share(what, call, 8_000, 60_000, 1_000)])
    return make_table(["What", "Peer"], ["This book (s)", "Peer (s)", "Peer / book", "Share of speed"], rows)


def table_of_dask(medians):
    """Seconds in one thread, in two, and with two workers."""
    rows = []
    for what, each in SPREAD.items():
        one, two, dask = (medians[call]["seconds"] for call in each)
        rows.append([what, "20,000", *map(show, (one, two, one / two, dask, one / dask))])
    numbers = ["Voxels", "One thread (s)", "Two threads (s)", "Gain", "Two workers (s)", "Gain"]
    return make_table(["What"], numbers, rows)


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
        replace_file(PAGES / f"{name}.md", text.encode())
        print(f"\n{text}", end="", flush=True)


if __name__ == "__main__":
    main()
