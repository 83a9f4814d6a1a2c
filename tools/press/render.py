"""The pages rendered with Jupyter Book, on all cores."""

import gc
import os
import sys

import joblib
from jupyter_book.sphinx import build_sphinx


def render(source, html, log):
    """Render a source folder into another, in a process of its own; what it says goes into a file."""
    with open(log, "wb") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    gc.freeze()  # looking for garbage among what was imported, and so often, takes a seventh of the time
    gc.set_threshold(50_000)
    settings = {"external_toc_path": f"{source}/_toc.yml", "latex_individualpages": False}
    strict = {"warningiserror": True, "keep_going": True, "quiet": True}
    config = {"path_config": f"{source}/_config.yml", "noconfig": True, "confoverrides": settings}
    sys.exit(bool(build_sphinx(source, html, jobs=joblib.cpu_count(), **config, **strict)))
