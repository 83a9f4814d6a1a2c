"""Do the tests always say the same? `make repeat` runs `make test` ten times over."""

import re
import subprocess
import sys
import time
from pathlib import Path

from press.measured import describe_measurement, make_table, store

ROOT = Path(__file__).resolve().parents[1]
TIMES = 10
OUTCOMES = ("passed", "skipped", "failed", "error")


def run_tests(number):
    """Run the tests once, and return the exit code, and how many ended in which way with the seconds it took."""
    print(f"[{number}/{TIMES}] make test", end=" ... ", flush=True)
    start = time.perf_counter()
    ended = subprocess.run(["make", "test"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    seconds = time.perf_counter() - start
    last = ended.stdout.rstrip().splitlines()[-1]
    if ended.returncode:
        print(ended.stdout)
    print(last, flush=True)
    found = {name: int(count) for count, name in re.findall(r"(\d+) (\w+?)s?\b(?=[, ])", last)}
    return ended.returncode, [*(str(found.get(name, 0)) for name in OUTCOMES), f"{seconds:.0f}"]


def main():
    """Run the tests ten times, store the table, and fail if one of the runs failed."""
    runs = [run_tests(number) for number in range(1, TIMES + 1)]
    rows = [[str(number), *counts] for number, (_, counts) in enumerate(runs, start=1)]
    table = make_table([], ["Run", "Passed", "Skipped", "Failed", "Errors", "Time (s)"], rows)
    store("repeat", f"{table}\n{describe_measurement('pytest', 'pytest-xdist')}\n")
    sys.exit(any(code for code, _ in runs))


if __name__ == "__main__":
    main()
