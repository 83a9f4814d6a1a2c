"""Measure one call in a process of its own: its seconds, and its memory, by Linux's marks. Preparing does not count."""

import ctypes
import gc
import json
import pickle
import re
import subprocess
import sys
import time
from pathlib import Path


def measure(prepare, *arguments):
    """Prepare a call and run it in a fresh process; what :func:`measure_here` says of it."""
    command = [sys.executable, "-m", "tools.bench.measure"]
    return json.loads(subprocess.check_output(command, input=pickle.dumps((prepare, *arguments))))


def measure_here(prepare, *arguments):
    """Seconds of a call; megabytes of memory at its peak, with libraries and input, and how many more than before."""
    run = prepare(*arguments)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what preparing has freed would otherwise hide what the call takes
    Path("/proc/self/clear_refs").write_text("5")
    before = _memory("VmRSS")
    start = time.perf_counter()
    run()
    seconds, peak = time.perf_counter() - start, _memory("VmHWM")
    return {"seconds": seconds, "peak": peak, "beyond": peak - before}


def _memory(mark):
    """Megabytes that this process holds (VmRSS), or held at its peak (VmHWM)."""
    (kibibytes,) = re.findall(rf"{mark}:\s*(\d+)", Path("/proc/self/status").read_text())
    return int(kibibytes) * 1024 / 1e6


if __name__ == "__main__":
    print(json.dumps(measure_here(*pickle.load(sys.stdin.buffer))))
