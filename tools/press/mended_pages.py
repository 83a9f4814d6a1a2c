"""Sphinx extension: mends what the libraries leave amiss, for browsers, screen readers and phones."""

import re

MENDED = {
    # Docutils gives the references a role that is none of the list they stand in.
    ' role="doc-biblioentry"': ' role="listitem"',
    # MyST-NB names all folded code the same, instead of by the words that are seen.
    ' aria-label="Toggle hidden content"': "",
}
# On a phone, pictures are too small to read: each becomes a link to itself.
PICTURE = re.compile(r'(<figure[^>]*>\s*)(<img [^>]*src="([^":]+)"[^>]*>)')  # a file, that is, no data: URL
LINKED = r'\1<a class="image-reference" href="\3">\2</a>'
# To a browser, a formula is a box, and before and behind a box a line may end.
MATH = r'<span class="math">(?:(?!</span>).)*</span>'
FORMULA = re.compile(rf"\(?{MATH}[).,:;?!]+|\({MATH}", re.DOTALL)
UNBROKEN = r'<span class="unbroken">\g<0></span>'


def mend_page(app, page, template, context, doctree):
    # jupyter-book always loads sphinx-thebe, for live cells, which this book has not. Listed twice, it fails.
    scripts = context["script_files"]
    context["script_files"] = [s for s in scripts if "thebe" not in f"{s.filename} {s.attributes.get('body', '')}"]
    body = FORMULA.sub(UNBROKEN, PICTURE.sub(LINKED, context.get("body", "")))
    for fault, mended in MENDED.items():
        body = body.replace(fault, mended)
    context["body"] = body


def allow_all_cores(app, config):
    """Let pages be read in parallel: the libraries that do not say whether they may do their work before or after."""
    for extension in app.extensions.values():
        if extension.parallel_read_safe is None:
            extension.parallel_read_safe = True


def setup(app):
    app.connect("config-inited", allow_all_cores)
    app.connect("html-page-context", mend_page, priority=900)  # when all else is done with it
