"""Sphinx extension: a screen of the tour, that is, a chapter's picture and its caption.

Both are taken from the staged notebook, so they are those of the recording that the build ran on.
"""

import os
from pathlib import Path

import nbformat
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from tools.press.captions import find_name, read_figure


class Screen(SphinxDirective):
    """``{screen} CHAPTER FIGURE``: a chapter that has no such figure is an error; one that drew none shows nothing."""

    required_arguments = 2

    def run(self):
        """Return the picture and the caption."""
        chapter, name = self.arguments
        path = Path(self.env.doc2path(self.env.docname)).with_name(f"{chapter}.ipynb")
        try:
            cells = {find_name(cell): cell for cell in nbformat.read(path, as_version=4).cells}
            pictures, caption = read_figure(cells[name])
        except (OSError, LookupError) as error:
            raise self.error(f"{path.name}, figure {name}: {error!r}") from None
        shown = []
        for picture in pictures:
            file = Path(self.env.mystnb_config.output_folder, f"{chapter}-{name}.png")  # beside those of MyST-NB
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(picture)
            image = nodes.image(uri=f"/{os.path.relpath(file, self.env.srcdir)}", alt=caption or name)
            shown.append(nodes.figure("", image))
        return [*shown, nodes.paragraph("", caption)] if caption else shown


def setup(app):
    """Add the directive."""
    app.add_directive("screen", Screen)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
