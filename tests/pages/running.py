"""Chapters run with other parameters, one after the other in one kernel: imports take longer than many a chapter."""

import ast
import contextlib
import copy
import functools
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from traitlets.config import Config

BOOK = Path(__file__).resolve().parents[1] / "book"
NEVER = re.compile(r"(?!)")

#: Run once in the kernel: what chapters compute from the same recording with the same settings is kept.
REMEMBER = """
import gc
import inspect
import voxelwise

gc.freeze()  # so that %reset looks through what a chapter made, and not through all libraries

def remember(function):
    known, signature = {}, inspect.signature(function)
    def call(data, *settings, **named):
        import joblib  # here, since %reset takes the names of this cell away
        bound = signature.bind(data, *settings, **named)
        bound.apply_defaults()
        key = getattr(data, "mask", id(data)), joblib.hash(bound.args[1:])  # a recording is known by its files
        if key not in known:
            known[key] = data, function(data, *settings, **named)  # data is kept, so that no other gets its id
        result = known[key][1]
        return result.copy() if hasattr(result, "copy") else result
    return call

for name in (
    "load_samples", "cross_validate_ridge", "search_alpha", "fit_receptive_fields", "fit_prf"
):
    setattr(voxelwise, name, remember(getattr(voxelwise, name)))
"""


@functools.cache
def read_chapter(path):
    return nbformat.read(path, as_version=4)


def find_parameters(notebook):
    """The cell of parameters, and the type and value of each parameter, by name."""
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    lines = ast.parse(cell.source).body
    return cell, {line.target.id: (line.annotation.id, ast.literal_eval(line.value)) for line in lines}


def printed_by(cell):
    return "".join(output.get("text", "") for output in cell.get("outputs", []))


def printed_in(notebook):
    return "".join(map(printed_by, notebook.cells))


@contextlib.contextmanager
def start_kernel():
    """A client whose kernel runs one chapter after the other."""
    config = Config(KernelManager={"transport_encryption": "auto"})
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    client = NotebookClient(
        nbformat.v4.new_notebook(metadata=metadata),
        timeout=None,
        config=config,
        resources={"metadata": {"path": str(BOOK)}},
        extra_arguments=["--log-level=CRITICAL"],
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
        patch.setenv("JUPYTER_PATH", "")
        with client.setup_kernel():
            run_cells(client, [nbformat.v4.new_code_cell(REMEMBER)])
            yield client


def run_cells(client, cells, pattern=NEVER):
    """What the code cells print, until the pattern is found."""
    client.nb = nbformat.v4.new_notebook(cells=cells)
    printed = ""
    for index, cell in enumerate(client.nb.cells):
        if cell.cell_type == "code":
            printed += printed_by(client.execute_cell(cell, index))
            if pattern.search(printed):
                break
    return printed


def run_until(client, notebook, change, pattern=NEVER, shown=("text/plain",)):
    """What the chapter prints with changed parameters, until the pattern is found or the chapter ends.

    Of figures, only what is to be shown is drawn.
    """
    notebook = copy.deepcopy(notebook)
    cell, _ = find_parameters(notebook)
    notebook.cells.insert(notebook.cells.index(cell) + 1, nbformat.v4.new_code_cell(change))
    start = f"""
import os
os.chdir({str(BOOK)!r})
get_ipython().display_formatter.active_types = {list(shown)}
%reset -f
"""
    notebook.cells.insert(0, nbformat.v4.new_code_cell(start))
    return run_cells(client, notebook.cells, pattern)


def run_with(client, path, **parameters):
    """Everything that a chapter prints with other values of those parameters that it has."""
    notebook = read_chapter(path)
    _, known = find_parameters(notebook)
    change = "\n".join(f"{name} = {value!r}" for name, value in parameters.items() if name in known)
    return run_until(client, notebook, change, shown=("text/plain", "image/png"))
