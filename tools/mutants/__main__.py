"""Make one mistake at a time and see whether the tests notice: `python -m tools.mutants [PART or NAME...]`.

The mistakes stand in the tables beside this file, by part:

    [ridge]
    file = "voxelwise/models/ridge.py"
    tests = "tests/models/test_ridge.py"                 # what should notice
    more = "book/02_building_the_encoding_model.ipynb"   # what is asked when that does not
    penalty-lost = ["variances + alpha", "variances"]    # old, new and, where it stands twice, the function or class
    [ridge.other-seed]                                   # with tests of its own, or a reason why none has to notice
    old = "..."

Old and new are expressions, or statements. They are found by what they mean: line breaks, quotes and comments do not
matter, nor the function or module of the package in which they stand, as long as they stand there once. What stands
nowhere any more is listed as gone. Files other than Python's are compared word by word, and the mistakes in a notebook
are statements about its code ``cells``. With "rest", only what is not known to be caught is tried.
"""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
KNOWN = ROOT / "_build" / "mutants_caught.txt"
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
    where: str = ""
    more: str = ""
    reason: str = ""

    def change(self, root):
        """The path of the file in which the mistake is made, and its changed text; None where its place is gone."""
        first = root / self.file
        if first.suffix == ".ipynb":
            notebook = nbformat.read(first, as_version=4)
            cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
            exec(self.new, {"cells": cells, "output": nbformat.v4.new_output})
            return first, nbformat.writes(notebook)
        if first.suffix != ".py":
            words = r"\s*".join(map(re.escape, re.findall(r"\w+|\S", self.old)))
            changed, n_found = re.subn(words, lambda _: self.new, first.read_text(encoding="utf-8"))
            return (first, changed) if n_found == 1 else None
        for path in filter(Path.exists, [first, *sorted((root / "voxelwise").rglob("*.py"))]):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for scope in [node for node in ast.walk(tree) if getattr(node, "name", 0) == self.where] + [tree]:
                places = list(find(scope, self.old))
                if len(places) == 1:
                    put(*places[0], self.new)
                    return path, ast.unparse(tree)
        return None


def find(scope, old):
    """Where an expression or some statements stand: the node around them, its field, and the nodes themselves."""
    wanted = ast.parse(old).body
    if len(wanted) == 1 and isinstance(wanted[0], ast.Expr):
        wanted = [wanted[0].value]
    for node in ast.walk(scope):
        for field, value in ast.iter_fields(node):
            nodes = value if isinstance(value, list) else [value]
            for at in range(len(nodes) - len(wanted) + 1):
                found = nodes[at : at + len(wanted)]
                pairs = zip(found, wanted, strict=True)
                if all(type(one) is type(other) and ast.dump(one) == ast.dump(other) for one, other in pairs):
                    yield node, field, found


def put(node, field, old, new):
    """Put other code in the place of nodes: an expression or None for one, statements or nothing for several."""
    body, value = ast.parse(new or ("pass" if isinstance(old[0], ast.stmt) else "None")).body, getattr(node, field)
    new = body if isinstance(old[0], ast.stmt) else [body[0].value]
    if isinstance(value, list):
        at = next(at for at, each in enumerate(value) if each is old[0])
        value[at : at + len(old)] = new
    else:
        setattr(node, field, new[0])


def read_mutants():
    """All mutants of the tables."""
    for path in sorted(Path(__file__).parent.glob("*.toml")):
        for part, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
            common = {key: value for key, value in table.items() if isinstance(value, str)}
            for name, own in table.items():
                if name not in common:
                    own = own if isinstance(own, dict) else dict(zip(("old", "new", "where"), own, strict=False))
                    yield Mutant(**common | own, part=part, name=f"{part}.{name}")


