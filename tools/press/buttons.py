"""Sphinx extension: what the page of a chapter offers beside reading.

The theme has buttons to download the notebook and to visit the repository. This adds the chapter as a program
to the first, and, where the repository's address is known, a menu that opens the chapter in Binder, in
JupyterLab there, and in Colab. The theme's own such menu knows one of the first two, and expects Colab's
notebook where the chapters are kept; there it would lack the cell that makes it run.
"""

from pathlib import Path
from urllib.parse import quote, urlencode

from tools.press.script import write_script

PUBLISHED = "gh-pages"  # the branch that holds the pages, and with them the notebooks as they ran
DOWNLOAD = """addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".dropdown-download-buttons a").forEach(link => link.download = "");
});"""


def list_launches(address, chapter):
    """Return the name, icon and address of each place that opens the chapter.

    Binder runs the JupyterLab of the book's lock: ``doc`` is its view of one document, ``lab`` the whole.
    """
    name, path = address.removeprefix("https://github.com/"), quote(f"{chapter}.ipynb")
    binder = f"https://mybinder.org/v2/gh/{name}/HEAD?"
    colab = f"https://colab.research.google.com/github/{name}/blob/{PUBLISHED}/_sources/{path}"
    return [
        ("Binder", "_static/images/logo_binder.svg", binder + urlencode({"urlpath": f"doc/tree/{path}"})),
        ("JupyterLab", "_static/images/logo_jupyterhub.svg", binder + urlencode({"urlpath": f"lab/tree/{path}"})),
        ("Colab", "_static/images/logo_colab.png", colab),
    ]


def make_launch_menu(address, chapter):
    """Return the menu as the theme describes one."""
    buttons = [
        dict(
            type="link",
            text=text,
            icon=icon,
            url=url,
            tooltip=f"Open this chapter in {text}",
            label=f"launch-{text.lower()}",
        )
        for text, icon, url in list_launches(address, chapter)
    ]
    return dict(type="group", tooltip="Run this chapter", icon="fas fa-rocket", label="launch-buttons", buttons=buttons)


def add_buttons(app, pagename, templatename, context, doctree):
    """Write the script of a chapter beside its notebook, and add the buttons to its page."""
    notebook = Path(app.env.doc2path(pagename)) if doctree else Path()
    if notebook.suffix != ".ipynb":
        return
    script = Path(app.outdir, "_sources", f"{pagename}.py")
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(write_script(notebook), encoding="utf-8")

    menus = context["header_buttons"]
    (downloads,) = [menu["buttons"] for menu in menus if menu.get("label") == "download-buttons"]
    downloads.insert(1, dict(
        type="link", text=".py", icon="fas fa-file-code", url=context["pathto"](f"_sources/{pagename}.py", 1),
        tooltip="Download as a Python program", label="download-script-button",
    ))  # fmt: skip
    options = app.config.html_theme_options
    if options.get("use_repository_button"):  # else the address is one that Jupyter Book makes up
        menus.insert(0, make_launch_menu(options["repository_url"], pagename))


def setup(app):
    """Connect to Sphinx: after the theme, which makes its own buttons at 501."""
    app.connect("html-page-context", add_buttons, priority=502)
    app.add_js_file(None, body=DOWNLOAD)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
