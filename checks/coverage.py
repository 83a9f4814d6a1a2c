"""Which lines and branches of the code do the tests run? `make coverage` runs `make test` and counts them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from press.measured import describe_measurement, make_table, store

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "_build" / "coverage"
LEAST = 95  # percent of each part
PARTS = ("book/voxelwise", "press", "build_book.py")
COUNTS = ("num_statements", "covered_lines", "num_branches", "covered_branches")


def run_tests():
    """Run the tests with every Python that they start under watch, and return what coverage tells, by file."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    settings = os.environ | {"COVERAGE_ROOT": str(ROOT), "COVERAGE_RCFILE": str(ROOT / ".coveragerc")}
    watched = settings | {"COVERAGE_PROCESS_START": settings["COVERAGE_RCFILE"]}
    tested = subprocess.run(["make", "test"], cwd=ROOT, env=watched)
    if tested.returncode:
        sys.exit("Some tests failed, so nothing was counted.")
    for command in (["combine"], ["json", "-o", FOLDER / "coverage.json"], ["html", "-d", FOLDER]):
        subprocess.run([sys.executable, "-m", "coverage", *command, "--quiet"], cwd=ROOT, env=settings, check=True)
    return json.loads((FOLDER / "coverage.json").read_text())["files"]


def count(files, part):
    """Statements and branches of the files whose path begins with the part, and the percentage that ran."""
    own = [about["summary"] for path, about in files.items() if Path(path).is_relative_to(part)]
    lines, run_lines, branches, run_branches = (sum(each[name] for each in own) for name in COUNTS)
    return len(own), lines, branches, 100 * (run_lines + run_branches) / (lines + branches)


def main():
    """Run the tests, store the table, and fail if a part lies below the least."""
    files = run_tests()
    counts = {part: count(files, part) for part in PARTS}
    rows = [[f"`{part}`", *map(str, numbers), f"{share:.1f}"] for part, (*numbers, share) in counts.items()]
    table = make_table(["Part"], ["Files", "Lines", "Branches", "Run by the tests (%)"], rows)
    store("coverage", f"{table}\n{describe_measurement('coverage')}\n")
    print(f"Line by line: {FOLDER.relative_to(Path.cwd())}/index.html")
    if any(share < LEAST for *_, share in counts.values()):
        sys.exit(f"The tests should run at least {LEAST} % of each part.")


if __name__ == "__main__":
    main()
