"""Sphinx extension: a screen of the tour, that is, a chapter's picture and a sentence around what the chapter printed.

Both are taken from the staged notebook, so they are those of the recording that the build ran on.
"""

import base64
import os
import re
from pathlib import Path
from typing import ClassVar

import nbformat
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective


def find_figure(notebook, name):
    """Return the pictures (PNG) that the cell of a figure has drawn, one or none, and their alternative text."""
    told = {cell.id: cell.metadata.get("mystnb", {}) for cell in notebook.cells}
    named = {told[cell.id]["figure"]["name"]: cell for cell in notebook.cells if "figure" in told[cell.id]}
    if name not in named:
        raise LookupError(f"no figure {name!r}, it has {', '.join(named) or 'none'}")
    shown = [output.get("data", {}) for output in named[name].outputs]
    return [base64.b64decode(s["image/png"]) for s in shown if "image/png" in s], told[named[name].id]["image"]["alt"]


def find_numbers(notebook, pattern):
    """Return what the groups of the pattern matched in all that the chapter printed, or None where nothing did."""
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    found = re.search(pattern, printed, re.MULTILINE)
    return found and found.groups()


class Screen(SphinxDirective):
    """``{screen} CHAPTER FIGURE``: the picture, and the content as a sentence, {0} standing for the first number.

    A chapter that has no such figure is an error. Where a recording gave it nothing to draw, or nothing to print that
    matches the pattern ``line``, the picture or the sentence is left out.
    """

    required_arguments = 2
    has_content = True
    option_spec: ClassVar = {"line": directives.unchanged_required}

    def run(self):
        """Return the picture and the sentence."""
        chapter, name = self.arguments
        path = Path(self.env.doc2path(self.env.docname)).with_name(f"{chapter}.ipynb")
        try:
            notebook = nbformat.read(path, as_version=4)
            pictures, alt = find_figure(notebook, name)
        except (OSError, LookupError) as error:
            raise self.error(f"{path.name}: {error}") from None
        screen = nodes.Element()
        for picture in pictures:
            file = Path(self.env.mystnb_config.output_folder, f"{chapter}-{name}.png")  # beside those of MyST-NB
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(picture)
            screen += nodes.figure("", nodes.image(uri=f"/{os.path.relpath(file, self.env.srcdir)}", alt=alt))
        if numbers := find_numbers(notebook, self.options["line"]):
            sentence = "\n".join(self.content).format(*numbers)
            self.state.nested_parse(StringList(sentence.splitlines(), path.name), self.content_offset, screen)
        return screen.children


def setup(app):
    """Add the directive."""
    app.add_directive("screen", Screen)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
