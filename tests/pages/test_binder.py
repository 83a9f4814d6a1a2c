"""What Binder will make of the repository, by repo2docker's own build plan, and what `postBuild` leaves behind."""

import filecmp
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.version import Version

from tests.notebooks import ROOT

LOCK = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.fixture(scope="module")
def plan():
    """The steps of the image's Dockerfile; printing them needs no Docker."""
    program = Path(sys.executable).with_name("jupyter-repo2docker")
    ended = subprocess.run([program, "--no-build", "--debug", ROOT], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return (ended.stdout + ended.stderr).splitlines()


def step(plan, text):
    """Number of the one step that contains the text."""
    (number,) = [number for number, line in enumerate(plan) if text in line and not line.startswith("#")]
    return number


def test_python_is_one_that_the_book_runs_with(plan):
    (version,) = re.findall(r"Building conda environment for python=([\d.]+)", "\n".join(plan))
    (package,) = find_spec("repo2docker").submodule_search_locations  # importing it warns
    environment = Path(package) / f"buildpacks/conda/environment.py-{version}-linux-64.lock"
    (exact,) = re.findall(r"/python-([\d.]+)-", environment.read_text(encoding="utf-8"))
    lowest, beyond = re.search(r"\((\d+, \d+, \d+)\) <= v < \((\d+, \d+)\)", (ROOT / "Makefile").read_text()).groups()
    assert Version(lowest.replace(", ", ".")) <= Version(exact) < Version(beyond.replace(", ", "."))


def test_lock_is_installed_where_the_notebooks_run_then_the_recording_is_made(plan):
    kernel = step(plan, "ENV KERNEL_PYTHON_PREFIX=")
    assert plan[kernel].endswith("${NB_PYTHON_PREFIX}")  # one environment for server and kernel
    install = step(plan, '${KERNEL_PYTHON_PREFIX}/bin/pip install --no-cache-dir -r "requirements.txt"')
    copied = step(plan, "COPY --chown=0:0 src/ ${REPO_DIR}/")
    assert kernel < install < copied < step(plan, "RUN ./postBuild")


def test_server_that_binder_starts_is_locked_too(plan):
    """Binder's own notebook is made for an older JupyterLab than the one that the lock brings."""
    assert plan[step(plan, "CMD [")].startswith('CMD ["jupyter", "notebook"')
    assert {"jupyterlab", "notebook", "ipykernel"} <= LOCK.keys()


def run_post_build(home):
    """As on Binder: home and repository are one folder, and `python` is that of the environment."""
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    watched = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    environment = watched | {"HOME": str(home), "PATH": programs, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        ["./postBuild"], cwd=home, env=environment, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_post_build_makes_the_recording_in_an_empty_home(tmp_path, recording):
    """Killed half-way, it leaves none; the next time, it makes the same bytes as ever, where the loader finds them."""
    home = tmp_path / "jovyan"
    home.mkdir()
    shutil.copy(ROOT / "postBuild", home)
    shutil.copytree(ROOT / "book" / "voxelwise", home / "book" / "voxelwise")
    killed = run_post_build(home)
    while not list(home.rglob("data_figure_run*.nii.gz")) and killed.poll() is None:
        time.sleep(0.05)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert not list(home.glob("nilearn_data/voxelwise_simulated/*/miyawaki2008"))

    built = run_post_build(home)
    _, complaint = built.communicate()
    assert (built.returncode, complaint) == (0, ""), "a progress bar would be a complaint: this is no terminal"
    assert [path.name for path in (home / "nilearn_data").iterdir()] == ["voxelwise_simulated"]
    first, again = recording.mask.parents[1], find_recording(home)
    names = sorted(str(path.relative_to(first)) for path in first.rglob("*.*"))
    same, different, missing = filecmp.cmpfiles(first, again, names, shallow=False)
    assert (sorted(same), different, missing) == (names, [], [])
    assert len(names) == 32 + 32 + 39 + 3
    assert sum((first / name).stat().st_size for name in names) < 80e6


def find_recording(home):
    """Where a first cell in that home finds the recording."""
    program = "from voxelwise import load_recording\nprint(load_recording().mask.parents[1])"
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=home / "book", env={"HOME": str(home), "PATH": os.environ["PATH"]},
        capture_output=True, text=True,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    folder = Path(ended.stdout.strip())
    assert folder.is_relative_to(home)
    return folder
