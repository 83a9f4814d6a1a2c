"""Start a command, stop it at some moment, and see what goes on running."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import psutil

MARK = "CHECKED_RUN"  # in the environment of a command, and of all that it starts
AT_STEP = Path(__file__).with_name("stop_at_step.py")
PATIENCE = 600  # seconds for any command
STARTED, ENDING = [], threading.Event()


class Command:
    """A program in Python at work, with all that it prints in a file."""

    def __init__(self, program, log, cwd, at_step=None):
        if ENDING.is_set():
            raise InterruptedError("no more commands are started")
        self.mark = uuid.uuid4().hex
        watched = [AT_STEP, *at_step] if at_step else []
        self.log = log
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, *map(str, [*watched, *program])], cwd=cwd, stdout=file, stderr=file,
                stdin=subprocess.DEVNULL, env=os.environ | {MARK: self.mark}, start_new_session=True,
            )  # fmt: skip
        STARTED.append(self.process)

    @property
    def printed(self):
        """What it has printed so far."""
        return self.log.read_text(errors="replace")

    def wait(self, seconds=PATIENCE):
        """Return its exit code."""
        return self.process.wait(timeout=seconds)

    def stop(self, sent):
        """Send the signal to its process group; what does not heed Ctrl-C is asked again, as people do."""
        for _ in range(5):
            if self.process.poll() is not None:
                return
            os.killpg(self.process.pid, sent)
            try:
                self.wait(seconds=20)
            except subprocess.TimeoutExpired:
                continue
        os.killpg(self.process.pid, signal.SIGKILL)
        self.wait()

    def survivors(self):
        """Return the processes that it started and that still run."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self.mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.Error, OSError):  # ended just now, or another user's
                continue
        return found

    def wait_for_survivors(self, seconds=30):
        """Return how long the last of them took to end by itself, or None when some still run; those are ended."""
        start = time.monotonic()
        while left := self.survivors():
            if time.monotonic() - start > seconds:
                for process in left:
                    process.kill()
                return None
            time.sleep(0.1)
        return time.monotonic() - start


def run(program, log, cwd, at_step=None):
    """Run a command to its end, and return it."""
    command = Command(program, log, cwd, at_step)
    command.wait()
    return command


def stop_everything():
    """End all commands, and start no more."""
    ENDING.set()
    for process in STARTED:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
