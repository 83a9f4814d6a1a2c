"""A real browser, kept from every other machine, and what goes wrong in it."""

import contextlib
import functools
import http.server
import shutil
import threading
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

# The first is Chromium without what draws windows, and takes a third less time.
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
INSTALL = "install it with `sudo apt-get install chromium-headless-shell` or `.venv/bin/playwright install chromium`"
# Any name but this machine's leads nowhere, so a page that needs another host shows it.
ALONE = ["--no-sandbox", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]


@contextlib.contextmanager
def run_chromium():
    """Run the system's Chromium, or else Playwright's own, without a window; skip where neither is there."""
    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, CHROMIUM)), playwright.chromium.executable_path)
        if not Path(found).exists():
            pytest.skip(f"no Chromium here: {INSTALL}")
        with playwright.chromium.launch(executable_path=found, args=ALONE) as browser:
            yield browser


@contextlib.contextmanager
def serve_folder(folder):
    """Serve a folder to this machine alone; yields its address, which ends in a slash."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def watch(page, home):
    """Return a list to which the page adds whatever goes wrong: faults, and requests outside the address ``home``."""
    faults, inside = [], (home, "data:", "blob:")
    page.on("console", lambda said: said.type in ("error", "warning") and faults.append(f"{said.type}: {said.text}"))
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("response", lambda answer: answer.status >= 400 and faults.append(f"{answer.status}: {answer.url}"))
    page.on("request", lambda request: request.url.startswith(inside) or faults.append(f"outside: {request.url}"))
    return faults
