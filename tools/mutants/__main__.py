"""Change one thing at a time and see whether the tests notice: `python -m checks.mutants [NAME...]`.

With names of mutants or parts, only these are tried; with "rest", those that are not known to be caught, after a run
that was interrupted or a test that was mended. The table keeps what is known of the others.

What is changed stands in the tables of ``checks/changes``, and where a notebook has to be read, in ``checks.stored``.
Each change is made in a scratch copy of the files that git knows, and undone there before the next.
"""

import contextlib
import json
import os
import queue
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from checks.checkout import copy_files
from checks.stored import CHANGES, replacing

from tools.bench.measured import describe_measurement, make_table, store
from voxelwise.files import replace_file

ROOT = Path(__file__).resolve().parents[1]
TABLES = sorted((ROOT / "checks" / "changes").glob("*.toml"))
OUTCOMES = ROOT / "_build" / "mutants" / "outcomes.json"
CAUGHT, SURVIVED, TIMED_OUT = "caught", "survived", "timed out"


@dataclass(frozen=True)
class Mutant:
    """One change: ``change`` takes the text of ``file`` and returns another.

    ``tests`` are what should notice it, ``more`` what is asked when they do not. ``reason`` says why nothing has to.
    """

    part: str
    name: str
    file: str
    change: Callable
    tests: str
    more: str = ""
    reason: str = ""


def read_mutants():
    """All mutants: of the tables, and of the notebooks."""
    mutants = []
    for path in TABLES:
        for part, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
            common = {key: value for key, value in table.items() if isinstance(value, str)}
            for short, own in table.items():
                if short not in common:
                    own = common | own
                    change = replacing(own.pop("old"), own.pop("new"))
                    mutants.append(Mutant(part, f"{part}.{short}", change=change, **own))
    return [*mutants, *(Mutant("stored", f"stored.{name}", *rest) for name, *rest in CHANGES)]


def mutate(mutant, root=ROOT):
    """The file of a mutant, changed."""
    try:
        return mutant.change((root / mutant.file).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{mutant.name}: {mutant.file}: {error}") from None


class Copy:
    """A scratch copy of the repository with its own simulated recording, and a process that runs tests in it."""

    def __init__(self, folder, recording):
        self.root, self.log = folder / "book", folder / "pytest.log"
        self.recordings = folder / "data" / "voxelwise_simulated"
        copy_files(ROOT, self.root)
        shutil.copytree(recording, self.recordings / recording.name)
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {
            "NILEARN_DATA": str(self.recordings.parent),
            "PYTHONDONTWRITEBYTECODE": "1",  # what was compiled from one mutant would be taken for the next
        }
        self.tester = subprocess.Popen(
            [sys.executable, ROOT / "checks" / "warm.py", self.log], cwd=self.root, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def test(self, tests):
        """Run some tests; whether they notice something."""
        arguments = ["-x", "-q", "-p", "no:cacheprovider", *shlex.split(tests)]
        print(json.dumps(arguments), file=self.tester.stdin, flush=True)
        code = json.loads(self.tester.stdout.readline())
        if code not in (None, 0, 1, 2):  # 2: a file that cannot even be imported
            raise RuntimeError(f"pytest {tests} could not be run:\n{self.log.read_text()[-2000:]}")
        return TIMED_OUT if code is None else CAUGHT if code else SURVIVED

    def try_out(self, mutant, tests):
        """Make the change, run some tests, and undo it."""
        path, known = self.root / mutant.file, set(self.recordings.iterdir())
        before = path.read_bytes()
        try:
            path.write_text(mutate(mutant, self.root), encoding="utf-8")
            return self.test(tests)
        finally:
            path.write_bytes(before)
            for other in set(self.recordings.iterdir()) - known:  # of a changed simulation
                shutil.rmtree(other, ignore_errors=True)


def find_recording():
    """The folder of the simulated recording, which is made where it is not there yet."""
    code = "from voxelwise.simulation.writing import simulated_recording; print(simulated_recording().parent)"
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, cwd=ROOT / "book", stdout=subprocess.PIPE, text=True, check=True)
    return Path(ended.stdout.strip())


@contextlib.contextmanager
def make_copies():
    """As many copies as there are cores, in a queue."""
    recording, copies = find_recording(), queue.SimpleQueue()
    scratch = tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True)
    with scratch as folder, contextlib.ExitStack() as testers:
        for number in range(os.cpu_count()):
            copy = Copy(Path(folder) / str(number), recording)
            testers.enter_context(copy.tester)  # its input is closed at the end, and it ends
            copies.put(copy)
        yield copies


