"""Run a Python program, and stop it as it puts files in place: `stop_at_step.py FOLDER STEP SIGNAL PROGRAM ...`.

Python announces each renaming of a file, and each removal of a folder, before it happens. Those within FOLDER are
counted; the signal goes to all of the process group before number STEP. With step 0, the last line says how many.
"""

import atexit
import os
import runpy
import sys
from pathlib import Path

STEPS = {"os.rename", "shutil.rmtree"}


def stop_at(folder, step, signal):
    """Count the steps within the folder, and send the signal before the given one."""
    passed = 0

    def watch(event, arguments):
        nonlocal passed
        if event in STEPS and Path(os.fsdecode(arguments[0])).is_relative_to(folder):
            passed += 1
            if passed == step:
                os.killpg(0, signal)

    sys.addaudithook(watch)
    if not step:
        atexit.register(lambda: print(passed))


if __name__ == "__main__":
    folder, step, signal, *sys.argv = sys.argv[1:]
    sys.path.insert(0, os.getcwd())
    stop_at(folder, int(step), int(signal))
    runpy.run_path(sys.argv[0], run_name="__main__")
