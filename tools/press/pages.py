"""The pages: their source, put together in a folder of the build, and rendered there."""

import contextlib
import os
import re
import shutil
import subprocess

import yaml
from filelock import FileLock, Timeout
from papermill.exceptions import strip_color

from tools.press import BuildError
from tools.press.chapters import show_path
from tools.press.render import render
from tools.press.warm import forking
from voxelwise.files import replace_folder

PAGE_FILES = {".md", ".bib", ".css", ".gif", ".jpg", ".js", ".png", ".svg"}
GITHUB = re.compile(r"(?:https://(?:[^@/]+@)?|git@|ssh://git@)github\.com[:/](?P<name>[\w.-]+/[\w.-]+?)(?:\.git)?/?")
LAUNCH = {
    "notebook_interface": "jupyterlab",
    "binderhub_url": "https://mybinder.org",
    "colab_url": "https://colab.research.google.com",
}


@contextlib.contextmanager
def hold_folder(folder):
    """Make the folder, and keep other builds out of it until the ``with`` block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()) and not (folder / ".lock").exists():
        raise BuildError(f"{show_path(folder)} holds other files; choose a new folder.")
    lock = FileLock(folder / ".lock", blocking=False)  # ends with the process
    try:
        lock.acquire()
    except Timeout:
        raise BuildError(f"Another build is at work in {show_path(folder)}.") from None
    with lock:
        yield folder


def find_address(root):
    """Return the address ``https://github.com/...`` of the repository, less name or token; None if it is elsewhere."""
    command = ["git", "--git-dir", root / ".git", "remote", "get-url", "origin"]  # not that of a folder above
    with contextlib.suppress(OSError):  # no git
        remote = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace").stdout.strip()
        if found := GITHUB.fullmatch(remote):
            return f"https://github.com/{found['name']}"
    return None


def stage_pages(root, source):
    """Copy what the pages need, except for the chapters, into a fresh folder; buttons need a repository on GitHub."""
    shutil.rmtree(source, ignore_errors=True)
    pages = [path for path in (root / "book").rglob("*") if path.suffix in PAGE_FILES]
    for path in [root / "_toc.yml", *pages]:
        (source / path.relative_to(root)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, source / path.relative_to(root))
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    if address := find_address(root):
        config |= {"repository": {"url": address, "branch": "HEAD"}, "launch_buttons": LAUNCH}
        config.setdefault("html", {})["use_repository_button"] = True
    (source / "_config.yml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")


@contextlib.contextmanager
def rendering(source, output):
    """Render the staged source while the ``with`` block runs; when both end well, it takes the place of ``html``."""
    log = output / "render.log"
    with replace_folder(output / "html") as fresh:
        process = forking.Process(target=render, args=(source, fresh, log))
        process.start()
        try:
            yield
            process.join()
        finally:
            process.kill()
            process.join()
        if process.exitcode:
            said = log.read_text(encoding="utf-8", errors="replace")
            lines = strip_color(said).replace(f"{source}{os.sep}", "").splitlines()
            found = [line for line in lines if re.search("WARNING|ERROR|No space left", line)] or lines[-10:]
            raise BuildError("\n".join(["Rendering failed:", *found, f"See {show_path(log)}"]))
