"""Sphinx extension: what the theme's buttons do not offer, a chapter as a program, and as a notebook for Colab, which
begins with a cell that installs what Colab lacks."""

import ast
import copy
from pathlib import Path

import nbformat
from nbconvert import PythonExporter
from nbformat.v4 import new_code_cell
from traitlets.config import Config

EXPORTER = PythonExporter(config=Config(TemplateExporter={"exclude_input_prompt": True}))
START = "# This program needs the package `voxelwise`; the book's README says how to install it."
SHOW = "import matplotlib.pyplot as plt\n\nplt.show()"  # a notebook shows each figure by itself
COLAB = """\
# For Google Colab: installs the book's package and the libraries that it was made with. Elsewhere, nothing.
import subprocess, sys

if "google.colab" in sys.modules:
    lock = "{raw}/HEAD/requirements.txt"
    pip = [sys.executable, "-m", "pip", "install", "-c", lock, "voxelwise @ git+{address}"]
    if "Successfully installed" in subprocess.check_output(pip, text=True):
        sys.exit("Installed. To use it: Runtime > Restart session and run all")"""


def write_program(notebook):
    """Return an executed chapter as a Python program: its text as comments, its parameters as they were set."""
    for cell in notebook.cells:
        if any(output.output_type == "execute_result" for output in cell.get("outputs", [])):
            cell.source = print_last(cell.source)
    notebook.cells = [new_code_cell(START), *notebook.cells, new_code_cell(SHOW)]
    return EXPORTER.from_notebook_node(notebook)[0]


def print_last(source):
    """Have the program print the value of the last expression, as the notebook shows it."""
    last = ast.parse(source).body[-1]
    before = source.splitlines(keepends=True)[: last.lineno]
    before[-1] = before[-1].encode()[: last.col_offset].decode()
    return "".join([*before, f"print({ast.get_source_segment(source, last)})"])


def write_colab_cell(address):
    """Return the source of the cell that makes a chapter run on Google Colab, which has the notebook alone."""
    return COLAB.format(address=address, raw=address.replace("github.com", "raw.githubusercontent.com"))


def add_buttons(app, pagename, templatename, context, doctree):
    if not doctree or Path(app.env.doc2path(pagename)).suffix != ".ipynb":
        return
    menus = {menu.get("label"): menu["buttons"] for menu in context["header_buttons"] if menu["type"] == "group"}
    notebook, *_ = downloads = menus["download-buttons"]
    program = {"url": context["pathto"](f"_sources/{pagename}.py", 1), "text": ".py", "icon": "fas fa-file-code"}
    program |= {"tooltip": "Download as a Python program", "label": "download-program-button"}
    downloads.insert(1, notebook | program)
    for button in menus.get("launch-buttons", []):
        button["url"] = button["url"].replace("/blob/HEAD/", "/blob/gh-pages/_sources/")  # of Colab: as they ran


def write_downloads(app, error):
    """Write the program of each chapter beside its notebook, and tell that how to run on Colab."""
    options = app.config.html_theme_options
    for copied in [] if error else Path(app.outdir, "_sources").rglob("*.ipynb"):
        notebook = nbformat.read(copied, as_version=4)
        copied.with_suffix(".py").write_text(write_program(copy.deepcopy(notebook)), encoding="utf-8")
        if options.get("use_repository_button"):  # Jupyter Book makes up an address where there is none
            notebook.cells.insert(0, new_code_cell(write_colab_cell(options["repository_url"]), id="colab"))
            nbformat.write(notebook, copied)


def setup(app):
    app.connect("html-page-context", add_buttons, priority=502)  # the theme makes its own at 501
    app.connect("build-finished", write_downloads)
