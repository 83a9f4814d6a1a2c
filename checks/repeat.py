"""Do the tests always say the same? `make repeat` runs `make test` ten times over.

It takes an hour. Interrupted, it goes on where it was, as long as no file has changed that git knows.
"""

import hashlib
import json
import re
import subprocess
import sys
import time
from pathlib import Path

from checks.checkout import list_files
from press.measured import MEASURED, describe_measurement, make_table, replace_text, store

ROOT = Path(__file__).resolve().parents[1]
RUNS = ROOT / "_build" / "repeat.json"
TIMES = 10
OUTCOMES = ("passed", "skipped", "failed", "error")


def run_tests(number):
    """Run the tests once, and return how many ended in which way, and the seconds it took."""
    print(f"[{number}/{TIMES}] make test", end=" ... ", flush=True)
    start = time.perf_counter()
    ended = subprocess.run(["make", "test"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    seconds = time.perf_counter() - start
    if ended.returncode:
        print(ended.stdout)
    counted = [line for line in ended.stdout.splitlines() if re.search(r"\d+ passed.* in \d", line)]
    if not counted:
        sys.exit(f"The tests could not be run:\n{ended.stdout[-2000:]}")
    print(counted[-1], flush=True)
    found = {name: int(count) for count, name in re.findall(r"(\d+) (\w+?)s?\b(?=[, ])", counted[-1])}
    return [*(found.get(name, 0) for name in OUTCOMES), round(seconds)]


def fingerprint():
    """Of all files that git knows, but for the tables that are made from measurements."""
    paths = [path for path in list_files(ROOT) if path.parent != MEASURED]
    return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in paths)).hexdigest()


def read_runs(code):
    """The runs that are known of this code."""
    known = json.loads(RUNS.read_text(encoding="utf-8")) if RUNS.exists() else {}
    return known["runs"] if known.get("code") == code else []


def main():
    """Run the tests ten times, store the table, and fail if a test failed in one of the runs."""
    code = fingerprint()
    runs = read_runs(code)
    while len(runs) < TIMES:
        runs.append(run_tests(len(runs) + 1))
        replace_text(RUNS, json.dumps({"code": code, "runs": runs}))
    rows = [list(map(str, [number, *counts])) for number, counts in enumerate(runs, start=1)]
    table = make_table([], ["Run", "Passed", "Skipped", "Failed", "Errors", "Time (s)"], rows)
    store("repeat", f"{table}\n{describe_measurement('pytest', 'pytest-xdist')}\n")
    RUNS.unlink()
    sys.exit(any(failed or errors for _, _, failed, errors, _ in runs))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. `make repeat` goes on with this run.")
