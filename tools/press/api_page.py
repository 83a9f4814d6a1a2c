"""What Sphinx needs to make the API page from the docstrings of the package."""

import inspect
import re

from numpydoc.xref import DEFAULT_LINKS


def number_references(app, what, name, obj, options, lines):
    """Number the references of a docstring within it; footnotes would be numbered for the whole page."""
    lines[:] = [re.sub(r"\[(\d+)\]_", r"[\1]", re.sub(r"^\.\. \[(\d+)\]", r"\1.", line)) for line in lines]


def link_classes(app, config):
    """Let the types of parameters link to the classes of the package, and to no page on another host."""
    import voxelwise

    DEFAULT_LINKS.clear()
    names = [name for name in voxelwise.__all__ if inspect.isclass(getattr(voxelwise, name))]
    config.numpydoc_xref_param_type, config.numpydoc_xref_ignore = True, "all"
    config.numpydoc_xref_aliases = {name: f"voxelwise.{name}" for name in names}


def leave_out(app, what, name, obj, skip, options):
    """Leave out the methods that scikit-learn adds to each estimator and splitter, for its own use."""
    return True if re.fullmatch(r"set_\w+_request", name) else None


def setup(app):
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("numpydoc")
    app.connect("config-inited", link_classes, priority=0)
    app.connect("autodoc-skip-member", leave_out)
    app.connect("autodoc-process-docstring", number_references, priority=0)  # numpydoc comes later
    return {"parallel_read_safe": True, "parallel_write_safe": True}
