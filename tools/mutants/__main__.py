"""Make one mistake at a time and see whether the tests notice: `python -m tools.mutants [PART or NAME...]`.

The mistakes stand in the tables beside this file, by part:

    [ridge]
    file = "voxelwise/models/ridge.py"
    tests = "tests/models/test_ridge.py book/02_building_the_encoding_model.ipynb"  # what should notice, in this order
    penalty-lost = ["variances + alpha", "variances"]  # old and new
    [ridge.other-seed]  # with tests of its own, or a reason why none has to notice
    old = "..."

Old is looked for word by word, in Python's own spelling: line breaks, quotes and comments do not matter, nor
the module of the package in which it stands, if it stands there once. New takes its place as it is. What stands nowhere
any more is listed as gone. The mistakes in a notebook are statements about its code ``cells``.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat

from voxelwise import load_recording

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 300  # seconds
CAUGHT, SURVIVED, GONE = "caught", "survived", "gone"


@dataclass(frozen=True)
class Mutant:
    """One mistake, and the file in which it is looked for first."""

    part: str
    name: str
    tests: str
    file: str
    old: str = ""
    new: str = ""
    reason: str = ""

    def change(self, root):
        """The path of the file in which the mistake is made, and its changed text; None where its place is gone."""
        first = root / self.file
        if first.suffix == ".ipynb":
            notebook = nbformat.read(first, as_version=4)
            cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
            exec(self.new, {"cells": cells, "output": nbformat.v4.new_output})
            return first, nbformat.writes(notebook)
        plain = (lambda code: ast.unparse(ast.parse(code).body)) if first.suffix == ".py" else str
        words = r"\s*".join(map(re.escape, re.findall(r"\w+|\S", plain(self.old))))
        for path in filter(Path.exists, [first, *sorted((root / "voxelwise").rglob(f"*{first.suffix}"))]):
            text = plain(path.read_text(encoding="utf-8"))
            changed, n_found = re.subn(rf"(?<!\w){words}(?!\w)", lambda _: self.new, text)
            if n_found == 1:
                return path, plain(changed)
        return None


def read_mutants():
    """All mutants of the tables."""
    for path in sorted(Path(__file__).parent.glob("*.toml")):
        for part, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
            common = {key: value for key, value in table.items() if isinstance(value, str)}
            for name, own in table.items():
                if name not in common:
                    own = own if isinstance(own, dict) else dict(zip(("old", "new"), own, strict=True))
                    yield Mutant(**common | own, part=part, name=f"{part}.{name}")


def try_out(mutant):
    """Make a mistake in a scratch copy of the project, and run the files of tests in turn until one notices it."""
    change = mutant.change(ROOT)
    if change is None:
        return GONE
    path, text = change
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as folder:
        root = Path(folder, "book")
        shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(".git", ".venv", "_build", "__pycache__"))
        (root / path.relative_to(ROOT)).write_text(text, encoding="utf-8")
        # A changed simulation makes a recording of its own, in the first of nilearn's folders; others are only read.
        own = dict(PYTHONPATH=str(root), NILEARN_SHARED_DATA=f"{folder}/data")
        own |= dict(PYTHONDONTWRITEBYTECODE="1", OPENBLAS_NUM_THREADS="1")
        outcomes = (run(tests, cwd=root, env=os.environ | own) for tests in mutant.tests.split())
        return next((outcome for outcome in outcomes if outcome != SURVIVED), SURVIVED)


def run(tests, **where):
    """Run a file of tests; whether they notice something."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", tests]
    try:
        ended = subprocess.run(command, **where, timeout=TIMEOUT, capture_output=True)
    except subprocess.TimeoutExpired:
        return "timed out"
    # 2: a file that cannot even be imported; more: one that is not there.
    return {0: SURVIVED, 1: CAUGHT, 2: CAUGHT}.get(ended.returncode, f"pytest {ended.returncode}")


def main(asked):
    """Try the mutants that are asked for, and say what was noticed; 1 where something was not."""
    mutants = list(read_mutants())
    if unknown := {*asked}.difference(*({mutant.part, mutant.name} for mutant in mutants)):
        return f"No mistake or part is called {', '.join(sorted(unknown))}: see tools/mutants/*.toml."
    mutants = [mutant for mutant in mutants if not asked or {mutant.part, mutant.name} & {*asked}]
    controls, outcomes = {}, {}
    for mutant in mutants:
        # First with nothing changed: tests that fail then would catch whatever they are asked.
        controls |= {tests: replace(mutant, tests=tests, new=mutant.old) for tests in mutant.tests.split()}
    load_recording()  # made once, if need be
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for tests, outcome in zip(controls, pool.map(try_out, controls.values()), strict=True):
            print(f"unchanged {outcome:9}  {tests}", flush=True)
            if outcome not in (SURVIVED, GONE):
                return "These tests do not pass without a mistake. Mend that first."
        for mutant, outcome in zip(mutants, pool.map(try_out, mutants), strict=True):
            outcomes[mutant] = outcome
            print(f"{len(outcomes):4} of {len(mutants)}  {outcome:9}  {mutant.name}", flush=True)
    for (part, outcome), number in Counter((mutant.part, outcome) for mutant, outcome in outcomes.items()).items():
        print(f"{part:20} {number:3} {outcome}")
    for mutant, outcome in outcomes.items():
        if outcome != CAUGHT:
            print(f"{mutant.name}: {outcome}. {mutant.reason}")
    return int(any(outcome not in (CAUGHT, GONE) and not mutant.reason for mutant, outcome in outcomes.items()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
