"""What Sphinx needs to make the API page from the docstrings of the package."""

import re

from numpydoc.xref import DEFAULT_LINKS

import voxelwise


def number_references(app, what, name, obj, options, lines):
    """Number the references of a docstring within it; footnotes would be numbered for the whole page."""
    lines[:] = [re.sub(r"\[(\d+)\]_", r"[\1]", re.sub(r"^\.\. \[(\d+)\]", r"\1.", line)) for line in lines]


def setup(app):
    app.setup_extension("numpydoc")
    # The types of parameters link to the classes of the package, and to no page on another host.
    DEFAULT_LINKS.clear()
    classes = [name for name in voxelwise.__all__ if isinstance(getattr(voxelwise, name), type)]
    app.config.numpydoc_xref_aliases = {name: f"voxelwise.{name}" for name in classes}
    app.config.numpydoc_xref_ignore = "all"  # other words
    app.connect("autodoc-process-docstring", number_references, priority=0)  # numpydoc comes later
