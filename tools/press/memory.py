"""How much memory a chapter needs, so that readers know which computer it runs on."""

import contextlib
import re
import threading
from pathlib import Path

import psutil

INTERVAL = 0.25  # seconds from one look to the next


def peak_memory(process):
    """Return the most bytes that a process held at once; where the system does not say, those that it holds now."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_bytes()
        return 1024 * int(re.search(rb"VmHWM:\s+(\d+) kB", status)[1])
    except (OSError, TypeError):  # no Linux, or the process is just ending
        with contextlib.suppress(psutil.Error):
            return process.memory_info().rss
    return 0


@contextlib.contextmanager
def watch_memory():
    """Yield a function that returns the most bytes that the processes started since held together.

    What counts is the resident set, as it does for Binder's limit. Linux keeps a record of each process, so
    that no short peak is missed; the sum for several at a time, such as joblib's workers, is on the safe side.
    """
    before, peak, ended = set(psutil.Process().children(recursive=True)), 0, threading.Event()

    def watch():
        nonlocal peak
        while not ended.wait(INTERVAL):
            started = set(psutil.Process().children(recursive=True)) - before
            peak = max(peak, sum(map(peak_memory, started)))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield lambda: peak
    finally:
        ended.set()
        thread.join()
