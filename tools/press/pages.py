"""The pages: their source, put together in a folder of the build, and rendered there."""

import contextlib
import errno
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml
from papermill.exceptions import strip_color

from tools.press.terminal import BuildError, is_full, show_path

ROOT = Path(__file__).resolve().parents[2]
PAGE_FILES = {".md", ".bib", ".css", ".gif", ".jpg", ".js", ".png", ".svg"}


@contextlib.contextmanager
def hold_folder(folder):
    """Make the folder, and keep other builds out of it until the ``with`` block ends."""
    with open_lock(folder) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process, and with those that inherit it
            os.set_inheritable(lock.fileno(), True)
        except BlockingIOError:
            raise BuildError(f"Another build is at work in {show_path(folder)}.") from None
        yield folder


def open_lock(folder):
    """Make the folder and the file that holds it; say what to do where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()) and not (folder / ".lock").exists():
            raise BuildError(f"{show_path(folder)} holds other files; choose a new folder.")
        return (folder / ".lock").open("wb")
    except OSError as error:
        if is_full(error):
            raise
        raise BuildError(
            f"{show_path(folder)} cannot be written to: {error.strerror}.\n"
            "Build with --output FOLDER, or refresh in a copy of the book that you may change."
        ) from None


def stage_pages(root, source, address=None):
    """Copy what the pages need, except for the chapters, into a fresh source folder.

    With the address of the repository, the pages link to it, and offer to run a chapter from there.
    """
    shutil.rmtree(source, ignore_errors=True)
    pages = [path for path in (root / "book").rglob("*") if path.suffix in PAGE_FILES]
    for path in [root / "_config.yml", root / "_toc.yml", *pages]:
        (source / path.relative_to(root)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, source / path.relative_to(root))
    if address:
        name_repository(source / "_config.yml", address)


def name_repository(path, address):
    """Add the address of the repository to the book's configuration."""
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    config["repository"] = {"url": address}
    config.setdefault("html", {})["use_repository_button"] = True
    path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")


def restore_pages(output):
    """Put earlier pages back, where a build was stopped just as it was to put new ones in their place."""
    older, html = output / ".render" / "older", output / "html"
    if older.exists() and not html.exists():
        older.rename(html)


def render_pages(source, output):
    """Render the staged source, and only when that succeeds put it in place of ``html``."""
    fresh, html = output / ".render", output / "html"
    shutil.rmtree(fresh, ignore_errors=True)
    run_jupyter_book(source, fresh, output / "render.log")
    try:
        if html.exists():
            html.rename(fresh / "older")
        (fresh / "_build" / "html").rename(html)
    finally:
        restore_pages(output)
    shutil.rmtree(fresh)
    return html / "index.html"


def run_jupyter_book(source, fresh, log):
    """Render the source into a fresh folder; say what is wrong with it where there is a warning."""
    command = [
        sys.executable,
        "-m",
        "jupyter_book.cli.main",
        "build",
        source,
        "--path-output",
        fresh,
        "-W",
        "--keep-going",
        "-q",
    ]
    # Whatever the locale: the pages, and what is said of them, are UTF-8.
    environment = os.environ | {"PYTHONUTF8": "1"}
    with log.open("wb") as file:
        ended = subprocess.run(
            command, stdout=file, stderr=file, env=environment, cwd=ROOT,
            close_fds=False,  # it holds the folder's lock, too: it outlives this process, should that alone be killed
        )  # fmt: skip
    if ended.returncode:
        said = log.read_text(encoding="utf-8", errors="replace")
        if not shutil.disk_usage(log.parent).free or "No space left" in said:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(fresh))
        lines = strip_color(said).replace(f"{source}/", "").splitlines()
        found = [line for line in lines if "WARNING" in line or "ERROR" in line] or lines[-10:]
        raise BuildError("\n".join(["Rendering failed:", *found, f"See {show_path(log)}"]))
