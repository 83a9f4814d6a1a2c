"""From files to scores and four receptive fields: this book against the published analysis, side by side.

Each repetition is a process of its own, so that its peak of memory is its own too; the two take turns. The time counts
from after the imports. Run it with ``make bench``.
"""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

BOOK = Path(__file__).resolve().parents[1] / "book"
REPETITIONS = 3


def run_book():
    """Load, score and fit fields with the book's package; return the seconds that it took."""
    from voxelwise import cross_validate_ridge, fit_receptive_fields, load_recording, load_samples, voxel_at
    from voxelwise.retinotopy import MARKED_VOXELS

    recording = load_recording("simulated")
    start = time.perf_counter()
    samples = load_samples(recording)
    cross_validate_ridge(samples).mean(axis=0)
    fit_receptive_fields(samples, [voxel_at(samples.mask_img, position) for position in MARKED_VOXELS])
    return time.perf_counter() - start


def run_published():
    """The same with nilearn and scikit-learn, as published."""
    import published
    from voxelwise.simulation import simulated_recording

    data_dir = simulated_recording().parent
    start = time.perf_counter()
    stimuli, responses = published.load(data_dir)
    published.score(stimuli, responses).mean(axis=0)
    published.fields(stimuli, responses)
    return time.perf_counter() - start


def measure(which):
    """Seconds and peak megabytes of one fresh process."""
    ended = subprocess.run([sys.executable, __file__, which], capture_output=True, text=True, check=True)
    return json.loads(ended.stdout)


def main():
    """Print the table; with the name of one of the two, measure that one in this process."""
    if len(sys.argv) == 2:
        sys.path.insert(0, str(BOOK))
        seconds = {"book": run_book, "published": run_published}[sys.argv[1]]()
        print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
        return
    # Nothing heavy is imported here: a process starts with the peak of the one that started it.
    runs = {"published": [], "book": []}
    for name in runs:
        measure(name)  # makes the recording if need be, and warms the disk cache
    for _ in range(REPETITIONS):
        for name, measured in runs.items():
            measured.append(measure(name))
    print(f"Files to four receptive fields, {REPETITIONS} repetitions, medians")
    print(f"{date.today()}, Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores\n")
    published, book = ([statistics.median(column) for column in zip(*measured, strict=True)] for measured in runs.values())
    print("| | time (s) | peak memory (MB) |\n| --- | --- | --- |")
    print(f"| published | {published[0]:.2f} | {published[1]:.0f} |")
    print(f"| this book | {book[0]:.2f} | {book[1]:.0f} |")
    print(f"| ratio | {published[0] / book[0]:.1f} | {published[1] / book[1]:.1f} |")


if __name__ == "__main__":
    main()
