"""A chapter as a program, for those who work without notebooks."""

import ast

import nbformat
from nbconvert import PythonExporter
from nbformat.v4 import new_code_cell
from traitlets.config import Config

START = """\
# Run this program in the folder `book` of the book's repository: its package `voxelwise` lies there.
import sys

sys.path.insert(0, "")"""
SHOW = "import matplotlib.pyplot as plt\n\nplt.show()"  # a notebook shows each figure by itself
EXPORTER = PythonExporter(config=Config(TemplateExporter={"exclude_input_prompt": True}))


def write_script(path):
    """Return an executed chapter as a Python program: its text as comments, its parameters as they were set."""
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if "colab" not in cell.metadata.get("tags", [])]
    for cell in cells:
        if any(output.output_type == "execute_result" for output in cell.get("outputs", [])):
            cell.source = print_last(cell.source)
    notebook.cells = [new_code_cell(START), *cells, new_code_cell(SHOW)]
    return EXPORTER.from_notebook_node(notebook)[0]


def print_last(source):
    """Have the program print the value of the last expression, as the notebook shows it."""
    last = ast.parse(source).body[-1]
    before = source.splitlines()[: last.lineno - 1]
    return "\n".join([*before, f"print({ast.get_source_segment(source, last)})"])
