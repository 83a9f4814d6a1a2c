"""A throw-away book of two tiny chapters, for the tests of the command line and of the pages."""

import base64
import contextlib
import io
import os
from types import SimpleNamespace
from unittest.mock import patch

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.press import command

RED_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
SHOW_RED_PIXEL = f"""
from IPython.display import HTML, Image, Markdown, display
display(Image({RED_PIXEL!r}))
"""
FIRST = 'dataset: str = "../../mine"\nalpha: float = 1.0  # the penalty\nlag: int = 2'
SECOND = "n_splits: int = 2\ndata_dir: str = None"
CONFIG = """
title: T
execute: {execute_notebooks: "off"}
sphinx:
  extra_extensions: [tools.press.formulas, tools.press.offers, tools.press.captions, tools.press.mended_pages]
"""


class Book:
    """A book in a folder of its own, beside the recording ``mine``, whose build takes a second."""

    def __init__(self, root):
        self.root = root
        (root / "book").mkdir(parents=True)
        (root / "book" / "index.md").write_text("# Home\n")
        (root / "book" / "cover.png").write_bytes(b"the old cover")
        (root / "_config.yml").write_text(CONFIG)
        self.write_toc("02_first", "01_second")
        self.write_chapter("02_first", FIRST, "print('alpha is', alpha)\nprint('of', dataset)")
        self.write_chapter("01_second", SECOND, "print('splits', n_splits, 'from', data_dir)")

    def write_toc(self, *names):
        chapters = "".join(f"- file: book/{name}\n" for name in names)
        (self.root / "_toc.yml").write_text(f"format: jb-book\nroot: book/index\nchapters:\n{chapters}")

    def path(self, name):
        return self.root / "book" / f"{name}.ipynb"

    def write_chapter(self, name, parameters, *sources, opening="# A chapter", **metadata):
        """Of a cell that opens it, one of parameters, and one for each source, of which the last has metadata."""
        first = new_code_cell(parameters, metadata={"tags": ["parameters"]})
        cells = [new_markdown_cell(opening), first, *map(new_code_cell, sources)]
        cells[-1].metadata |= metadata
        nbformat.write(new_notebook(cells=cells), self.path(name))

    def command(self, *arguments):
        """Run the command line in this process; return its exit code, and what it said."""
        out, err = io.StringIO(), io.StringIO()
        with (
            patch.object(command, "ROOT", self.root),
            patch.dict(os.environ),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = command.main(arguments)
        return SimpleNamespace(code=code, out=out.getvalue(), err=err.getvalue())
