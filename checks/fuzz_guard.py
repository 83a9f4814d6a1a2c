"""One input after another in a process of its own, which is watched: what it says, writes, starts and takes.

The process may crash or hang; who started it sees that, and starts another one behind the input that did it.
"""

import logging
import os
import resource
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book"))

from voxelwise import RecordingError, load_recording, load_samples  # noqa: E402
from voxelwise.brain import regions_of_interest  # noqa: E402
from voxelwise.check import check_folder  # noqa: E402

from . import fuzz_archives, fuzz_inputs  # noqa: E402
from .fuzz_oracle import read_recording  # noqa: E402

MEMORY = 2 * 2**30  # bytes beyond what the process has when it starts
KINDS = fuzz_inputs.KINDS | fuzz_archives.KINDS
LAG = 1
CHECKED = 4  # every so many inputs, the whole folder is checked, too
#: What a loader has no business to do, beside opening a file to write; names of Python's audit events.
FORBIDDEN = (
    "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "subprocess.", "pty.", "pickle.",
    "socket.connect", "socket.bind", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink",
    "os.chmod", "os.truncate", "shutil.", "tempfile.", "ctypes.dlopen", "webbrowser.", "urllib.",
)  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Watch(logging.Handler):
    """Collects what is said, and what is done that should not be, while it is on."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.seen = None
        logging.getLogger().addHandler(self)
        sys.addaudithook(self.audit)

    def emit(self, record):
        if self.seen is not None:
            self.seen.append(f"logged: {record.getMessage()}")

    def audit(self, event, arguments):
        if self.seen is None:
            return
        if event.startswith(FORBIDDEN) or (event == "open" and (arguments[2] or 0) & WRITING):
            self.seen.append(f"{event} {str(arguments)[:200]}")

    def __enter__(self):
        self.seen = []
        self.catch = warnings.catch_warnings(record=True)
        self.warned = self.catch.__enter__()
        warnings.simplefilter("always")
        return self

    def __exit__(self, *error):
        self.catch.__exit__(*error)
        self.said, self.seen = [f"warned: {warning.message}" for warning in self.warned] + self.seen, None


def put(folder, files):
    """Write a recording anew: bytes, or something odd in place of a file."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content == "folder":
            path.mkdir()
        elif content == "pipe":
            os.mkfifo(path)
        elif isinstance(content, str):
            path.symlink_to({"endless": "/dev/zero", "dangling": "nowhere", "looping": path.name}[content])
        else:
            path.write_bytes(content)


def load(folder):
    """All that the book reads of a recording; None for what is refused."""
    try:
        recording = load_recording(folder)
        samples = load_samples(recording, lag=LAG)
        return recording, samples, regions_of_interest(recording.rois, samples.mask_img)
    except RecordingError:
        return None


def differences(loaded, files):
    """Yield what is not as an independent reading has it."""
    recording, samples, regions = loaded
    pairs = zip(recording.func["random"], recording.label["random"], strict=True)
    pairs = [(f"func/{run.name}", f"label/{label.name}") for run, label in pairs]
    try:
        stimuli, responses, allowed, region = read_recording(files, pairs, LAG)
    except Exception as error:
        yield f"accepted, though {error!r}"
        return
    if not np.isfinite(samples.mask_img.affine).all():
        yield "an affine that is not finite"
    if samples.stimuli.dtype != np.float32 or not np.array_equal(samples.stimuli, stimuli):
        yield "other stimuli"
    if samples.responses.shape != responses.shape or not (abs(samples.responses - responses) <= allowed).all():
        yield "other responses"
    if "V1" in regions and not np.array_equal(regions["V1"], region):
        yield "another region"


def judge(watch, folder, files, checked=True):
    """"right", "refused", or what else came of an input."""
    put(folder, files)
    try:
        with watch:
            loaded = load(folder)
            faults = check_folder(folder).faults if checked else None
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if watch.said:
        return watch.said[0]
    if loaded is None:
        return "refused, but the check finds no fault" if faults == [] else "refused"
    return next(differences(loaded, files), "right")


def work(connection, folder, inputs):
    """Judge inputs, and send each outcome before the next begins; runs in a process of its own."""
    sys.dont_write_bytecode = True
    watch = Watch()
    folder, elsewhere = Path(folder) / "recording", Path(folder) / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    os.chdir(elsewhere)
    os.environ["HOME"] = str(elsewhere)
    judge(watch, folder, fuzz_inputs.make_input("Nothing wrong", 0))  # imports on first use are no finding
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY,) * 2)
    connection.send("ready")
    for kind, number in inputs:
        if kind in fuzz_archives.KINDS:
            outcome = fuzz_archives.judge(folder, kind, fuzz_inputs.make_rng(kind, number))
        else:
            outcome = judge(watch, folder, fuzz_inputs.make_input(kind, number), checked=number % CHECKED == 0)
        written = sorted(path.name for path in elsewhere.iterdir())
        connection.send(f"wrote {written}" if written else outcome)
        if written:
            break
    connection.close()
