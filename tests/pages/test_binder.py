"""What Binder will make of the repository, by repo2docker's own build plan."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tests.notebooks import ROOT


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


def test_python_is_one_that_the_package_runs_with(plan):
    (version,) = re.findall(r"Building conda environment for python=([\d.]+)", "\n".join(plan))
    (needed,) = re.findall(r'^requires-python = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert f"{version}.99" in SpecifierSet(needed)  # it has a late one of each


def test_the_lock_is_installed_where_the_notebooks_run_then_the_recording_is_made(plan):
    """With all of the repository in place, since the lock lies outside the folder of Binder's own files."""
    kernel = step(plan, "ENV KERNEL_PYTHON_PREFIX=")
    assert plan[kernel].endswith("${NB_PYTHON_PREFIX}")  # one environment for server and kernel
    copied = step(plan, "COPY --chown=0:0 src/ ${REPO_DIR}/")
    install = step(plan, '${KERNEL_PYTHON_PREFIX}/bin/pip install --no-cache-dir -r ".binder/requirements.txt"')
    assert kernel < copied < install < step(plan, "RUN ./.binder/postBuild")
