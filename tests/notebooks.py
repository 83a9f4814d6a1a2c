"""Stored outputs against those of a fresh run, where nbval does not look: a pytest plugin.

nbval compares the text that a cell prints. It passes a notebook whose outputs were stripped, looks at no picture, and
knows nothing of memory. `pyproject.toml` loads this beside it.
"""

import base64
import re
from importlib.metadata import distributions
from pathlib import Path

import numpy as np
import psutil
import pytest
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell
from packaging.requirements import Requirement

from tests.pictures import compare_pictures
from tools.press.captions import find_name
from tools.press.chapters import MEMORY
from tools.press.warm import warm_up

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "book").glob("[0-9]*.ipynb"))
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
PACKED = re.compile(r"[A-Za-z0-9+/=]{64,}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Before the first kernel: all are forked from a process that has imported the libraries."""
    if isinstance(item, IPyNbCell) or "client" in item.fixturenames:
        warm_up()


def pytest_configure():
    """Have nbval's kernels end by themselves, not killed: coverage saves at the end which lines they ran."""
    RunningKernel.stop = lambda running: (running.kc.stop_channels(), running.km.shutdown_kernel())


def pytest_report_header():
    """Say first which libraries are not those that the stored outputs were made with."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if re.match(r"[\w.-]+==", line)]
    installed = {each.name.lower().replace("_", "-"): each.version for each in distributions()}
    here = [pin for pin in pins if pin.name in installed and (pin.marker is None or pin.marker.evaluate())]
    other = [f"{p.name} {installed[p.name]} (not {p.specifier})" for p in here if installed[p.name] not in p.specifier]
    return f"other than in the lock: {', '.join(other) or 'none'}"


def pytest_collection_modifyitems(config, items):
    """What takes long comes first, pages and notebooks: of several processes, none is left alone with it in the end."""
    config.option.cov_source = None  # kernels count lines as all processes do; nbval would have them begin once more
    items.sort(key=lambda item: (item.path.parent.name != "pages", item.path.suffix != ".ipynb"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """When nbval has run a cell and compared what it printed, compare the rest."""
    result = yield
    if isinstance(item, IPyNbCell):
        figure = find_name(item.cell) or "no figure"
        compare_outputs(item.cell.outputs, item.test_outputs, f"{item.path.name}, {item.name} ({figure})")
        held = peak_memory(item.parent.kernel.km.provisioner.pid)
        assert 3e7 < held < MEMORY, f"The chapter took {held / 1e9:.1f} GB of memory"  # IPython alone takes 30 MB
    return result


def peak_memory(pid):
    """The most bytes that a process held; where the system does not say, those it holds now."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():  # no Linux
        return psutil.Process(pid).memory_info().rss
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1])


def compare_outputs(stored, fresh, where):
    """Fail unless the cell has all its outputs, with the same text and numbers, and pictures that look the same."""
    meant = "If that is meant: make refresh"
    assert list(map(read_text, stored)) == list(map(read_text, fresh)), f"{where}: other outputs. {meant}"
    for number, (one, other) in enumerate(zip(stored, fresh, strict=True)):
        packed = [PACKED.findall(str(output.get("data", {}).get("text/html"))) for output in (one, other)]
        assert all(map(hold_same, *packed)), f"{where}: other numbers in the page. {meant}"
        if "image/png" in one.get("data", {}):
            difference = compare_pictures(one, other, f"{where}{number or ''}")
            assert difference is None, f"{where}: {difference}. {meant}"


def read_text(output):
    """What an output says: printed text, or all it shows less pictures and packed numbers, whose digits may differ."""
    shown = output.get("data", {})
    return output.get("text") or {kind: PACKED.sub("...", str(content)) for kind, content in shown.items()}


def hold_same(one, other):
    """Whether two packed arrays are alike: whole numbers to one, what is in float32 to a thousandth of the largest."""
    one, other = map(base64.b64decode, (one, other))
    if one == other or one.startswith(b"\x89PNG"):
        return True
    if len(one) != len(other):
        return False
    with np.errstate(all="ignore"):  # of whole numbers read as floats
        for kind in ("<i2", "i1", "<f4"):
            before, now = (np.frombuffer(each[: len(each) // 4 * 4], kind).astype(float) for each in (one, other))
            if abs(before - now).max() <= (1e-3 * abs(before).max() if kind == "<f4" else 1):
                return True
    return False
