"""The cell that makes a chapter run on Google Colab, which has the notebook alone."""

import nbformat
from nbformat.v4 import new_code_cell

# What the chapters compute and draw with. Colab's own IPython and kernel stay: its pages need them as they are. Other
# versions of some of these it has loaded before the first cell runs; hence the new start.
LIBRARIES = "isal joblib matplotlib nibabel nilearn numpy pandas", "scikit-learn scipy threadpoolctl"
CELL = """\
# For Google Colab: fetches the book's package and its libraries. Elsewhere, nothing.
import os, subprocess, sys

if "google.colab" in sys.modules:
    address = "{address}"
    copy = "/content/{folder}"
    if not os.path.isdir(copy):
        subprocess.check_call(["git", "clone", "--depth=1", address, copy])
    pip = [sys.executable, "-m", "pip", "install", "-c", f"{{copy}}/requirements.txt"]
    pip += "{libraries[0]}".split()
    pip += "{libraries[1]}".split()
    if "Successfully installed" in subprocess.check_output(pip, text=True):
        sys.exit("Installed. To use it: Runtime > Restart session and run all")
    os.chdir(f"{{copy}}/book")
    sys.path.insert(0, os.getcwd())
"""


def write_colab_cell(address):
    """Return the source of the cell, for the repository at the address."""
    return CELL.format(address=address, folder=address.rpartition("/")[2], libraries=LIBRARIES).rstrip()


def add_colab_cell(path, address):
    """Put the cell at the top of a notebook; the pages do not show it."""
    notebook = nbformat.read(path, as_version=4)
    cell = new_code_cell(write_colab_cell(address), id="colab", metadata={"tags": ["remove-cell", "colab"]})
    notebook.cells.insert(0, cell)
    nbformat.write(notebook, path)
