"""What Binder will make of the repository, by repo2docker's own build plan, and what `postBuild` leaves behind."""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.version import Version

from conftest import ROOT

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


def tree(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_post_build_makes_the_recording_in_an_empty_home_and_it_is_found_there(tmp_path):
    """As on Binder: home and repository are one folder, and `python` is that of the environment."""
    home = tmp_path / "jovyan"
    home.mkdir()
    shutil.copy(ROOT / "postBuild", home)
    shutil.copytree(ROOT / "book" / "voxelwise", home / "book" / "voxelwise")
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {"HOME": str(home), "PATH": programs, "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(["./postBuild"], cwd=home, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    made = tree(home)
    program = "from voxelwise import load_recording, load_samples\nprint(load_samples(load_recording()).responses.shape)"
    first_cell = [sys.executable, "-c", program]
    ended = subprocess.run(first_cell, cwd=home / "book", env=environment, capture_output=True, text=True)
    assert ended.stdout == "(2860, 5438)\n", ended.stderr
    assert tree(home) == made
    assert [path.name for path in (home / "nilearn_data").iterdir()] == ["voxelwise_simulated"]
