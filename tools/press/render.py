"""Render a book with Jupyter Book, on all cores: ``python -m tools.press.render SOURCE HTML``."""

import sys

import joblib
from jupyter_book.sphinx import build_sphinx

if __name__ == "__main__":
    source, html = sys.argv[1:]
    settings = {"external_toc_path": f"{source}/_toc.yml", "latex_individualpages": False}
    strict = {"warningiserror": True, "keep_going": True, "quiet": True}
    config = {"path_config": f"{source}/_config.yml", "noconfig": True, "confoverrides": settings}
    sys.exit(bool(build_sphinx(source, html, jobs=joblib.cpu_count(), **config, **strict)))
