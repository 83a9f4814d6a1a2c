"""Sphinx extension: the sentence that a cell shows below its figure becomes the figure's caption and alternative text.

So they are true of the recording that the build ran on, and a reader of the notebook sees the sentence as well.
"""

import base64
from pathlib import Path

import nbformat
from nbformat import from_dict


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
    notebook = nbformat.reads(source[0], as_version=4)
    for cell in filter(find_name, notebook.cells):
        pictures, caption = read_figure(cell)
        if pictures and caption:
            cell.outputs = [output for output in cell.outputs if "text/markdown" not in output.get("data", {})]
            told = {"figure": {"name": find_name(cell), "caption": caption}, "image": {"alt": caption}}
            cell.metadata.mystnb = from_dict(told)
    source[0] = nbformat.writes(notebook)


def setup(app):
    """Connect to Sphinx."""
    app.connect("source-read", place_captions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
