"""Run pytest, time and again, in forks of a process that has imported the libraries: that takes longer than most tests.

Each line of the input holds the arguments of a run, as JSON; the answer is a line with its exit code, or null where it
took longer than ``TIMEOUT``. What pytest prints goes to the file that the command line names.
"""

import contextlib
import importlib
import json
import os
import sys

import psutil
import pytest

TIMEOUT = 300  # seconds
#: What the tests and the book import, but for what they test and the plugins of pytest.
LIBRARIES = (
    "bs4", "IPython", "jupyter_client", "matplotlib.pyplot", "nbclient", "nbformat", "nibabel", "nilearn.datasets",
    "nilearn.glm.first_level", "nilearn.image", "nilearn.maskers", "nilearn.signal", "pandas", "papermill", "PIL.Image",
    "requests", "scipy.signal", "scipy.sparse", "scipy.stats", "sklearn.covariance", "sklearn.linear_model",
    "sklearn.metrics",
)  # fmt: skip


def run_pytest(arguments, log):
    """Exit code of pytest, or None where it did not end in time."""
    child = os.fork()
    if not child:
        code = 3  # pytest's own for an internal error
        try:
            for stream in (1, 2):
                os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
            code = int(pytest.main(arguments))
        finally:
            sys.stdout.flush()
            os._exit(code)
    process = psutil.Process(child)
    try:
        return process.wait(TIMEOUT)
    except psutil.TimeoutExpired:
        for each in [*process.children(recursive=True), process]:
            each.kill()
        process.wait()


def main():
    """Answer until the input ends."""
    sys.path[0] = os.getcwd()  # what is tested lies there, not beside this file
    for name in LIBRARIES:
        importlib.import_module(name)
    for line in sys.stdin:
        print(json.dumps(run_pytest(json.loads(line), sys.argv[1])), flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
