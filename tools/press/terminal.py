"""What the person at the terminal is told."""

import contextlib
import errno
import time
from pathlib import Path


class BuildError(Exception):
    """Something that the person at the terminal can put right."""


def show_path(path):
    """Return the path as people type it: relative to the working directory when inside it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def is_full(error):
    """Tell whether it was for want of room on the disk."""
    return getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)


def explain_error(error, folder):
    """Return the message of an error, with what to do where the disk of the folder is full."""
    if not is_full(error):
        return str(error)
    return f"{error}\nNo room is left for {folder}. Free some space and try again; what was there before still is."


@contextlib.contextmanager
def show_time(step):
    """Say what is at work, and how long it took when the ``with`` block ends."""
    print(step, end=" ... ", flush=True)
    start = time.perf_counter()
    try:
        yield
    finally:
        print(f"{time.perf_counter() - start:.1f} s", flush=True)
