"""A chapter in JupyterLab: opened and run in a browser, with no network."""

import os
import shutil
import socket
import subprocess
import sys

import nbformat
import pytest
import urllib3

from tests.figures.explored import assert_shows, spot
from tests.notebooks import ROOT, compare_outputs
from tests.pages.browsing import watch

MINUTE = 60_000  # milliseconds


@pytest.fixture
def lab(tmp_path):
    """JupyterLab's address, in a copy of the chapters that it may save in; its reader has a matplotlibrc, no more."""
    shutil.copytree(ROOT / "book", tmp_path / "book")
    (tmp_path / "matplotlibrc").write_text("image.origin: lower\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token=a-word"]
    options += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    own = dict.fromkeys(("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"), str(tmp_path / "jupyter"))
    own |= {"JUPYTER_PREFER_ENV_PATH": "1", "MPLBACKEND": "Agg", "MATPLOTLIBRC": str(tmp_path / "matplotlibrc")}
    command, patience = [sys.executable, "-m", "jupyterlab"], urllib3.Retry(60, backoff_factor=1, backoff_max=1)
    with subprocess.Popen(command + options, cwd=tmp_path / "book", env=os.environ | own) as server:
        try:
            urllib3.request("GET", f"http://127.0.0.1:{port}/api", retries=patience)
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.terminate()


def test_chapter_runs_in_jupyterlab(browser, lab, tmp_path):
    """What it shows is cleared, is the same after "Run All Cells", and answers to mouse and keys, not the Lab's own."""
    chapter = tmp_path / "book/03_mapping_the_brain.ipynb"
    before = nbformat.read(chapter, as_version=4).cells
    page = browser.new_page()
    faults = watch(page, lab)
    page.goto(f"{lab}lab/tree/{chapter.name}?token=a-word")
    page.get_by_text("| Idle").wait_for(timeout=MINUTE)
    for menu, entry in (("Edit", "Clear Outputs of All Cells"), ("Run", "Run All Cells")):
        page.get_by_role("menuitem", name=menu, exact=True).click()
        page.get_by_role("menuitem", name=entry, exact=True).click()
    page.locator(".brain-voxels .parts").wait_for(state="attached", timeout=5 * MINUTE)  # of the last cell of code
    page.locator(".brain-voxels .parts").scroll_into_view_if_needed()
    assert page.locator(".brain-fragment img").count() == 0
    assert_shows(page, 1780)
    page.mouse.click(*spot(page, 1951))
    assert_shows(page, 1951)
    canvas = page.locator(".brain-voxels .stage canvas")
    for key in ("ArrowRight", "a", "b", "x", "d", "d", "m", "Enter", "ArrowLeft"):
        canvas.press(key)
    assert_shows(page, 1951)
    with page.expect_response(lambda answer: answer.request.method == "PUT" and "/api/contents/" in answer.url):
        page.keyboard.press("Control+s")
    page.close()
    after = nbformat.read(chapter, as_version=4).cells
    assert [(cell.cell_type, cell.source) for cell in after] == [(cell.cell_type, cell.source) for cell in before]
    for old, new in zip(before, after, strict=True):
        compare_outputs(old.get("outputs", []), new.get("outputs", []), chapter.name)
    assert not [fault for fault in faults if fault.startswith("outside")]  # the rest is JupyterLab's own affair
