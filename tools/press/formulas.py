"""Sphinx extension: formulas as MathML, which browsers draw by themselves; docutils translates them from LaTeX."""

import re

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

# What docutils does not know, sets in italics or too close, hangs below or stretches, in words that it knows.
KNOWN = {
    r"(?<=[\w}]) ?(?=\\(?:operatorname|exp|ln|log)\b)": r"\\,",
    r"\\dots\b": r"\\ldots",
    r"\\bigg(?![a-z])": r"\\biggl",
    r"\\operatorname\*?": r"\\mathrm",
    r"\\[lr]Vert\b": r"\\bigl\\|",
    r"(\\(?:bar|hat|tilde) ?(?:\w|\{\w\}))(?=[_^])": r"\1{}",
}


def write_formula(self, node):
    """Write a formula into a page; one that docutils cannot read is a warning."""
    is_block, tex = isinstance(node, nodes.math_block), node.astext()
    for unknown, known in KNOWN.items():
        tex = re.sub(unknown, known, tex)
    try:
        formula = tex2mathml(tex, as_block=is_block)
    except MathError as error:
        logging.getLogger(__name__).warning("%s in the formula %s", error, tex, location=node)
    else:
        tag = "div" if is_block else "span"
        self.body.append(f'<{tag} class="math">{formula}</{tag}>')
    raise nodes.SkipNode


def setup(app):
    """Add the renderer; as the only one beside MathJax, it is the one that Sphinx takes."""
    app.add_html_math_renderer("mathml", (write_formula, None), (write_formula, None))