class Copy(threading.local):
    """A scratch copy of the files that git knows, with a simulated recording of its own: one for each thread."""

    def __init__(self, folder, recording):
        self.home = Path(tempfile.mkdtemp(dir=folder))
        self.root, self.data = self.home / "book", self.home / "data" / "voxelwise_simulated"
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        for name in subprocess.check_output(command, cwd=ROOT, text=True).split("\0"):
            if (ROOT / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, self.root / name)
        shutil.copytree(recording, self.data / recording.name)

    def test(self, tests):
        """Run some tests; whether they notice something."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *shlex.split(tests)]
        own = dict(PYTHONPATH=str(self.root), NILEARN_DATA=str(self.data.parent), PYTHONDONTWRITEBYTECODE="1")
        options = dict(cwd=self.root, env=os.environ | own | {"OPENBLAS_NUM_THREADS": "1"}, timeout=TIMEOUT)
        try:
            ended = subprocess.run(command, **options, capture_output=True)
        except subprocess.TimeoutExpired:
            return "timed out"
        # 2: a file that cannot even be imported; more: one that is not there.
        return {0: SURVIVED, 1: CAUGHT, 2: CAUGHT}.get(ended.returncode, f"pytest {ended.returncode}")

    def try_out(self, mutant):
        """Make the mistake, run the tests that should notice, and undo it."""
        path, text = mutant.change(self.root) or (None, None)
        if path is None:
            return GONE
        before, known = path.read_bytes(), set(self.data.iterdir())
        path.write_text(text, encoding="utf-8")
        outcome = self.test(mutant.tests)
        if outcome == SURVIVED and mutant.more:
            outcome = self.test(mutant.more)
        path.write_bytes(before)
        for other in set(self.data.iterdir()) - known:  # of a changed simulation
            shutil.rmtree(other)
        return outcome


def try_all(mutants):
    """Yield each mutant and what became of it, as they end."""
    from voxelwise.simulation.writing import simulated_recording

    scratch = tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True)
    with scratch as folder, ThreadPoolExecutor(os.cpu_count()) as executor:
        copy = Copy(folder, simulated_recording().parent)
        waiting = {executor.submit(lambda mutant: copy.try_out(mutant), mutant): mutant for mutant in mutants}
        try:
            yield from ((waiting[future], future.result()) for future in as_completed(waiting))
        finally:
            executor.shutdown(cancel_futures=True)


def main(asked):
    """Try the mutants that are asked for, and say what was noticed; 1 where something was not."""
    KNOWN.parent.mkdir(exist_ok=True)
    known = KNOWN.read_text().splitlines() if KNOWN.exists() else []
    if asked == ["rest"]:
        asked = {mutant.name for mutant in read_mutants()} - set(known) or sys.exit("All are caught.")
    mutants = [mutant for mutant in read_mutants() if not asked or {mutant.part, mutant.name} & {*asked}]
    # First each file is written anew with nothing changed: tests that fail then would catch whatever they are asked.
    asked_of = {(mutant.file, tests): mutant for mutant in mutants for tests in (mutant.tests, mutant.more) if tests}
    controls = [replace(m, name=f"{file}: {t}", new=m.old, tests=t, more="") for (file, t), m in asked_of.items()]
    for control, outcome in try_all(controls):
        print(f"unchanged {outcome:9}  {control.name}", flush=True)
        if outcome not in (SURVIVED, GONE):
            return "These tests do not pass without a mistake. Mend that first."
    outcomes = {}
    with open(KNOWN, "a") as file:
        for mutant, outcome in try_all(mutants):
            outcomes[mutant] = outcome
            print(f"{len(outcomes):4} of {len(mutants)}  {outcome:9}  {mutant.name}", flush=True)
            if outcome == CAUGHT:
                print(mutant.name, file=file, flush=True)
    for (part, outcome), number in Counter((mutant.part, outcome) for mutant, outcome in outcomes.items()).items():
        print(f"{part:20} {number:3} {outcome}")
    for mutant, outcome in outcomes.items():
        if outcome != CAUGHT:
            print(f"{mutant.name}: {outcome}. {mutant.reason}")
    return int(any(outcome not in (CAUGHT, GONE) and not mutant.reason for mutant, outcome in outcomes.items()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
