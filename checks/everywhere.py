"""Compare the stored outputs with those of other processors, systems and Pythons: `make everywhere`.

Each condition is a run of pytest on a copy of the checkout. Those of the system come together, and one by one only
where something differs. Further Pythons are those on PATH, and those named: `python -m checks.everywhere --python X`.
"""

import argparse
import contextlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from checks.checkout import copy_files
from press.measured import describe_measurement, make_table, store

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = ROOT / "_build" / "everywhere"
# Notebooks and figures, the recording, and numbers held against other libraries.
SENSITIVE = ("book", *(f"tests/test_{name}.py" for name in ("plot*", "simulation", "encoding", "results")))
REPORT = ("-o", "junit_family=xunit1", "--junitxml")  # this kind names the files
TIMEOUT = 3600  # seconds, of a run
# Binds the folder to itself, read-only, for the command only: what changes the modes of files does not hold root back.
BIND = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && cd "$1" && shift && exec "$@"'
OWN = ("IPYTHON", "JUPYTER_", "MPL", "NILEARN_", "XDG_")  # variables that name folders of the user
TELL_VERSION = "import sys; v = sys.version_info[:3]; print(*v, sep='.'); sys.exit(not (3, 11, 4) <= v < (3, 15))"


@dataclass(frozen=True)
class Condition:
    """What is other than here. A variable that is None is not set."""

    name: str
    variables: dict = field(default_factory=dict)
    python: Path = Path(sys.executable)
    folder: str = "checkout"
    umask: int = -1
    read_only: bool = False


@dataclass(frozen=True)
class Outcome:
    """What was compared, and what differed: a message for each file and name of a test."""

    notebooks: int
    cells: int
    pictures: int
    tests: int
    differing: dict


def other_processor():
    """Variables that have BLAS, numpy and the C library do without newer instructions, and so round otherwise."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    return {
        "OPENBLAS_CORETYPE": "Prescott" if platform.machine() in ("x86_64", "AMD64") else "ARMV8",
        "NPY_DISABLE_CPU_FEATURES": " ".join(found),
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-FMA,-FMA4",
    }


def other_locale(folder):
    """Variables of a locale with a decimal comma, a dotless i and no Unicode; of C where the system cannot make it."""
    if program := shutil.which("localedef"):
        subprocess.run([program, "-f", "ISO-8859-9", "-i", "tr_TR", folder / "tr_TR"], capture_output=True)
    made = (folder / "tr_TR").exists()
    return {"LC_ALL": "tr_TR", "LANG": "tr_TR", "LOCPATH": str(folder)} if made else {"LC_ALL": "C"}


def other_home(folder):
    """Variables of somebody who is here for the first time."""
    (folder / "home").mkdir()
    return {name: None for name in os.environ if name.startswith(OWN)} | {"HOME": str(folder / "home")}


def list_system(scratch):
    """Conditions of the system, each by itself."""
    other = other_locale(scratch)
    return [
        Condition("1 BLAS thread", count_threads(1)),
        Condition(f"locale {other['LC_ALL']}", other),
        Condition("time zone", {"TZ": "Asia/Kathmandu"}),
        Condition("empty home", other_home(scratch)),
        Condition("space and é in the path", folder="a checkout of é"),
        Condition("umask 077", umask=0o077),
        Condition("read-only checkout", read_only=True),
    ]


def count_threads(number):
    """Variables for a number of threads of BLAS."""
    return {"OPENBLAS_NUM_THREADS": str(number), "OMP_NUM_THREADS": str(number)}


def join(conditions):
    """All of the conditions at once."""
    variables = {}
    for condition in conditions:
        variables |= condition.variables
    return Condition(
        ", ".join(condition.name for condition in conditions),
        variables,
        folder=next(condition.folder for condition in conditions if condition.folder != Condition.folder),
        umask=max(condition.umask for condition in conditions),
        read_only=any(condition.read_only for condition in conditions),
    )


def ask_version(python):
    """Version of a Python that the book can run on, else None."""
    try:
        ended = subprocess.run([python, "-c", TELL_VERSION], capture_output=True, text=True, timeout=60)
    except OSError:
        return None
    return ended.stdout.strip() if ended.returncode == 0 else None


def find_pythons(named):
    """Further Pythons by their versions, one of each 3.N: those that were named, then those on PATH."""
    found, known = {}, {platform.python_version().rpartition(".")[0]}
    for python in [*named, *(shutil.which(f"python3.{minor}") for minor in range(11, 15))]:
        version = ask_version(python) if python else None
        if version and (minor := version.rpartition(".")[0]) not in known:
            known.add(minor)
            found[version] = python
        elif python in named:
            sys.exit(f"{python}: expected a further Python from 3.11.4 to 3.14, one of each. Leave it out.")
    return found


def prepare_environment(version, python):
    """Python of an environment that holds what the lock says; it is kept for the next time."""
    folder, lock = ENVIRONMENTS / f"python{version}", ROOT / "requirements.txt"
    installed = folder / "requirements.txt"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        print(f"Setting up an environment of Python {version}: a few minutes the first time", flush=True)
        subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
        pip = [folder / "bin" / "python", "-m", "pip", "-qq", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--requirement", lock], check=True)
        shutil.copyfile(lock, installed)  # last: an interrupted installation does not count
    return folder / "bin" / "python"


def run(condition, tests, scratch):
    """Run the tests on a copy of the checkout, and return the outcome."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    place, report, log = folder / condition.folder, folder / "report.xml", folder / "log"
    copy_files(ROOT, place)
    paths = [str(path.relative_to(place)) for test in tests for path in sorted(place.glob(test))]
    command = [condition.python, "-m", "pytest", *paths, "-q", "-n", "2", "--dist", "loadfile"]
    command += [*REPORT, report]
    if condition.read_only:
        command = hold(place, command)
    environment = {name: value for name, value in (os.environ | condition.variables).items() if value is not None}
    with log.open("wb") as file:
        options = {"cwd": place, "env": environment, "umask": condition.umask, "timeout": TIMEOUT}
        with contextlib.suppress(subprocess.TimeoutExpired):  # then there is no report
            subprocess.run(command, stdout=file, stderr=file, **options)
    if not report.exists():
        said = log.read_text(encoding="utf-8", errors="replace")[-4000:]
        sys.exit(f"\n{condition.name}: pytest did not end as it should. It said:\n{said}")
    return read_report(report)


