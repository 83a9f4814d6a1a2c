"""Chapters run with other parameters, one after the other in one kernel: imports take longer than many a chapter."""

import ast
import contextlib
import re
import tempfile

import nbformat
import pytest
from nbclient import NotebookClient

from tests.notebooks import ROOT
from tools.press.chapters import ENCRYPTED

#: Run once in the kernel: what chapters compute of the same recording with the same settings is computed once.
PREPARE = """
import gc
import joblib
import voxelwise.plotting

gc.freeze()  # so that %reset looks through what a chapter made, and not through all libraries
get_ipython().display_formatter.active_types = ["text/plain", "text/markdown"]
for name in "load_samples", "cross_validate_ridge", "search_alpha", "fit_receptive_fields", "fit_prf", "noise_ceiling":
    setattr(voxelwise, name, joblib.Memory({folder!r}, verbose=0).cache(getattr(voxelwise, name)))
"""
START = """
import os
from importlib import reload
from unittest.mock import MagicMock
import voxelwise.plotting
os.chdir({folder!r})
plots = vars(reload(voxelwise.plotting))
if not {draw}:
    plots.update({{name: MagicMock() for name in plots if name.startswith("plot_")}})
    plots.update(show_figure=lambda figure, caption: print(caption))
%reset -f
"""
NEVER = re.compile(r"(?!)")


def read_chapter(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def find_parameters(notebook):
    """The cell of parameters, and the type and value of each parameter, by name."""
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    lines = ast.parse(cell.source).body
    return cell, {line.target.id: (line.annotation.id, ast.literal_eval(line.value)) for line in lines}


def printed_in(notebook):
    """The text that the stored outputs of a notebook hold: what was printed, captions, and tables line by line."""
    return "".join(map(read_told, [output for cell in code_cells(notebook) for output in cell.outputs]))


def read_told(output):
    data = output.get("data", {})
    told = data.get("text/markdown") or data.get("text/plain")
    return f"{told}\n" if told else output.get("text", "")


@contextlib.contextmanager
def start_kernel():
    """A client whose kernel runs one chapter after the other."""
    settings = dict(kernel_name="python3", timeout=None, config=ENCRYPTED, extra_arguments=["--log-level=CRITICAL"])
    client = NotebookClient(nbformat.v4.new_notebook(), **settings)
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
        patch.setenv("JUPYTER_PATH", "")
        with client.setup_kernel():
            run_cells(client, [PREPARE.format(folder=folder)])
            yield client


def run_cells(client, sources, pattern=NEVER):
    """What the cells print, until the pattern is found."""
    client.nb = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, sources)))
    for index, cell in enumerate(client.nb.cells):
        client.execute_cell(cell, index)
        if pattern.search(printed_in(client.nb)):
            break
    return printed_in(client.nb)


def run_chapter(client, notebook, parameters, pattern=NEVER, draw=False):
    """What a chapter prints, with those of the parameters that it has, until the pattern is found."""
    cell, known = find_parameters(notebook)
    change = "\n".join(f"{name} = {value!r}" for name, value in parameters.items() if name in known)
    sources = [each.source + (f"\n{change}" if each is cell else "") for each in code_cells(notebook)]
    start = START.format(folder=str(ROOT / "book"), draw=draw)
    return run_cells(client, [start, *sources], pattern)
