"""The pages: their source, put together in a folder of the build, and rendered there."""

import contextlib
import os
import shutil

import yaml
from filelock import FileLock, Timeout

from tools.press import BuildError
from tools.press.warm import forking, render
from voxelwise.files import replace_folder

PAGE_FILES = {".md", ".bib", ".css", ".gif", ".jpg", ".js", ".png", ".svg"}
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
        raise BuildError(f"{folder} holds other files; choose a new folder.")
    try:
        with FileLock(folder / ".lock", blocking=False):  # ends with the process
            yield folder
    except Timeout:
        raise BuildError(f"Another build is at work in {folder}.") from None


def stage_pages(root, source):
    """Copy what the pages need, except for the chapters, into a fresh folder."""
    shutil.rmtree(source, ignore_errors=True)
    pages = [path for path in (root / "book").rglob("*") if path.suffix in PAGE_FILES]
    for path in [root / "_toc.yml", *pages]:
        (source / path.relative_to(root)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, source / path.relative_to(root))
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    if name := os.environ.get("GITHUB_REPOSITORY"):  # where GitHub builds the pages
        config |= {"repository": {"url": f"https://github.com/{name}", "branch": "HEAD"}, "launch_buttons": LAUNCH}
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
            said = log.read_text(encoding="utf-8", errors="replace").splitlines()
            raise BuildError("\n".join(["Rendering failed:", *said[-20:], f"All that was said: {log}"]))