def hold(place, command):
    """Make the folder read-only for a command."""
    if os.geteuid() == 0:
        return ["unshare", "--mount", "sh", "-c", BIND, "sh", place, *command]
    for path in [place, *place.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    return command


def read_report(path):
    """Count what pytest compared, and list what differed."""
    report = ElementTree.parse(path)
    tests = [(case.get("file"), case.get("name")) for case in report.iter("testcase")]
    notebooks = [file for file, _ in tests if file.endswith(".ipynb")]
    faults = {
        (case.get("file"), case.get("name")): fault.text
        for case in report.iter("testcase") for fault in case if fault.tag in ("failure", "error")
    }  # fmt: skip
    pictures = [int(each.get("value")) for each in report.iter("property") if each.get("name") == "pictures"]
    return Outcome(len(set(notebooks)), len(notebooks), sum(pictures), len(tests) - len(notebooks), faults)


def report(condition, scratch, tests=SENSITIVE):
    """Run a condition, say what differs, and return the outcome."""
    print(condition.name, end=" ... ", flush=True)
    start = time.perf_counter()
    outcome = run(condition, tests, scratch)
    print(f"{time.perf_counter() - start:.0f} s, {len(outcome.differing)} differing", flush=True)
    for (file, name), message in outcome.differing.items():
        print(f"\n--- {file}, {name}\n{message[-3000:]}\n", flush=True)
    return outcome


def compare(scratch, pythons):
    """Outcomes of all conditions, by their names."""
    system = list_system(scratch)
    conditions = [
        Condition("2 BLAS threads, locale C", count_threads(2) | {"LC_ALL": "C"}),
        join(system),
        Condition("another processor's arithmetic", other_processor() | {"NILEARN_DATA": str(scratch / "recordings")}),
        *(Condition(f"Python {version}", python=python) for version, python in pythons.items()),
    ]
    outcomes = {}
    for condition in conditions:
        outcome = outcomes[condition.name] = report(condition, scratch)
        if outcome.differing and condition is conditions[1]:
            files = sorted({file for file, _ in outcome.differing})
            outcomes |= {f"only {each.name}": report(each, scratch, files) for each in system}
    return outcomes


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Compare the stored outputs under other conditions.")
    parser.add_argument("--python", action="append", default=[], help="a further Python, beside those on PATH")
    pythons = {
        version: prepare_environment(version, python)
        for version, python in find_pythons(parser.parse_args().python).items()
    }
    with tempfile.TemporaryDirectory(prefix="everywhere-") as scratch:
        outcomes = compare(Path(scratch), pythons)
    rows = [
        [name, *map(str, (each.notebooks, each.cells, each.pictures, each.tests, len(each.differing)))]
        for name, each in outcomes.items()
    ]
    table = make_table(["Condition"], ["Notebooks", "Cells", "Pictures", "Tests", "Differing"], rows)
    how = (
        "A row is a run of all notebooks against their stored outputs, and of the tests of the figures, the recording"
        " and the scores. The other processor is this one less AVX and FMA, in BLAS, numpy and the C library, and with"
        " a recording that it made."
    )
    store("everywhere", f"{table}\n{how} {describe_measurement('numpy', 'scipy')}\n")
    sys.exit(any(each.differing for each in outcomes.values()))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. The table of the last whole run is still in place.")
