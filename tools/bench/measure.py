"""Measure one call in a process of its own: its seconds, and its memory.

Importing and preparing come before the clock starts and before the mark of the highest memory is set back. Both marks
are Linux's, kept for each process from its own start.
"""

import ctypes
import dataclasses
import gc
import json
import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np


def measure(prepare, *arguments):
    """Prepare a call and run it in a fresh process; what :func:`measure_here` says of it."""
    command = [sys.executable, "-m", "tools.bench.measure"]
    return json.loads(subprocess.check_output(command, input=pickle.dumps((prepare, *arguments))))


def measure_here(prepare, *arguments):
    """Seconds of a call; megabytes of memory at its peak, libraries and input included, and beyond input and output."""
    run = prepare(*arguments)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what preparing has freed would otherwise hide what the call takes
    Path("/proc/self/clear_refs").write_text("5")
    before = _memory("VmRSS")
    start = time.perf_counter()
    result = run()
    seconds = time.perf_counter() - start
    peak = _memory("VmHWM")
    return {"seconds": seconds, "peak": peak, "beyond": peak - before - _size(result)}


def _memory(mark):
    """Megabytes that this process holds (VmRSS), or held at its peak (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (kibibytes,) = (line.split()[1] for line in lines if line.startswith(mark))
    return int(kibibytes) * 1024 / 1e6


def _size(result):
    """Megabytes of the arrays that a result is, or is made of."""
    parts = vars(result).values() if dataclasses.is_dataclass(result) else [result]
    return sum(part.nbytes for part in parts if isinstance(part, np.ndarray)) / 1e6


if __name__ == "__main__":
    print(json.dumps(measure_here(*pickle.load(sys.stdin.buffer))))
