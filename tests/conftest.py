"""What the tests run on: the simulated recording, whole, and small ones made for the purpose; a kernel; a browser."""

import contextlib
import gc
import os
import shutil
import tempfile
from pathlib import Path
from unittest.mock import patch

import nbformat
import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from nbclient import NotebookClient
from playwright.sync_api import sync_playwright

import voxelwise as vw
from tests.pages.browsing import watch
from tests.pages.running import PREPARE, run_cells
from tools.press.chapters import ENCRYPTED

# The first is Chromium without what draws windows, and takes a third less time.
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
INSTALL = "install it with `sudo apt-get install chromium-headless-shell` or `.venv/bin/playwright install chromium`"
# Any name but this machine's leads nowhere, so a page that needs another host shows it.
ALONE = ["--no-sandbox", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]

_QUICK = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[*HealthCheck], database=None)
settings.register_profile("quick", _QUICK)
settings.register_profile("weekly", _QUICK, max_examples=10_000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_collection_finish():
    """What is imported by now is no garbage: looking through it again and again took a tenth of the tests' time."""
    gc.freeze()


@pytest.fixture(scope="session")
def recording():
    """The simulated recording."""
    return vw.load_recording("simulated")


@pytest.fixture(scope="session")
def samples(recording):
    """Its random runs, as the chapters load them."""
    return vw.load_samples(recording)


@pytest.fixture(scope="session")
def figures(recording):
    """Its figure runs."""
    return vw.load_samples(recording, kind="figure")


@pytest.fixture(scope="session")
def scores(samples):
    """Mean score of each voxel, as the chapters compute it."""
    return vw.cross_validate_ridge(samples).mean(axis=0)


@pytest.fixture(scope="session")
def small_samples():
    """4 runs of different length, 4 x 4 pixels, 50 voxels in 6 x 5 x 4 that answer at once."""
    rng = np.random.default_rng(0)
    stimuli = rng.integers(0, 2, (120, 16))
    stimuli[::5] = -1
    responses = stimuli @ rng.normal(size=(16, 50)) + rng.normal(size=(120, 50))
    mask = rng.permutation(np.arange(120) < 50).reshape(6, 5, 4).astype(np.uint8)
    mask_img = nibabel.Nifti1Image(mask, np.diag([-2.0, 2.0, 2.5, 1.0]))
    runs = np.repeat(range(4), [30, 24, 36, 30])
    return vw.Samples.from_arrays(stimuli, responses, runs, stimulus_shape=(4, 4), mask_img=mask_img)


@pytest.fixture(scope="session")
def small_recording(tmp_path_factory, small_samples):
    """The folder of the same as a recording of one's own, without a background."""
    folder = tmp_path_factory.mktemp("small")
    for name in ("func", "label", "mask"):
        (folder / name).mkdir(parents=True)
    small_samples.mask_img.to_filename(folder / "mask" / "mask.nii.gz")
    for number, rows in enumerate(small_samples.run_rows, start=1):
        volumes = vw.unmask(100 + small_samples.responses[rows].T, small_samples.mask_img)
        volumes.to_filename(folder / "func" / f"run{number}.nii.gz")
        np.savetxt(folder / "label" / f"run{number}.csv", small_samples.stimuli[rows], fmt="%d", delimiter=",")
    return folder


@pytest.fixture
def small_folder(tmp_path, small_recording):
    """A copy of it, for one test to change."""
    return shutil.copytree(small_recording, tmp_path / "mine")


@pytest.fixture(scope="session")
def client():
    """A client whose kernel runs one chapter after the other, with other parameters: see ``running``."""
    options = dict(kernel_name="python3", timeout=None, config=ENCRYPTED, extra_arguments=["--log-level=CRITICAL"])
    client = NotebookClient(nbformat.v4.new_notebook(), **options)
    own_kernels = patch.dict(os.environ, JUPYTER_PREFER_ENV_PATH="1", JUPYTER_PATH="")
    with own_kernels, tempfile.TemporaryDirectory() as folder, client.setup_kernel():
        run_cells(client, [PREPARE.format(folder=folder)])
        yield client


@pytest.fixture(scope="session")
def browser():
    """The system's Chromium, or else Playwright's own, which reaches no other machine; skips where neither is there."""
    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, CHROMIUM)), playwright.chromium.executable_path)
        if not Path(found).exists():
            pytest.skip(f"no Chromium here: {INSTALL}")
        with playwright.chromium.launch(executable_path=found, args=ALONE) as chromium:
            yield chromium


@pytest.fixture(scope="module")
def open_tab(browser):
    """Open an empty page for an address ``home``; at the end, nothing was wrong in it and nothing asked of others."""
    with contextlib.ExitStack() as contexts:
        faults = []

        def open_tab(home, **options):
            context = contexts.enter_context(browser.new_context(**options))
            faults.append(watch(page := context.new_page(), home))
            return page

        yield open_tab
    assert not any(faults), faults
