"""Sphinx extension: the sentence that a cell shows below its figure becomes the figure's caption and alternative text,
true of the recording that the build ran on."""

import base64
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell


def read_figure(cell):
    """The pictures (PNG) that a cell has drawn, none or more, and the sentence below them, or None."""
    shown = [output.get("data", {}) for output in cell.get("outputs", [])]
    told = [data["text/markdown"] for data in shown if "text/markdown" in data]
    return [base64.b64decode(data["image/png"]) for data in shown if "image/png" in data], told[0] if told else None


def find_name(cell):
    """The name of the figure that a cell draws, or None."""
    return cell.metadata.get("mystnb", {}).get("figure", {}).get("name")


def place_captions(app, docname, source):
    """Move the sentences of a chapter to where MyST-NB looks for captions, before it reads the chapter."""
    if Path(app.env.doc2path(docname)).suffix != ".ipynb":
        return
    notebook, cells = nbformat.reads(source[0], as_version=4), []
    for cell in notebook.cells:
        cells.append(cell)
        pictures, caption = read_figure(cell) if find_name(cell) else ([], None)
        if pictures and caption:
            told = {"figure": {"name": find_name(cell), "caption": caption}, "image": {"alt": caption}}
            cell.metadata.pop("mystnb")
            # To MyST-NB all that a cell shows is the figure, also a question or a table: each gets a cell of its own.
            for output in cell.outputs:
                own = {"mystnb": told} if "image/png" in output.get("data", {}) else {}
                if "text/markdown" not in output.get("data", {}):
                    cells.append(new_code_cell("_", outputs=[output], metadata={"tags": ["remove-input"], **own}))
            cell.outputs = []
    notebook.cells = cells
    source[0] = nbformat.writes(notebook)


def number_from_one(app, env):
    """Count the figures of each page from 1: over pages without a number, Sphinx goes on counting."""
    for figures in (each for kinds in env.toc_fignumbers.values() for each in kinds.values()):
        figures.update({name: (*figures[name][:-1], count) for count, name in enumerate(figures, 1)})


def setup(app):
    app.connect("source-read", place_captions)
    app.connect("env-check-consistency", number_from_one)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
