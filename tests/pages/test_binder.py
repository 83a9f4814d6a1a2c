"""What Binder will make of the repository, by repo2docker's own build plan."""

import re
import subprocess
import sys
from pathlib import Path

from tests.notebooks import ROOT


def test_the_lock_is_installed_where_the_notebooks_run_then_the_recording_is_made():
    """In the steps of the image's Dockerfile; printing them needs no Docker."""
    program = Path(sys.executable).with_name("jupyter-repo2docker")
    ended = subprocess.run([program, "--no-build", "--debug", ROOT], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    plan = ended.stdout + ended.stderr
    steps = [
        r"^[^#\n]*ENV KERNEL_PYTHON_PREFIX=[^\n]*\$\{NB_PYTHON_PREFIX\}$",  # one environment for server and kernel
        r"^COPY --chown=0:0 src/ \$\{REPO_DIR\}/",  # the lock lies outside the folder of Binder's own files
        r'^[^#\n]*\$\{KERNEL_PYTHON_PREFIX\}/bin/pip install --no-cache-dir -r "\.binder/requirements\.txt"',
        r"^[^#\n]*RUN \./\.binder/postBuild",
    ]
    assert re.search(".*?".join(steps), plan, re.DOTALL | re.MULTILINE), plan
