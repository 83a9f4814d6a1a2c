"""Make one mistake at a time and see whether the tests notice: `python -m tools.mutants [PART or NAME...]`.

The mistakes stand in the tables beside this file, by part:

    [ridge]
    file = "voxelwise/models/ridge.py"
    tests = "tests/models/test_ridge.py book/02_building_the_encoding_model.ipynb"  # what should notice, in this order
    penalty-lost = ["variances + alpha", "variances"]  # old and new
    [ridge.other-seed]  # with tests of its own, or a reason why none has to notice
    old = "..."

Old and new are expressions, or statements. Old is looked for word by word, in Python's own spelling of the file: line
breaks, quotes and comments do not matter, nor the module of the package in which it stands, as long as it stands there
once. New takes its place as it is, in brackets where it needs them. What stands nowhere any more is listed as gone. The
mistakes in a notebook are statements about its code ``cells``.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat

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


class Copy(threading.local):
    """A scratch copy of the project: one for each thread."""

    def __init__(self, folder):
        home = Path(tempfile.mkdtemp(dir=folder))
        self.root, self.data = home / "book", home / "data"
        shutil.copytree(ROOT, self.root, ignore=shutil.ignore_patterns(".git", ".venv", "_build", "__pycache__"))

    def test(self, tests):
        """Run a file of tests; whether they notice something."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", tests]
        # A changed simulation makes a recording of its own, in the first of nilearn's folders; others are only read.
        own = dict(PYTHONPATH=str(self.root), NILEARN_SHARED_DATA=str(self.data))
        own |= dict(PYTHONDONTWRITEBYTECODE="1", OPENBLAS_NUM_THREADS="1")
        try:
            ended = subprocess.run(command, cwd=self.root, env=os.environ | own, timeout=TIMEOUT, capture_output=True)
        except subprocess.TimeoutExpired:
            return "timed out"
        # 2: a file that cannot even be imported; more: one that is not there.
        return {0: SURVIVED, 1: CAUGHT, 2: CAUGHT}.get(ended.returncode, f"pytest {ended.returncode}")

    def try_out(self, mutants, tests):
        """Make mistakes, run the files of tests in turn until one notices something, and undo all."""
        changes = [change for mutant in mutants if (change := mutant.change(self.root))]
        if not changes:
            return GONE
        before = {path: path.read_bytes() for path, _ in changes}
        for path, text in changes:
            path.write_text(text, encoding="utf-8")
        outcome = next((found for found in map(self.test, tests.split()) if found != SURVIVED), SURVIVED)
        for path, content in before.items():
            path.write_bytes(content)
        shutil.rmtree(self.data, ignore_errors=True)
        return outcome


def main(asked):
    """Try the mutants that are asked for, and say what was noticed; 1 where something was not."""
    from voxelwise import load_recording

    mutants = list(read_mutants())
    if unknown := {*asked}.difference(*({mutant.part, mutant.name} for mutant in mutants)):
        return f"No mistake or part is called {', '.join(sorted(unknown))}: see tools/mutants/*.toml."
    mutants = [mutant for mutant in mutants if not asked or {mutant.part, mutant.name} & {*asked}]
    # First all files are written anew with nothing changed: tests that fail then would catch whatever they are asked.
    controls, outcomes = {}, {}
    for mutant in mutants:
        for tests in mutant.tests.split():
            controls.setdefault(tests, {})[mutant.file] = replace(mutant, new=mutant.old)
    load_recording()  # made once, if need be
    scratch = tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True)
    with scratch as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        copy = Copy(folder)
        unchanged = pool.map(copy.try_out, [files.values() for files in controls.values()], controls)
        for tests, outcome in zip(controls, unchanged, strict=True):
            print(f"unchanged {outcome:9}  {tests}", flush=True)
            if outcome not in (SURVIVED, GONE):
                return "These tests do not pass without a mistake. Mend that first."
        tried = pool.map(copy.try_out, [[mutant] for mutant in mutants], [mutant.tests for mutant in mutants])
        for mutant, outcome in zip(mutants, tried, strict=True):
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