def run_all(tasks, copies):
    """Call each task with a copy of its own, as many at once as there are copies; yield key and result as they end."""

    def run(task):
        copy = copies.get()
        try:
            return task(copy)
        finally:
            copies.put(copy)

    with ThreadPoolExecutor(os.cpu_count()) as executor:
        waiting = {executor.submit(run, task): key for key, task in tasks.items()}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        except BaseException:
            executor.shutdown(cancel_futures=True)
            raise


def try_all(tests_of, copies):
    """Outcome of each mutant with its tests, once these pass without any change: else "caught" means nothing."""
    selections, outcomes = sorted(set(tests_of.values())), {}
    unchanged = {tests: lambda copy, tests=tests: copy.test(tests) for tests in selections}
    for number, (tests, outcome) in enumerate(run_all(unchanged, copies), start=1):
        print(f"[{number}/{len(selections)}] unchanged: {tests}", flush=True)
        if outcome != SURVIVED:
            sys.exit(f"{tests}: {outcome} without any change. Mend that first.")
    changed = {mutant: lambda copy, pair=(mutant, tests): copy.try_out(*pair) for mutant, tests in tests_of.items()}
    for mutant, outcome in run_all(changed, copies):
        outcomes[mutant] = outcome
        remember(mutant, outcome)
        print(f"[{len(outcomes)}/{len(tests_of)}] {outcome:<9} {mutant.name}", flush=True)
    return outcomes


def read_outcomes():
    """What is known of the mutants from this run and earlier ones, by name."""
    return json.loads(OUTCOMES.read_text(encoding="utf-8")) if OUTCOMES.exists() else {}


def remember(mutant, outcome):
    """Keep an outcome, so that an interrupted run loses none."""
    replace_file(OUTCOMES, json.dumps(read_outcomes() | {mutant.name: outcome}, indent=1).encode())


def write_table(outcomes):
    """Store what was caught, by part, and all that was not."""
    rows, left = [], []
    for part in dict.fromkeys(mutant.part for mutant in outcomes):
        found = [outcome for mutant, outcome in outcomes.items() if mutant.part == part]
        rows.append([part, str(len(found)), *(str(found.count(kind)) for kind in (CAUGHT, SURVIVED, TIMED_OUT))])
    counts = (len(outcomes), *(list(outcomes.values()).count(kind) for kind in (CAUGHT, SURVIVED, TIMED_OUT)))
    rows.append(["**All**", *map(str, counts)])
    for mutant, outcome in outcomes.items():
        if outcome != CAUGHT:
            left.append(f"- `{mutant.name}` {outcome}: {mutant.reason or 'nothing noticed it.'}\n")
    table = make_table(["What was changed"], ["Changes", "Caught", "Survived", "Timed out"], rows)
    how = "One change at a time in a copy, and the tests that should notice it."
    store("mutants", f"{table}\n{how} {describe_measurement('pytest')}\n" + ("\n" + "".join(left) if left else ""))


def main():
    """Run the command line."""
    mutants, asked, known = read_mutants(), set(sys.argv[1:]), read_outcomes()
    if asked == {"rest"}:
        chosen = [mutant for mutant in mutants if known.get(mutant.name) != CAUGHT]
    else:
        chosen = [mutant for mutant in mutants if not asked or {mutant.name, mutant.part} & asked]
    if not chosen:
        sys.exit(
            f"No such mutant is left. The parts are {', '.join(dict.fromkeys(mutant.part for mutant in mutants))}."
        )
    try:
        for mutant in chosen:
            mutate(mutant)
    except ValueError as error:
        sys.exit(str(error))
    with make_copies() as copies:
        outcomes = try_all({mutant: mutant.tests for mutant in chosen}, copies)
        left = [mutant for mutant in chosen if outcomes[mutant] == SURVIVED and mutant.more and not mutant.reason]
        outcomes |= try_all({mutant: mutant.more for mutant in left}, copies)
    known = read_outcomes()
    if all(mutant.name in known for mutant in mutants):
        write_table({mutant: known[mutant.name] for mutant in mutants})
    sys.exit(any(outcome != CAUGHT and not mutant.reason for mutant, outcome in outcomes.items()))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Interrupted. Nothing was changed.")
