"""Measure one call in a process of its own: its seconds, and its memory.

A call is named by its module here, the function that prepares it, and that function's arguments. Importing and
preparing come before the clock starts and before the mark of the highest memory is set back. Both marks are Linux's,
kept for each process from its own start. One call alone::

    python -m tools.bench.measure '["by_this_book", "call", "Alpha search", 20000]'
"""

import ctypes
import dataclasses
import gc
import importlib
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]


def measure(*call):
    """Run a call in a fresh process and return what it took, as :func:`measure_here` does."""
    command = [sys.executable, "-m", "tools.bench.measure", json.dumps(call)]
    return json.loads(subprocess.check_output(command, cwd=ROOT))


def measure_here(module, function, *arguments):
    """Seconds of a call; megabytes of memory at its peak, libraries and input included, and beyond input and output."""
    run = getattr(importlib.import_module(f"tools.bench.{module}"), function)(*arguments)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what preparing has freed would otherwise hide what the call takes
    Path("/proc/self/clear_refs").write_text("5")
    before = _memory("VmRSS")
    start = time.perf_counter()
    result = run()
    seconds = time.perf_counter() - start
    peak = _memory("VmHWM")
    children = " ".join(path.read_text() for path in Path("/proc/self/task").glob("*/children")).split()
    others = sum(_memory("VmHWM", process) for process in children)  # those that still run
    return {"seconds": seconds, "peak": peak + others, "beyond": peak - before - _size(result)}


def _memory(mark, process="self"):
    """Megabytes that a process holds (VmRSS), or held at its peak (VmHWM)."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (kibibytes,) = (line.split()[1] for line in lines if line.startswith(mark))
    return int(kibibytes) * 1024 / 1e6


def _size(result):
    """Megabytes of the arrays that a result is, or is made of."""
    parts = vars(result).values() if dataclasses.is_dataclass(result) else [result]
    return sum(part.nbytes for part in parts if isinstance(part, np.ndarray)) / 1e6


if __name__ == "__main__":
    print(json.dumps(measure_here(*json.loads(sys.argv[1]))))
